//! All bytes of the files in which a store keeps its data, as a thief has them.

use std::fs;
use std::path::Path;

use super::postgres::Postgres;
use super::redis::Redis;

/// An SQLite file's, with its log.
pub(crate) fn sqlite(file: &Path) -> Vec<u8> {
    let name = file.file_name().expect("a file").to_string_lossy();
    let folder = file.parent().expect("a folder");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_name().to_string_lossy().starts_with(&*name) {
            all.extend(fs::read(entry.path()).expect("a file"));
        }
    }
    all
}

/// A Redis' log, if it has one, and a snapshot in which nothing is compressed, for then nothing
/// could be found.
pub(crate) fn redis(server: &Redis) -> Vec<u8> {
    server.cli(&["CONFIG", "SET", "rdbcompression", "no"]);
    assert_eq!(server.cli(&["SAVE"]), "OK");
    let folder = server.cli(&["CONFIG", "GET", "dir"]);
    let mut all = Vec::new();
    read_all(
        Path::new(folder.lines().last().expect("a folder")),
        &mut all,
    );
    all
}

/// What a PostgreSQL has in its tables and their log.
pub(crate) fn postgres(server: &Postgres) -> Vec<u8> {
    server.sql("postgres", "CHECKPOINT");
    let data = server.sql("postgres", "SHOW data_directory");
    let mut all = Vec::new();
    for folder in ["base", "global", "pg_wal", "pg_xact"] {
        read_all(&Path::new(&data).join(folder), &mut all);
    }
    all
}

fn read_all(folder: &Path, all: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, all);
        } else {
            all.extend(fs::read(&path).expect("a file"));
        }
    }
}
