//! A loss of power: an older copy of the data, and of the write-ahead log what was synced.
//! That is the least that a disk may hold after one.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Postgres, give, own_folder, succeeds, text};

const SEGMENT: u64 = 16 * 1024 * 1024;

impl Postgres {
    /// A copy of all the data as they are, from which the log leads on.
    pub(crate) fn copy(&self) -> TempDir {
        let folder = own_folder();
        let mut backup = self.program("pg_basebackup");
        backup.args(["-X", "stream", "-c", "fast", "--no-sync", "-d"]);
        backup.arg(self.url("postgres"));
        succeeds(backup.arg("-D").arg(folder.path().join("data")));
        folder
    }

    /// Cuts the power and starts it again over a copy and what was synced of the log since.
    pub(crate) fn cut_power(&self, copy: &TempDir) {
        let synced = "SELECT pg_walfile_name(lsn), mod(lsn - '0/0'::pg_lsn, 16777216)
                      FROM pg_current_wal_flush_lsn() AS lsn";
        let synced = self.sql("postgres", synced);
        let (segment, bytes) = synced.split_once('|').expect("two values");
        let bytes = bytes.parse().expect("a number");
        self.kill();
        let copied = copy.path().join("data");
        let (from, to) = (self.data().join("pg_wal"), copied.join("pg_wal"));
        for file in fs::read_dir(&to).expect("a folder") {
            let file = file.expect("a file").path();
            drop(fs::remove_file(file));
        }
        for file in fs::read_dir(&from).expect("a folder") {
            let name = file.expect("a file").file_name();
            let name = name.to_str().expect("its name is plain");
            // Of segments made in advance and reused ones nothing counts.
            let counts = name.len() == segment.len() && name <= segment;
            if counts || name.ends_with(".history") {
                let copied = to.join(name);
                fs::copy(from.join(name), &copied).expect("copied");
                // At the very end of one, that one is named.
                if name == segment && bytes > 0 {
                    forget_from(&copied, bytes);
                }
                give(&copied);
            }
        }
        fs::remove_dir_all(self.data()).expect("removed");
        fs::rename(&copied, self.data()).expect("renamed");
        self.launch();
    }
}

/// The rest of a segment is as it was made: zeros.
fn forget_from(segment: &Path, bytes: u64) {
    let file = fs::File::options().write(true).open(segment);
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", text(segment)));
    file.set_len(bytes).expect("it is cut");
    file.set_len(SEGMENT).expect("it is filled");
}
