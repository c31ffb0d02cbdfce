//! The statements, each prepared once on every connection.

/// Begins a step's transaction. All of it is said here, whatever the server's, the
/// database's or the role's defaults are: with an older snapshot than the lock's a step
/// would read what another has replaced, and without the disk a crash gives guesses back.
pub(crate) const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit = on";

pub(crate) const LOCK: &str =
    "SELECT key, value FROM countersign_records WHERE key = $1 FOR UPDATE";

/// One, if nobody has it locked. For an array of one PostgreSQL would make a plan each time.
pub(crate) const LOCK_FREE: &str = "SELECT key, value FROM countersign_records \
    WHERE key = $1 FOR UPDATE SKIP LOCKED";

/// Many at once, and never behind another's lock: what is locked is passed over, and so no
/// two transactions wait for each other, whatever the order of their keys.
pub(crate) const LOCK_ALL: &str = "SELECT key, value FROM countersign_records \
    WHERE key = ANY($1) FOR UPDATE SKIP LOCKED";

pub(crate) const INSERT: &str = "INSERT INTO countersign_records (key, garbage_after, value) \
    VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING";

pub(crate) const UPDATE: &str =
    "UPDATE countersign_records SET garbage_after = $2, value = $3 WHERE key = $1";

pub(crate) const UPDATE_ALL: &str = "UPDATE countersign_records AS held \
    SET garbage_after = next.garbage_after, value = next.value \
    FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS next (key, garbage_after, value) \
    WHERE held.key = next.key";

pub(crate) const SCAN: &str =
    "SELECT key FROM countersign_records WHERE key >= $1 ORDER BY key LIMIT $2";

/// Writes, so that a full disk and a standby are seen.
pub(crate) const PING: &str =
    "UPDATE countersign_store SET pings = pings + 1 RETURNING current_setting('fsync') = 'on'";

/// Looks at `$2` rows from key `$1` on and removes at most `$3` of them. Whoever has a row
/// locked is at work on it: it is passed over. What was changed since it was seen is
/// looked at again by the second condition, on its newest version.
pub(crate) const SWEEP: &str = "
    WITH clock AS MATERIALIZED (
        SELECT floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS now
    ), looked AS MATERIALIZED (
        SELECT key, garbage_after FROM countersign_records WHERE key >= $1 ORDER BY key LIMIT $2
    ), garbage AS MATERIALIZED (
        SELECT key FROM countersign_records
        WHERE key IN (
            SELECT key FROM looked WHERE garbage_after < (SELECT now FROM clock)
            ORDER BY key LIMIT $3
        ) AND garbage_after < (SELECT now FROM clock)
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM countersign_records
        WHERE key IN (SELECT key FROM garbage) AND garbage_after < (SELECT now FROM clock)
        RETURNING key
    )
    SELECT (SELECT count(*) FROM looked), (SELECT max(key) FROM looked),
           (SELECT count(*) FROM gone), (SELECT max(key) FROM gone)";

/// The statements that hang on whether there is a fence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    /// The moment: the time and the witnesses of the store's life.
    pub(crate) moment: &'static str,
    /// The moment and a value, in one snapshot.
    pub(crate) load: &'static str,
}

/// `clock_timestamp()`, and never `now()`: that is when the transaction began, and a
/// check that waited for a lock would be decided by the time at which it came.
macro_rules! time {
    () => {
        "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}

macro_rules! witnesses {
    () => {
        ", generation::text, (SELECT system_identifier FROM pg_control_system()), \
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
    };
}

macro_rules! value {
    () => {
        ", (SELECT value FROM countersign_records WHERE key = $1) AS value"
    };
}

impl Reads {
    pub(crate) const fn new(fence: bool) -> Self {
        if fence {
            Self {
                moment: concat!(time!(), witnesses!(), " FROM countersign_store"),
                load: concat!(time!(), witnesses!(), value!(), " FROM countersign_store"),
            }
        } else {
            Self {
                moment: time!(),
                load: concat!(time!(), value!()),
            }
        }
    }

    /// All statements, to be prepared beforehand.
    pub(crate) const fn all(self) -> [&'static str; 11] {
        [
            self.moment,
            self.load,
            LOCK,
            LOCK_FREE,
            LOCK_ALL,
            INSERT,
            UPDATE,
            UPDATE_ALL,
            SCAN,
            PING,
            SWEEP,
        ]
    }
}
