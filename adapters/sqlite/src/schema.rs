//! Opening the file: its folder, its mode, its schema.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use countersign::Stopwatch;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::Error;

/// One change each; the schema's version is how many of them have run.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_records.sql")];

/// Marks the file as ours (`CSGN`), so that another program's database is left alone.
const APPLICATION_ID: i64 = 0x4353_474e;

/// Opens the database, makes it if it is not there, and brings its schema up to date.
pub(crate) fn prepare(path: &Path, busy: Duration) -> Result<Connection, Error> {
    create(path)?;
    let mut conn = connect(path, busy)?;
    // Before anything is written: a file that is not ours stays as it is.
    version(&conn, path)?;
    write_ahead(&conn, busy).map_err(|error| open_error(path, error))?;
    migrate(&mut conn, path)?;
    Ok(conn)
}

/// A connection as all of the store's are, on a file that exists.
pub(crate) fn connect(path: &Path, busy: Duration) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| open_error(path, error))?;
    let read_only = conn
        .is_readonly("main")
        .map_err(|error| open_error(path, error))?;
    if read_only {
        return Err(Error::ReadOnly(path.to_owned()));
    }
    set_up(&conn, busy).map_err(|error| open_error(path, error))?;
    Ok(conn)
}

fn set_up(conn: &Connection, busy: Duration) -> rusqlite::Result<()> {
    conn.busy_timeout(busy)?;
    // An acknowledged commit is on the disk, on macOS in the medium as well. Checkpoints
    // are the second connection's; a damaged page is an error and not a guess.
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;",
    )
}

/// Pages that the writer keeps, at most 32 MB: each check reads and writes another page, and
/// SQLite's own 2 MB hold those of some 10,000 records.
pub(crate) fn give_room(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "cache_size", -32_768)
}

/// SQLite gives its journals the mode of the database, so this is where it is set.
fn create(path: &Path) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.is_dir()
    {
        return Err(Error::NoFolder(folder.to_owned()));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::NoAccess(path.to_owned(), error)),
    }
}

/// The schema's version; an error if the file is another program's or too new.
fn version(conn: &Connection, path: &Path) -> Result<usize, Error> {
    let number = |sql| {
        conn.query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(|error| open_error(path, error))
    };
    // The mark is read last: if another process makes the schema meanwhile, it is there.
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let found = number("PRAGMA user_version")?;
    let application = number("PRAGMA application_id")?;
    if application != APPLICATION_ID && (application, found, tables) != (0, 0, 0) {
        return Err(Error::Foreign(path.to_owned()));
    }
    let known = MIGRATIONS.len();
    match usize::try_from(found) {
        Ok(found) if found <= known => Ok(found),
        _ => {
            let known = i64::try_from(known).unwrap_or(i64::MAX);
            Err(Error::NewerSchema {
                path: path.to_owned(),
                found,
                known,
            })
        }
    }
}

/// Switches to the write-ahead log. Two processes that open a new file at once collide
/// here in a way for which SQLite does not wait, so it is tried again.
fn write_ahead(conn: &Connection, busy: Duration) -> rusqlite::Result<()> {
    let waiting = Stopwatch::start();
    loop {
        match conn.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        }) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && waiting.elapsed() < busy =>
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            other => return other.map(drop),
        }
    }
}

/// Runs what is missing, all or nothing, while no other process can write.
fn migrate(conn: &mut Connection, path: &Path) -> Result<(), Error> {
    if version(conn, path)? == MIGRATIONS.len() {
        return Ok(());
    }
    let fail = |error| open_error(path, error);
    conn.execute_batch("BEGIN EXCLUSIVE").map_err(fail)?;
    // Another process may have been faster while this one waited for the lock.
    let done = version(conn, path)?;
    for sql in MIGRATIONS.iter().skip(done) {
        conn.execute_batch(sql).map_err(fail)?;
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    conn.pragma_update(None, "user_version", known)
        .map_err(fail)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(fail)?;
    conn.execute_batch("COMMIT").map_err(fail)
}

fn open_error(path: &Path, error: rusqlite::Error) -> Error {
    Error::Open {
        path: path.to_owned(),
        error,
    }
}
