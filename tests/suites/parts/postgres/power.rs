//! A loss of power: an older copy of the data, and of the write-ahead log what was synced.
//! That is the least that a disk may hold after one.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{Postgres, give, own_folder, succeeds, text};

const SEGMENT: u64 = 16 * 1024 * 1024;

impl Postgres {
    /// A copy of all the data as they are, from which the log leads on.
    pub(crate) fn copy(&self) -> TempDir {
        let folder = own_folder();
        let mut backup = self.program("pg_basebackup");
        backup.args(["-X", "none", "-c", "fast", "--no-sync", "-d"]);
        backup.arg(self.url("postgres"));
        succeeds(backup.arg("-D").arg(folder.path().join("data")));
        folder
    }

    /// Cuts the power and starts it again over a copy and what was synced of the log since.
    pub(crate) fn cut_power(&self, copy: &TempDir) {
        let synced = self.synced();
        self.kill();
        let copied = copy.path().join("data");
        self.give_log(&copied, &synced);
        fs::remove_dir_all(self.data()).expect("removed");
        fs::rename(&copied, self.data()).expect("renamed");
        self.launch();
    }

    /// How much of the log is on the disk now.
    pub(crate) fn synced(&self) -> Synced {
        let asked = "SELECT pg_walfile_name(lsn), mod(lsn - '0/0'::pg_lsn, 16777216),
                            pg_current_wal_insert_lsn() - lsn
                     FROM pg_current_wal_flush_lsn() AS lsn";
        let said = self.sql("postgres", asked);
        let [segment, bytes, unsynced] = said.split('|').collect::<Vec<_>>()[..] else {
            panic!("three values: {said}");
        };
        let number = |text: &str| text.parse().expect("a number");
        Synced {
            segment: segment.to_owned(),
            bytes: number(bytes),
            unsynced: number(unsynced),
        }
    }

    /// Another server, on a copy and what was synced of this one's log since.
    pub(crate) fn after_power_cut(&self, copy: &TempDir, synced: &Synced) -> Self {
        let mut server = Self::on(own_folder(), &[]);
        server.settings.clone_from(&self.settings);
        // A copy of many files, each of which it would sync by itself before it starts.
        let at_once = "recovery_init_sync_method=syncfs".to_owned();
        server.settings.push(at_once);
        let mut copies = Command::new("cp");
        copies
            .arg("-a")
            .arg(copy.path().join("data"))
            .arg(server.data());
        succeeds(&mut copies);
        self.give_log(&server.data(), synced);
        server.launch();
        server
    }

    /// Gives a copy what was synced of the log, from where it needs it.
    fn give_log(&self, copied: &Path, Synced { segment, bytes, .. }: &Synced) {
        let (from, to) = (self.data().join("pg_wal"), copied.join("pg_wal"));
        let label = fs::read_to_string(copied.join("backup_label")).expect("a label");
        let first = label
            .split_once("(file ")
            .and_then(|(_, rest)| rest.split_once(')'));
        let (first, _) = first.expect("it names the first segment");
        for file in fs::read_dir(&from).expect("a folder") {
            let name = file.expect("a file").file_name();
            let name = name.to_str().expect("its name is plain");
            // Of segments made in advance and reused ones nothing counts.
            let counts = name.len() == segment.len() && (first..=segment.as_str()).contains(&name);
            if counts || name.ends_with(".history") {
                let copied = to.join(name);
                fs::copy(from.join(name), &copied).expect("copied");
                // At the very end of one, that one is named.
                if name == segment && *bytes > 0 {
                    forget_from(&copied, *bytes);
                }
                give(&copied);
            }
        }
    }
}

/// How much of a log was on the disk at some moment.
#[derive(Clone, Debug)]
pub(crate) struct Synced {
    /// The last segment of it, and how many of its bytes.
    segment: String,
    bytes: u64,
    /// Bytes of the log that were not on the disk.
    pub(crate) unsynced: u64,
}

/// The rest of a segment is as it was made: zeros.
fn forget_from(segment: &Path, bytes: u64) {
    let file = fs::File::options().write(true).open(segment);
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", text(segment)));
    file.set_len(bytes).expect("it is cut");
    file.set_len(SEGMENT).expect("it is filled");
}
