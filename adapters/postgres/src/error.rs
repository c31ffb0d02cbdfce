//! What can go wrong, in words that say what to do. No value, no key, no password.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use countersign::StoreError;
use countersign_tls::TlsError;
use deadpool_postgres::{HookError, PoolError, TimeoutType};
use thiserror::Error;
use tokio_postgres::error::SqlState;

/// Why the store could not be opened or did not answer.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(
        "the store's url cannot be read: postgres://user:password@host:5432/database is \
         expected, with what is not a letter or digit in the password as %XX"
    )]
    Url,
    #[error("the store's url names no host: write postgres://user:password@host:5432/database")]
    NoHost,
    #[error(
        "the store's url has an unknown sslmode: write sslmode=verify-full, or sslmode=disable \
         for a connection that anybody on the way can read"
    )]
    SslMode,
    #[error("the PostgreSQL server cannot be trusted: {0}")]
    Tls(#[from] TlsError),
    #[error("no pool of connections can be made: give it a size of at least 1")]
    Pool,
    #[error("the PostgreSQL server is a standby: name the primary's host, or both of them")]
    Standby,
    #[error(
        "the PostgreSQL server has fsync off, and forgets acknowledged guesses in a crash: set \
         `fsync = on` in postgresql.conf and reload it"
    )]
    NoSync,
    #[error("the table {0} is unlogged, and empty after a crash: run ALTER TABLE {0} SET LOGGED")]
    Unlogged(&'static str),
    #[error(
        "the database has schema {found}, and this release knows none above {known}: run the \
         newer release that wrote it"
    )]
    NewerSchema { found: i32, known: i32 },
    #[error("there is no store in this database: start the server on it once")]
    NoStore,
    #[error(
        "the role may not make the store's tables: let their owner start the server once, or run \
         GRANT CREATE ON SCHEMA public TO {0}"
    )]
    MayNotCreate(String),
    #[error(
        "the role lacks rights on the store's tables: run \
         GRANT SELECT, INSERT, UPDATE, DELETE ON countersign_records TO {0}; \
         GRANT SELECT, UPDATE ON countersign_store TO {0};"
    )]
    MayNotWrite(String),
    #[error(
        "the role may not read what a failover is told by: run GRANT EXECUTE ON FUNCTION \
         pg_control_system(), pg_current_wal_lsn(), pg_walfile_name(pg_lsn) TO {0}; or turn the \
         store's fence off"
    )]
    NoWitness(String),
    #[error("PostgreSQL did not answer within {} ms", .0.as_millis())]
    Late(Duration),
    #[error("{}", explain(.0))]
    Postgres(#[from] tokio_postgres::Error),
}

impl Error {
    /// Whether it is PostgreSQL's error of this code.
    pub(crate) fn is(&self, code: &SqlState) -> bool {
        matches!(self, Self::Postgres(error) if error.code() == Some(code))
    }

    /// Whether the same may well succeed at once: on another connection, or after the
    /// transaction that was in the way.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Postgres(error) => error.is_closed() || is_conflict(error),
            _ => false,
        }
    }

    /// The write may have happened.
    pub(crate) fn after_commit(self) -> StoreError {
        StoreError::Indeterminate {
            reason: self.to_string(),
            source: self.into_source(),
        }
    }

    /// PostgreSQL's own errors may quote a row in their details, and are left out.
    fn into_source(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::Postgres(error) if error.as_db_error().is_none() => Some(error.into()),
            Self::Tls(error) => Some(error.into()),
            _ => None,
        }
    }
}

/// Nothing was written.
impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::Unavailable {
            reason: error.to_string(),
            source: error.into_source(),
        }
    }
}

/// Whether the transaction was rolled back for another one's sake.
pub(crate) fn is_conflict(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
        || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}

/// Why there is no connection.
pub(crate) fn no_connection(error: PoolError, size: usize) -> StoreError {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            Error::Postgres(error).into()
        }
        PoolError::PostCreateHook(HookError::Message(reason)) => StoreError::unavailable(reason),
        PoolError::Timeout(TimeoutType::Wait) => StoreError::unavailable(format!(
            "all {size} connections to PostgreSQL are in use or being made: see whether it is slow"
        )),
        PoolError::Timeout(_) => StoreError::unavailable(
            "PostgreSQL gave no connection in time: see whether it runs and can be reached",
        ),
        PoolError::Closed | PoolError::NoRuntimeSpecified => {
            StoreError::unavailable("the store is closed")
        }
    }
}

/// What PostgreSQL meant, and what to do about it.
fn explain(error: &tokio_postgres::Error) -> String {
    let Some(code) = error.code() else {
        return without_code(error);
    };
    let advice = match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "it refused the role or its password: look at the url, and at pg_hba.conf"
        }
        SqlState::INVALID_CATALOG_NAME => "there is no such database: create it",
        SqlState::TOO_MANY_CONNECTIONS => {
            "it has no connection left: raise max_connections above what all pools take together"
        }
        SqlState::DISK_FULL => "its disk is full: free some space",
        SqlState::LOCK_NOT_AVAILABLE => "another transaction kept the row locked for too long",
        SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => {
            "it is starting or stopping"
        }
        SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => {
            "it cannot be written to: name the primary's host, not a standby's"
        }
        SqlState::INSUFFICIENT_PRIVILEGE => "the role lacks a right on the store's tables",
        SqlState::UNDEFINED_TABLE => "the store's tables are not in the role's search_path",
        _ => "it failed: look at its log",
    };
    format!("PostgreSQL: {advice} (error {})", code.code())
}

/// Errors of the way there: the network, TLS, the protocol.
fn without_code(error: &tokio_postgres::Error) -> String {
    let mut reason = format!("PostgreSQL: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing to a string cannot fail.
        let _ = write!(reason, ": {inner}");
        cause = inner.source();
    }
    if reason.contains("certificate") {
        reason.push_str(" (the host in the url must be the certificate's, its CA be trusted)");
    }
    reason
}
