//! A database whose clock a test moves.

use super::Postgres;

/// The clocks that the store reads are the first ones on the search path, and the test moves
/// them: when a check is decided, and when a sweep looks for what is over.
const CLOCKS: &str = "
    CREATE SCHEMA shim;
    CREATE TABLE shim.ahead (by interval NOT NULL);
    INSERT INTO shim.ahead VALUES ('0 seconds');
    CREATE FUNCTION shim.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS
        'SELECT pg_catalog.clock_timestamp() + (SELECT by FROM shim.ahead)';
    CREATE FUNCTION shim.statement_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS
        'SELECT pg_catalog.statement_timestamp() + (SELECT by FROM shim.ahead)';";

impl Postgres {
    /// Lets [`Postgres::wind`] move the clock of a database to which nobody is connected yet.
    pub(crate) fn make_clock_movable(&self, database: &str) {
        let path = "search_path = public, shim, pg_catalog";
        let all = format!("{CLOCKS} ALTER DATABASE {database} SET {path}");
        self.sql(database, &all);
    }

    /// Moves it on by so many milliseconds, or back.
    pub(crate) fn wind(&self, database: &str, millis: i64) {
        let by = format!("interval '{millis} milliseconds'");
        self.sql(database, &format!("UPDATE shim.ahead SET by = by + {by}"));
    }

    /// What time it is by that clock, in milliseconds since 1970.
    pub(crate) fn millis(&self, database: &str) -> i64 {
        let now = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        self.sql(database, now).parse().expect("a number")
    }
}
