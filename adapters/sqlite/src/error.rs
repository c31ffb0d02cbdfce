//! What can go wrong, in words that say what to do. No value, no key, no destination.

use std::path::PathBuf;
use std::sync::Arc;

use countersign::StoreError;
use rusqlite::ErrorCode;
use thiserror::Error;

/// Why the store could not be opened or did not answer.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("the folder {0} does not exist: make it, or name a file elsewhere")]
    NoFolder(PathBuf),
    #[error("there is no database file {0}: name the file that the server uses")]
    NoFile(PathBuf),
    #[error("the file {0} cannot be made or opened: give this user the right to write there")]
    NoAccess(PathBuf, #[source] std::io::Error),
    #[error(
        "the database {path} has schema {found}, and this release knows none above {known}: run \
         the newer release that wrote it"
    )]
    NewerSchema {
        path: PathBuf,
        found: i64,
        known: i64,
    },
    #[error("the database {0} belongs to another program: name another file")]
    Foreign(PathBuf),
    #[error("the database {0} is read-only: make the file and its folder writable for this user")]
    ReadOnly(PathBuf),
    #[error("the database {path}: {}", explain(.error))]
    Open {
        path: PathBuf,
        error: rusqlite::Error,
    },
    #[error(
        "/proc/sys/kernel/random/boot_id cannot be read, and without it a crash that lost writes \
         goes unseen: make it readable, or turn the store's fence off"
    )]
    NoWitness(#[source] std::io::Error),
    #[error("a thread could not be started")]
    NoThread(#[source] std::io::Error),
    #[error("the store is closed")]
    Closed,
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Open { error, .. } => Self::Unavailable {
                reason,
                source: Some(error.into()),
            },
            Error::NoAccess(_, error) | Error::NoWitness(error) | Error::NoThread(error) => {
                Self::Unavailable {
                    reason,
                    source: Some(error.into()),
                }
            }
            _ => Self::unavailable(reason),
        }
    }
}

/// An error of SQLite that meets every job of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    cause: Arc<rusqlite::Error>,
    rolled_back: bool,
}

impl Failure {
    /// Nothing was written, for sure.
    pub(crate) fn rolled_back(cause: rusqlite::Error) -> Self {
        Self {
            cause: Arc::new(cause),
            rolled_back: true,
        }
    }

    /// The same after a commit was tried: a recovery may find what reached the disk. Only
    /// a full disk and a lock tell that the mark of the commit, which is written last,
    /// did not.
    pub(crate) fn of_commit(cause: rusqlite::Error) -> Self {
        let code = cause.sqlite_error_code();
        let told = matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy));
        Self {
            cause: Arc::new(cause),
            rolled_back: told,
        }
    }

    /// The error for one of the callers.
    pub(crate) fn error(&self) -> StoreError {
        let reason = explain(&self.cause);
        let source: Option<Box<dyn std::error::Error + Send + Sync>> =
            Some(Box::new(Arc::clone(&self.cause)));
        if self.rolled_back {
            StoreError::Unavailable { reason, source }
        } else {
            StoreError::Indeterminate { reason, source }
        }
    }
}

/// What SQLite meant, and what to do about it.
fn explain(error: &rusqlite::Error) -> String {
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full: free some space",
        Some(ErrorCode::ReadOnly) => {
            "it is read-only: make the file and its folder writable for this user"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process keeps it locked: end that one, or allow a longer busy time-out"
        }
        Some(ErrorCode::NotADatabase) => "it is not an SQLite database: name another file",
        Some(ErrorCode::DatabaseCorrupt) => {
            "it is damaged: restore a backup, then run `countersign fence`"
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "it cannot be opened: give this user the right to read and write the file and its \
             folder"
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => {
            "the disk refused a read or a write: look at the system's log, and at the limits on \
             file sizes"
        }
        _ => "SQLite failed",
    };
    let code = error.sqlite_error().map_or(0, |error| error.extended_code);
    format!("{advice} (SQLite error {code})")
}
