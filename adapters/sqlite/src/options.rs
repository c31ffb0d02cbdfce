//! How a store is opened.

use std::sync::Arc;
use std::time::Duration;

use countersign::{Clock, SystemClock};

/// How a store is opened. Start from the default and change what you need.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The store's clock; default: the system's.
    pub clock: Arc<dyn Clock>,
    /// Whether sessions end with the machine's boot and with a renewed generation;
    /// default: yes. Without it, a restored backup accepts used codes again.
    pub fence: bool,
    /// How long to wait for another process that holds the file's lock, before giving
    /// up with an error; default: 5 s.
    pub busy_timeout: Duration,
    /// How many jobs may wait for the writer before callers wait for room; default: 1024.
    pub queue: usize,
    /// Size of the write-ahead log, in bytes, from which on the writer stops to copy it
    /// back; default: 64 MiB. From half of it on it is copied back beside the writer.
    pub wal_limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            fence: true,
            busy_timeout: Duration::from_secs(5),
            queue: 1024,
            wal_limit: 64 << 20,
        }
    }
}
