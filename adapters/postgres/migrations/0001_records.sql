-- One row a record, under the record's key with its highest bit turned. `garbage_after`
-- is in milliseconds since 1970, null: never. It has no index: nearly every step moves
-- it, and an index on it would keep updates from staying on their page. Half of each
-- page is left free for them.
CREATE TABLE countersign_records (
    key bigint PRIMARY KEY,
    garbage_after bigint,
    value bytea NOT NULL
) WITH (fillfactor = 50);

-- Facts about the store itself: one row. The generation is half of its fence; `pings`
-- is what a readiness check changes; the schema's version is how many migrations ran.
CREATE TABLE countersign_store (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    schema_version integer NOT NULL,
    generation uuid NOT NULL,
    pings bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

INSERT INTO countersign_store (only_row, schema_version, generation)
VALUES (1, 0, gen_random_uuid());
