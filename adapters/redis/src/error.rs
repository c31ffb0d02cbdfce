//! What can go wrong, in words that say what to do. No value, no key, no password.

use std::time::Duration;

use countersign::StoreError;
use countersign_tls::TlsError;
use thiserror::Error;

use crate::address::Endpoint;

/// Why the store could not be reached, or did not do as it was told.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(
        "the store's url cannot be read: redis://user:password@host:6379, \
         redis+sentinel://host,host/master-name or redis+cluster://host,host is expected \
         (rediss… for TLS), with what is not a letter or digit in the password as %XX"
    )]
    Url,
    #[error("the store's url names no host: write redis://host:6379")]
    NoHost,
    #[error(
        "the store's url names several hosts: begin it with redis+cluster:// or redis+sentinel://"
    )]
    ManyHosts,
    #[error("the store's url has a user and no password: write redis://user:password@host")]
    NoPassword,
    #[error("the store's url names no master: write redis+sentinel://host,host/master-name")]
    NoMasterName,
    #[error(
        "the number of the database in the store's url cannot be read: a cluster has none but 0"
    )]
    Database,
    #[error("the Redis server cannot be trusted: {0}")]
    Tls(#[from] TlsError),
    #[error("{0} cannot be reached: {1}")]
    Connect(Endpoint, #[source] std::io::Error),
    #[error("{endpoint} did not answer within {} ms", .limit.as_millis())]
    Late { endpoint: Endpoint, limit: Duration },
    #[error("which server to ask could not be learnt within {} ms", .0.as_millis())]
    NoWay(Duration),
    #[error(
        "{0} offers no TLS that can be trusted: {1} (the host in the url must be the \
         certificate's, its CA be trusted)"
    )]
    Handshake(Endpoint, #[source] std::io::Error),
    #[error("{0} refused the login: check user and password in the store's url")]
    Login(Endpoint),
    #[error("{0} closed the connection")]
    Closed(Endpoint),
    #[error("{0} gave an answer that is none of Redis 7: is it a Redis server?")]
    Protocol(Endpoint),
    #[error("{0} is Redis {1}, and 7.0 is needed for functions: run a newer one")]
    Old(Endpoint, String),
    #[error(
        "{0} has maxmemory-policy {1}, and would throw guesses away when it is full: run \
         `CONFIG SET maxmemory-policy noeviction` and write `maxmemory-policy noeviction` in \
         its redis.conf"
    )]
    Evicts(Endpoint, String),
    #[error("{endpoint}: {}", advice(.code))]
    Refused { endpoint: Endpoint, code: String },
    #[error(
        "{0} does not let this user read INFO, and without it a restart that lost writes goes \
         unseen: grant +info, or turn the store's fence off"
    )]
    NoWitness(Endpoint),
    #[error("no sentinel knows a master named {0}: {1}")]
    NoMaster(String, Box<Error>),
    #[error("no sentinel knows a master of this name: check the name in the store's url")]
    UnknownMaster,
    #[error("no node of the cluster serves this key at the moment")]
    NoOwner,
    #[error("the call was passed on too often: try again")]
    Lost,
    #[error("only {0} of {1} replicas had the write in time")]
    Replicas(i64, u32),
    #[error("all connections that wait for replicas are in use")]
    NoSeat,
    #[error("the operating system gives no randomness")]
    Random,
}

/// What the server meant by an error code, and what to do about it. The rest of what it
/// said may quote the call, and is left out.
fn advice(code: &str) -> String {
    let advice = match code {
        "READONLY" => "it is a replica, which takes no writes: name the primary, or use Sentinel",
        "OOM" => "its memory is full: raise maxmemory",
        "MISCONF" => "it cannot save to its disk and takes no writes: look at its log",
        "LOADING" => "it is still loading its data",
        "BUSY" => "it is busy with somebody's script",
        "NOREPLICAS" => "too few replicas are connected (min-replicas-to-write)",
        "CLUSTERDOWN" => "its cluster is down: look at `redis-cli --cluster check`",
        "TRYAGAIN" => "a slot of the cluster is moving: try again",
        "MASTERDOWN" => "it is a replica without its primary",
        "NOAUTH" => "it wants a password: write redis://user:password@host",
        "NOPERM" => {
            "this user may not do all that the store needs: grant what the documentation of \
             countersign-redis lists"
        }
        "WRONGTYPE" => "a key of the store holds another program's data",
        _ => "it refused",
    };
    format!("{advice} (Redis error {code})")
}

/// An error of one call, and what it means for the write.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It was never sent, or the server refused to run it: nothing was written.
    Undone(Error),
    /// It may have been done.
    Unknown(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Undone(error)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Undone(error) => error.into(),
            Fault::Unknown(error) => Self::indeterminate(error.to_string()),
        }
    }
}
