//! The fence: which life of the store this is.

use std::path::Path;
use std::time::Duration;

use countersign::store::Incarnation;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::schema;

#[cfg(target_os = "linux")]
const WITNESS: &str = "/proc/sys/kernel/random/boot_id";

/// What tells one life of the store from another, beside the generation in the file.
///
/// The file's identity would be no witness: one that `cp` restored keeps its inode.
#[derive(Clone, Debug)]
pub(crate) struct Fence(Option<Vec<u8>>);

impl Fence {
    /// Reads the witness of this boot; without a fence there is none.
    pub(crate) fn read(on: bool, conn: &Connection, path: &Path) -> Result<Self, Error> {
        if on {
            witness(conn, path).map(Some).map(Self)
        } else {
            Ok(Self(None))
        }
    }

    /// The life of the store while it has this `generation`.
    pub(crate) fn incarnation(&self, generation: &[u8]) -> Incarnation {
        let Some(witness) = &self.0 else {
            return Incarnation::UNFENCED;
        };
        let mut hash = Sha256::new();
        hash.update(b"countersign sqlite incarnation 1");
        hash.update(generation);
        hash.update(witness);
        let number = hash
            .finalize()
            .iter()
            .take(8)
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        // Zero would say that there is no fence.
        Incarnation::new(number.max(1))
    }
}

/// A crash that loses acknowledged writes is a crash of the machine, and every boot of
/// Linux has its own id.
#[cfg(target_os = "linux")]
fn witness(_: &Connection, _: &Path) -> Result<Vec<u8>, Error> {
    let boot = std::fs::read(WITNESS).map_err(Error::NoWitness)?;
    if boot.is_empty() {
        return Err(Error::NoWitness(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(boot)
}

/// Elsewhere every start of the process counts as a crash.
#[cfg(not(target_os = "linux"))]
fn witness(conn: &Connection, path: &Path) -> Result<Vec<u8>, Error> {
    conn.query_row("SELECT randomblob(16)", [], |row| row.get(0))
        .map_err(|error| Error::Open {
            path: path.to_owned(),
            error,
        })
}

/// Writes a fresh generation: all sessions opened before are over.
pub(crate) fn renew(path: &Path, busy: Duration) -> Result<(), Error> {
    if !path.is_file() {
        return Err(Error::NoFile(path.to_owned()));
    }
    let conn = schema::prepare(path, busy)?;
    conn.execute("UPDATE store SET generation = randomblob(16)", [])
        .map_err(|error| Error::Open {
            path: path.to_owned(),
            error,
        })?;
    Ok(())
}
