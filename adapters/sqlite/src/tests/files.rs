//! The file itself: shared, refused, locked, for its owner alone.

use super::*;

#[test]
fn a_fence_is_not_renewed_in_a_file_that_is_not_there() {
    let bench = Bench::new();
    let error = SqliteStore::fence(bench.path()).unwrap_err().to_string();
    assert!(error.contains("there is no database file"), "{error}");
    assert!(!bench.path().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_handles_on_one_file_are_one_store() {
    let bench = Bench::new();
    let stores = [Arc::new(bench.open()), Arc::new(bench.open())];
    let mut won = 0;
    for round in 0..20 {
        let life = stores[0].load(key(round)).await.unwrap().incarnation;
        let tasks = stores.clone().map(|store| {
            tokio::spawn(async move { store.swap(key(round), None, entry(b"x"), life).await })
        });
        for task in tasks {
            won += usize::from(task.await.unwrap().unwrap() == Swap::Done);
        }
    }
    assert_eq!(won, 20);
    put(&stores[0], key(0), b"y", None).await;
    assert_eq!(
        stores[1].load(key(0)).await.unwrap().value.as_deref(),
        Some(&b"y"[..])
    );
}

#[test]
fn a_new_file_is_opened_by_many_at_once() {
    let bench = Bench::new();
    let mut options = bench.options();
    options.busy_timeout = Duration::from_secs(10);
    let open = || SqliteStore::open(bench.path(), &options).map(SqliteStore::close);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let bench = Bench::new();
    bench.open().close();
    bench.raw().pragma_update(None, "user_version", 99).unwrap();
    let error = bench.refusal();
    assert!(
        error.contains("schema 99") && error.contains("newer release"),
        "{error}"
    );
}

#[test]
fn another_programs_file_is_refused_and_left_alone() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    let before = std::fs::read(bench.path()).unwrap();
    assert!(bench.refusal().contains("belongs to another program"));
    assert_eq!(std::fs::read(bench.path()).unwrap(), before);
    std::fs::write(
        bench.path(),
        "not a database, and long enough to be one: ".repeat(99),
    )
    .unwrap();
    assert!(
        bench.refusal().contains("not an SQLite database"),
        "{}",
        bench.refusal()
    );
}

#[test]
fn a_missing_folder_is_named() {
    let bench = Bench::new();
    let path = bench.folder.path().join("missing").join("countersign.db");
    let error = SqliteStore::open(path, &bench.options())
        .unwrap_err()
        .to_string();
    assert!(error.contains("missing does not exist: make it"), "{error}");
}

#[tokio::test]
async fn a_busy_file_is_an_error_and_then_works_again() {
    let bench = Bench::new();
    let store = bench.open();
    let lock = bench.raw();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for error in [
        store.apply(key(1), &charge(1)).await.map(drop).unwrap_err(),
        store.ping().await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Unavailable { .. }));
        assert!(error.to_string().contains("keeps it locked"), "{error}");
    }
    assert_eq!(
        store.load(key(1)).await.unwrap().value,
        None,
        "reads wait for no writer"
    );
    lock.execute_batch("ROLLBACK").unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.apply(key(1), &charge(1)).await.unwrap(), Effect::Done);
}

#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    let _store = bench.open();
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", bench.path().display());
        let mode = std::fs::metadata(Path::new(&path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[tokio::test]
async fn the_log_is_copied_back_and_stays_below_its_limit() {
    let bench = Bench::new();
    let mut options = bench.options();
    options.wal_limit = 256 << 10;
    let store = SqliteStore::open(bench.path(), &options).unwrap();
    let longest = Path::new(&bench.path()).with_extension("db-wal");
    for n in 0..6000_u64 {
        put(&store, key(n % 500), &n.to_be_bytes(), None).await;
    }
    let written = 6000 * 4096;
    let length = std::fs::metadata(longest).unwrap().len();
    assert!(length < written / 2, "{length} bytes of log");
    store.close();
    assert!(
        !bench.folder.path().join("countersign.db-wal").exists(),
        "copied back at the end"
    );
}
