//! How a store is opened.

use std::fmt;
use std::time::Duration;

/// How a store is opened. Start from the default and change what you need.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Whether sessions end with a failover and with a renewed generation; default: yes.
    /// Without it, a promoted standby that had not seen the last writes accepts used
    /// codes again.
    pub fence: bool,
    /// Connections of this process at most; default: 16. Steps on one record share one, and
    /// checks that wait for nobody else's lock share four.
    pub pool_size: usize,
    /// How long to wait for a new connection, until it can be used; default: 5 s.
    pub connect_timeout: Duration,
    /// How long to wait for a connection while all are in use, and a check for its turn;
    /// default: 5 s. After that nothing was sent.
    pub acquire_timeout: Duration,
    /// How long to wait for an answer of the server, and for another's lock on a row;
    /// default: 5 s. After that the outcome counts as unknown.
    pub statement_timeout: Duration,
    /// The certificates, in PEM, of the authorities that may vouch for the server;
    /// default: those that the system trusts.
    pub ca_pem: Option<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Self {
        let patience = Duration::from_secs(5);
        Self {
            fence: true,
            pool_size: 16,
            connect_timeout: patience,
            acquire_timeout: patience,
            statement_timeout: patience,
            ca_pem: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("fence", &self.fence)
            .field("pool_size", &self.pool_size)
            .field("connect_timeout", &self.connect_timeout)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("own_ca", &self.ca_pem.is_some())
            .finish()
    }
}
