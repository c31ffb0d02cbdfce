//! The stores that several servers share, each a real one of the test's own.

use std::fmt;
use std::path::Path;

use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One file, which processes of one machine share.
    Sqlite,
    /// One Redis.
    Redis,
    /// Three nodes of Redis Cluster.
    RedisCluster,
    /// PostgreSQL.
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite file",
            Self::Redis => "Redis",
            Self::RedisCluster => "Redis Cluster",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A running store.
pub(crate) enum Store {
    Sqlite(String),
    Redis(Redis),
    RedisCluster(RedisCluster),
    Postgres(Postgres),
}

impl Store {
    /// Starts one, a file in `folder`.
    pub(crate) fn start(kind: Kind, folder: &Path) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(folder.join("shared.db").display().to_string()),
            Kind::Redis => Self::Redis(Redis::start(&[])),
            Kind::RedisCluster => Self::RedisCluster(RedisCluster::start(3)),
            Kind::Postgres => Self::Postgres(Postgres::start(&[])),
        }
    }

    /// What `store.url` says of it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{path}"),
            Self::Redis(server) => server.url(),
            Self::RedisCluster(cluster) => cluster.url(),
            Self::Postgres(server) => server.url("postgres"),
        }
    }
}
