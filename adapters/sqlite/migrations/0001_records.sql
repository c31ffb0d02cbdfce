-- One row a record. `garbage_after` (milliseconds since 1970, null: never) stands before
-- the value, so that a sweep reads no values.
CREATE TABLE records (
    key INTEGER PRIMARY KEY,
    garbage_after INTEGER,
    value BLOB NOT NULL
) STRICT;

-- Facts about the store itself: one row. The generation is half of its fence; `pings`
-- is what a readiness check changes, since SQLite does not write what stays the same.
CREATE TABLE store (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    generation BLOB NOT NULL CHECK (length(generation) = 16),
    pings INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO store (only_row, generation) VALUES (1, randomblob(16));
