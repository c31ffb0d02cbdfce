//! What a store keeps, read and written by somebody who has its database and comes past the
//! servers. Nobody can in a server's memory.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::Connection;

use super::store::Store;
use crate::parts::{copied, server::PATIENCE};

/// Values by the keys under which a store has them.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Each key of a Redis that has a plain value, and that, in hexadecimal.
const READ: &str = "
    local function hex(text)
      return (text:gsub('.', function(c) return string.format('%02x', c:byte()) end))
    end
    local all = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
      if redis.call('TYPE', key).ok == 'string' then
        all[#all + 1] = hex(key) .. ' ' .. hex(redis.call('GET', key))
      end
    end
    return all";
/// Writes such pairs; each key keeps its end.
const WRITE: &str = "
    local function text(hex)
      return (hex:gsub('..', function(cc) return string.char(tonumber(cc, 16)) end))
    end
    for n = 1, #ARGV, 2 do
      redis.call('SET', text(ARGV[n]), text(ARGV[n + 1]), 'KEEPTTL')
    end";
const DATABASE: &str = "postgres";

impl Store {
    /// All of it.
    pub(crate) fn rows(&self) -> Rows {
        match self {
            Self::Sqlite(path) => {
                let file = open(path);
                let all = file.prepare("SELECT key, value FROM records");
                let mut all = all.expect("a statement");
                let read = |row: &rusqlite::Row<'_>| {
                    let key: i64 = row.get(0)?;
                    Ok((key.to_be_bytes().to_vec(), row.get(1)?))
                };
                let rows = all.query_map([], read).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
            Self::Redis(server) => pairs(&server.cli(&["EVAL", READ, "0"])),
            Self::Postgres(server) => pairs(&server.sql(
                DATABASE,
                "SELECT encode(int8send(key), 'hex') || ' ' || encode(value, 'hex')
                 FROM countersign_records",
            )),
            Self::Memory | Self::RedisCluster(_) | Self::RedisSentinel(_) => {
                panic!("nobody comes past its servers")
            }
        }
    }

    /// Writes these values, in place of what their keys had.
    pub(crate) fn write(&self, rows: &Rows) {
        match self {
            Self::Sqlite(path) => {
                let mut file = open(path);
                let all = file.transaction().expect("a transaction");
                for (key, value) in rows {
                    let put = "INSERT INTO records (key, value) VALUES (?1, ?2)
                               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
                    all.execute(put, (number(key), value)).expect("a row");
                }
                all.commit().expect("it is committed");
            }
            Self::Redis(server) => {
                let pairs = rows.iter().flat_map(|(key, value)| [hex(key), hex(value)]);
                let pairs: Vec<_> = pairs.collect();
                let mut command = vec!["EVAL", WRITE, "0"];
                command.extend(pairs.iter().map(String::as_str));
                assert_eq!(server.cli(&command), "", "it is written");
            }
            Self::Postgres(server) => {
                let row = |(key, value): (&Vec<u8>, &Vec<u8>)| {
                    format!("({}, decode('{}', 'hex'))", number(key), hex(value))
                };
                let rows = rows.iter().map(row).collect::<Vec<_>>().join(", ");
                server.script(
                    DATABASE,
                    &format!(
                        "INSERT INTO countersign_records (key, value) VALUES {rows}
                         ON CONFLICT (key) DO UPDATE SET value = excluded.value"
                    ),
                );
            }
            Self::Memory | Self::RedisCluster(_) | Self::RedisSentinel(_) => {
                panic!("nobody comes past its servers")
            }
        }
    }

    /// All bytes of the files in which it keeps them.
    pub(crate) fn files(&self) -> Vec<u8> {
        match self {
            Self::Sqlite(path) => copied::sqlite(path.as_ref()),
            Self::Redis(server) => copied::redis(server),
            Self::Postgres(server) => copied::postgres(server),
            Self::Memory | Self::RedisCluster(_) | Self::RedisSentinel(_) => {
                panic!("it has no files")
            }
        }
    }
}

/// Beside the servers, which write too.
fn open(path: &str) -> Connection {
    let file = Connection::open(path).expect("the file");
    file.busy_timeout(PATIENCE).expect("it waits for others");
    file
}

/// Lines of a key and a value in hexadecimal.
fn pairs(told: &str) -> Rows {
    let pair = |line: &str| {
        let (key, value) = line.trim().split_once(' ').expect("a key and a value");
        (bytes(key), bytes(value))
    };
    told.lines().map(pair).collect()
}

fn number(key: &[u8]) -> i64 {
    i64::from_be_bytes(key.try_into().expect("eight bytes"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn bytes(hex: &str) -> Vec<u8> {
    let two = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(two).collect()
}
