//! A clock that a test moves: the one that decides, which is the servers' own in memory and on
//! SQLite, and the store's otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use countersign::{Clock as _, SystemClock};
use tempfile::TempDir;

use super::store::Store;
use crate::parts::server::Home;

/// Seconds by which servers' clocks are wrong where they decide nothing.
const WRONG: [&str; 4] = ["+0", "+300", "-300", "+86400"];

/// How far a store's clock is ahead of what it would say.
pub(crate) struct Moved {
    ahead: AtomicI64,
    /// In its file libfaketime reads how far that is, in seconds.
    folder: TempDir,
}

impl Moved {
    /// Before anybody is connected to the store.
    pub(crate) fn of(store: &Store) -> Self {
        if let Store::Postgres(server) = store {
            server.make_clock_movable("postgres");
        }
        let moved = Self {
            ahead: AtomicI64::new(0),
            folder: TempDir::new().expect("a temporary folder"),
        };
        moved.tell_machine(0);
        moved
    }

    /// The n-th server. Beside a store with a clock of its own it has one that is wrong, and else
    /// the moved one. What it measures by its monotonic clock (time-outs) goes on as ever.
    pub(crate) fn dress(&self, nth: usize, home: Home, store: &Store) -> Home {
        let home = home
            .env("LD_PRELOAD", &library().display().to_string())
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_NO_CACHE", "1");
        if is_apart(store) {
            home.env("FAKETIME", WRONG[nth % WRONG.len()])
        } else {
            home.env(
                "FAKETIME_TIMESTAMP_FILE",
                &self.file().display().to_string(),
            )
        }
    }

    /// Moves it on by so many milliseconds, or back.
    pub(crate) fn wind(&self, store: &Store, millis: i64) {
        let ahead = self.ahead.fetch_add(millis, Ordering::SeqCst) + millis;
        match store {
            Store::Memory | Store::Sqlite(_) => self.tell_machine(ahead),
            Store::Redis(server) => server.set_ahead(ahead),
            Store::RedisCluster(cluster) => {
                cluster.nodes.iter().for_each(|node| node.set_ahead(ahead));
            }
            Store::RedisSentinel(site) => site.servers.iter().for_each(|one| one.set_ahead(ahead)),
            Store::Postgres(server) => server.wind("postgres", millis),
        }
    }

    /// What time it is by that clock, in milliseconds since 1970, on this machine at least.
    pub(crate) fn millis(&self) -> i64 {
        let now = i64::try_from(SystemClock::default().now().as_millis());
        now.expect("before the year 292 million") + self.ahead.load(Ordering::SeqCst)
    }

    fn tell_machine(&self, ahead: i64) {
        let (sign, millis) = (if ahead < 0 { '-' } else { '+' }, ahead.unsigned_abs());
        let offset = format!("{sign}{}.{:03}\n", millis / 1000, millis % 1000);
        // A server may read it at any moment.
        let next = self.folder.path().join("next");
        fs::write(&next, offset).expect("the file is written");
        fs::rename(&next, self.file()).expect("the file is renamed");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ahead")
    }
}

impl Drop for Moved {
    /// libfaketime keeps some memory for each process, and one that is killed leaves it.
    fn drop(&mut self) {
        for file in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let of = ["faketime_shm_", "sem.faketime_sem_"];
            let process = of.iter().find_map(|begin| name.strip_prefix(begin));
            if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// Whether a store has a clock of its own.
const fn is_apart(store: &Store) -> bool {
    !matches!(store, Store::Memory | Store::Sqlite(_))
}

/// Debian has it in a folder by the machine's name.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("a folder");
    let folders = folders.map(|folder| folder.expect("an entry").path());
    let found = |folder: PathBuf| {
        Some(folder.join("faketime/libfaketimeMT.so.1")).filter(|file| file.exists())
    };
    let mut found = std::iter::once(Path::new("/usr/lib").to_owned())
        .chain(folders)
        .filter_map(found);
    found
        .next()
        .expect("libfaketime is missing: apt-get install libfaketime")
}
