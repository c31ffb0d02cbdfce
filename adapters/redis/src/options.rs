//! How a store is reached.

use std::fmt;
use std::time::Duration;

/// How a store is reached. Start from the default and change what you need.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Whether sessions end with the server's life and with a renewed generation; default:
    /// yes. Without it, a server that restarts from a snapshot, or a replica that takes
    /// over without the last writes, accepts used codes again.
    pub fence: bool,
    /// How long to wait for a connection, and then for an answer; default: 2 s. After that
    /// a check counts as charged and not approved. Short time-outs make that frequent, long
    /// ones let callers pile up while a server is gone.
    pub timeout: Duration,
    /// The certificates, in PEM, of the authorities that may vouch for the servers;
    /// default: those that the system trusts.
    pub ca_pem: Option<Vec<u8>>,
    /// How many replicas must have a write before it is answered; default: 0. Such calls
    /// use connections of their own, since a connection that waits serves nobody else.
    pub wait_for_replicas: u32,
    /// How long to wait for them; default: 1 s. After that the outcome counts as unknown.
    pub replica_timeout: Duration,
    /// Connections that wait for replicas, for each server, at most; default: 32.
    pub replica_connections: usize,
    /// User and password of the sentinels, where they have their own; default: none.
    pub sentinel_login: Option<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fence: true,
            timeout: Duration::from_secs(2),
            ca_pem: None,
            wait_for_replicas: 0,
            replica_timeout: Duration::from_secs(1),
            replica_connections: 32,
            sentinel_login: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("fence", &self.fence)
            .field("timeout", &self.timeout)
            .field("own_ca", &self.ca_pem.is_some())
            .field("wait_for_replicas", &self.wait_for_replicas)
            .field("replica_timeout", &self.replica_timeout)
            .field("replica_connections", &self.replica_connections)
            .field("sentinel_login", &self.sentinel_login.is_some())
            .finish()
    }
}
