//! Disks that are full, refuse writes, or hold something else than what was written.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use countersign::{CheckError, FakeClock, SessionStore as _, StoreError, Timestamp, Verdict};
use countersign_sqlite::SqliteStore;
use rusqlite::Connection;

use crate::bench::{Bench, options};
use crate::load::{self, Log};

const MOUNT: &str = "COUNTERSIGN_SMALL_DISK";

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(Timestamp::from_secs(1_700_000_000)))
}

fn refusal(path: &Path) -> String {
    SqliteStore::open(path, &options(clock()))
        .unwrap_err()
        .to_string()
}

/// Runs a test of this binary on a disk of its own: 2 MiB of tmpfs, in a mount namespace
/// that ends with the process, so that no error is made up.
fn on_a_small_disk(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=2m tmpfs \"$COUNTERSIGN_SMALL_DISK\" && exec \"$@\"";
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MOUNT, folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("unshare is missing: apt-get install util-linux");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("@done"),
        "{said}\n{errors}"
    );
}

#[test]
fn a61_a_full_disk_approves_nothing_and_the_store_goes_on_afterwards() {
    on_a_small_disk("disk::full_child");
}

#[test]
fn a61_a_read_only_file_is_refused_with_a_clear_error() {
    on_a_small_disk("disk::read_only_child");
}

fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for block in [65536, 4096, 512, 1] {
        while file.write_all(&vec![0; block]).is_ok() {}
    }
}

/// No test of its own: the process on the small disk.
#[tokio::test]
async fn full_child() {
    let Some(folder) = std::env::var_os(MOUNT).map(PathBuf::from) else {
        return;
    };
    let bench = Bench::on_clock(&folder.join("countersign.db"), clock());
    let session = bench.send("bob").await.unwrap();
    let mut left = 5;
    fill(&folder.join("filler"));
    let mut errors = 0;
    for n in 0..20 {
        let code = if n % 2 == 0 {
            session.wrong()
        } else {
            session.code.clone()
        };
        match bench.check(&session.id, &code).await {
            // What fitted into the last page is charged as ever.
            Ok(Verdict::WrongCode { attempts_remaining }) => left = attempts_remaining,
            Ok(other) => panic!("{other:?} on a full disk"),
            Err(error) => {
                assert!(matches!(
                    error,
                    CheckError::Store(StoreError::Unavailable { .. })
                ));
                assert!(
                    error.to_string().contains("the disk is full: free some"),
                    "{error}"
                );
                errors += 1;
            }
        }
    }
    assert!(errors >= 15, "{errors} errors");
    assert!(bench.store.ping().await.is_err(), "readiness sees it");
    assert!(bench.send("eve").await.is_err());
    assert_eq!(
        bench.recorder.len(),
        1,
        "no message leaves without its session"
    );
    std::fs::remove_file(folder.join("filler")).unwrap();
    bench.store.ping().await.unwrap();
    assert_eq!(bench.left(&session.id).await, Some(left));
    assert!(
        bench
            .check(&session.id, &session.code)
            .await
            .unwrap()
            .is_verified()
    );
    assert_eq!(
        bench.check(&session.id, &session.code).await.unwrap(),
        Verdict::AlreadyUsed
    );
    println!("\n@done");
}

/// No test of its own: the process on the small disk.
#[tokio::test]
async fn read_only_child() {
    let Some(folder) = std::env::var_os(MOUNT).map(PathBuf::from) else {
        return;
    };
    let path = folder.join("countersign.db");
    let bench = Bench::on_clock(&path, clock());
    let session = bench.send("bob").await.unwrap();
    drop(bench);
    let remount = |mode: &str| {
        let done = Command::new("mount")
            .args(["-o", mode])
            .arg(&folder)
            .status()
            .unwrap();
        assert!(done.success());
    };
    remount("remount,ro");
    let error = refusal(&path);
    assert!(
        error.contains("is read-only: make the file and its folder writable"),
        "{error}"
    );
    remount("remount,rw");
    let bench = Bench::on_clock(&path, clock());
    assert_eq!(bench.left(&session.id).await, Some(5));
    assert!(
        bench
            .check(&session.id, &session.code)
            .await
            .unwrap()
            .is_verified()
    );
    println!("\n@done");
}

/// A limit on file sizes (EFBIG) makes another write of the log fail in each round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a61_a_write_that_fails_loses_nothing_acknowledged() {
    let mut approved = 0;
    for round in 0..12_u64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countersign.db");
        Bench::open(&path);
        let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .arg((120 + 37 * round).to_string())
            .arg(std::env::current_exe().unwrap());
        let log = Log::of_a_whole(load::dressed(command, &path, round));
        assert!(log.0.len() < 1600, "every task met an error before its end");
        let judged = log.judge(&path).await;
        assert!(judged.is_clean(), "{round}: {judged}");
        approved += judged.approved;
    }
    assert!(approved > 0, "nothing was tried");
}

#[tokio::test]
async fn a_garbage_value_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    let bench = Bench::on_clock(&path, clock());
    let sessions = [
        bench.send("bob").await.unwrap(),
        bench.send("eve").await.unwrap(),
    ];
    let raw = Connection::open(&path).unwrap();
    let spoil = "UPDATE records SET value = zeroblob(60) WHERE key = (SELECT min(key) FROM \
                 records WHERE length(value) > 40)";
    assert_eq!(raw.execute(spoil, []).unwrap(), 1);
    let (mut approvals, mut errors) = (0, 0);
    for session in sessions {
        match bench.check(&session.id, &session.code).await {
            Ok(verdict) => approvals += u8::from(verdict.is_verified()),
            Err(CheckError::Store(StoreError::Corrupt(_))) => errors += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((approvals, errors), (1, 1));
}

#[tokio::test]
async fn a_damaged_page_approves_nothing_by_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    let bench = Bench::on_clock(&path, clock());
    let mut sessions = Vec::new();
    for n in 0..150 {
        sessions.push(bench.send(&format!("user{n}")).await.unwrap());
    }
    drop(bench);
    let file = File::options().write(true).open(&path).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    assert!(pages > 5, "{pages} pages");
    file.write_all_at(&[0xff; 4096], (pages - 1) * 4096)
        .unwrap();
    drop(file);
    let bench = Bench::on_clock(&path, clock());
    let (mut approvals, mut errors) = (0, 0);
    for session in &sessions {
        match bench.check(&session.id, &session.code).await {
            Ok(verdict) => approvals += u8::from(verdict.is_verified()),
            Err(error) => {
                assert!(
                    error.to_string().contains("damaged: restore a backup"),
                    "{error}"
                );
                errors += 1;
            }
        }
    }
    assert!(
        errors > 0 && approvals > 0,
        "{errors} errors, {approvals} approvals"
    );
    assert_eq!(usize::from(approvals) + errors, sessions.len());
}

#[test]
fn a_newer_schema_and_another_file_are_refused_with_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    Bench::open(&path);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(refusal(&path).contains("schema 99"), "{}", refusal(&path));
    std::fs::write(
        &path,
        "no database, and longer than a header of one ".repeat(99),
    )
    .unwrap();
    assert!(
        refusal(&path).contains("not an SQLite database"),
        "{}",
        refusal(&path)
    );
}
