//! The stores that several servers share, each a real one of the test's own.

use std::fmt;
use std::path::Path;

use crate::parts::postgres::Postgres;
use crate::parts::proxy::Proxy;
use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;
use crate::parts::redis::sentinel::RedisSentinel;

/// A Redis that forgets API keys when it starts again is refused by a server that sends.
pub(crate) const LOGGED: [&str; 2] = ["--appendonly", "yes"];

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the one server's memory.
    Memory,
    /// One file, which processes of one machine share.
    Sqlite,
    /// One Redis.
    Redis,
    /// Three nodes of Redis Cluster.
    RedisCluster,
    /// A primary of Redis and its replica, under Sentinel.
    RedisSentinel,
    /// PostgreSQL.
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "SQLite",
            Self::Redis => "Redis",
            Self::RedisCluster => "Redis Cluster",
            Self::RedisSentinel => "Redis Sentinel",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A running store.
pub(crate) enum Store {
    Memory,
    Sqlite(String),
    Redis(Redis),
    RedisCluster(RedisCluster),
    RedisSentinel(RedisSentinel),
    Postgres(Postgres),
}

impl Store {
    /// Starts one, a file in `folder`.
    pub(crate) fn start(kind: Kind, folder: &Path) -> Self {
        match kind {
            Kind::Memory => Self::Memory,
            Kind::Sqlite => Self::Sqlite(folder.join("shared.db").display().to_string()),
            Kind::Redis => Self::Redis(Redis::start(&LOGGED)),
            Kind::RedisCluster => Self::RedisCluster(RedisCluster::start_with(3, &LOGGED)),
            Kind::RedisSentinel => Self::RedisSentinel(RedisSentinel::start_with(&LOGGED)),
            Kind::Postgres => Self::Postgres(Postgres::start(&[])),
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Memory => Kind::Memory,
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Redis(_) => Kind::Redis,
            Self::RedisCluster(_) => Kind::RedisCluster,
            Self::RedisSentinel(_) => Kind::RedisSentinel,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    /// What `store.url` says of it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Memory => "memory:".to_owned(),
            Self::Sqlite(path) => format!("sqlite:{path}"),
            Self::Redis(server) => server.url(),
            Self::RedisCluster(cluster) => cluster.url(),
            Self::RedisSentinel(site) => site.url(),
            Self::Postgres(server) => server.url("postgres"),
        }
    }

    /// The same over a proxy, where one port over a network leads to it.
    pub(crate) fn proxied(&self) -> (String, Option<Proxy>) {
        let port = match self {
            Self::Redis(server) => server.port,
            Self::Postgres(server) => server.port,
            _ => return (self.url(), None),
        };
        let proxy = Proxy::start(port);
        let over = format!(":{}", proxy.port());
        (self.url().replace(&format!(":{port}"), &over), Some(proxy))
    }

    /// Copies all it has, as an operator does now and then.
    pub(crate) fn back_up(&self) {
        match self {
            Self::Sqlite(path) => {
                let file = rusqlite::Connection::open(path).expect("the file");
                let copied = file.execute("VACUUM INTO ?1", [copy_of(path)]);
                copied.expect("it is copied");
            }
            Self::Postgres(server) => server.back_up(),
            _ => panic!("{} is not copied here", self.kind()),
        }
    }

    /// Puts the copy in the place of what it has. Nobody uses it meanwhile.
    pub(crate) fn restore(&self) {
        match self {
            Self::Sqlite(path) => {
                for of_it in ["-wal", "-shm"] {
                    // It may be gone with its last user.
                    drop(std::fs::remove_file(format!("{path}{of_it}")));
                }
                std::fs::rename(copy_of(path), path).expect("it is put back");
            }
            Self::Postgres(server) => server.restore(),
            _ => panic!("{} is not copied here", self.kind()),
        }
    }

    /// How many values it holds; zero where nobody can see them.
    pub(crate) fn records(&self) -> u64 {
        let told = match self {
            Self::Memory | Self::RedisCluster(_) | Self::RedisSentinel(_) => return 0,
            Self::Sqlite(path) => {
                let file = rusqlite::Connection::open(path).expect("the file");
                let count = file.query_row("SELECT count(*) FROM records", [], |row| {
                    row.get::<_, i64>(0)
                });
                return count.expect("a count").unsigned_abs();
            }
            Self::Redis(server) => server.cli(&["DBSIZE"]),
            Self::Postgres(server) => {
                server.sql("postgres", "SELECT count(*) FROM countersign_records")
            }
        };
        let digits: String = told.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|_| panic!("a count: {told}"))
    }
}

fn copy_of(path: &str) -> String {
    format!("{path}.copy")
}
