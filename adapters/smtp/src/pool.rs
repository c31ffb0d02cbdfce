//! Connections that are kept for the next message.
//!
//! A pool of its own, since the client's parks a connection again when a delivery is cut
//! off half-way, and the next message would then read the answers meant for this one.
//! Here a connection belongs to the delivery that took it, and is lost with it unless it
//! is given back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign::Stopwatch;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::Rset;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::connection::Connector;
use crate::failure::{Failure, Stage};

/// Servers close idle connections after some minutes; before that, both still agree.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// A bounded number of connections to one server.
pub(crate) struct Pool {
    connector: Connector,
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    parked: Stopwatch,
}

/// A connection in use; its place in the pool is free again when this is dropped.
pub(crate) struct Taken<'p> {
    pub(crate) connection: AsyncSmtpConnection,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Pool {
    pub(crate) const fn new(connector: Connector, max_connections: usize) -> Self {
        Self {
            connector,
            permits: Semaphore::const_new(max_connections),
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(crate) const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A kept connection that still answers, or a new one; waits while all are in use.
    pub(crate) async fn take(&self) -> Result<Taken<'_>, Failure> {
        let lost = |_| Failure::Lost {
            stage: Stage::Connect,
        };
        let permit = self.permits.acquire().await.map_err(lost)?;
        while let Some(mut connection) = self.pop() {
            // RSET rather than NOOP: it also ends whatever an earlier refusal left open.
            if connection
                .command(Rset)
                .await
                .is_ok_and(|reply| reply.has_code(250))
            {
                return Ok(Taken {
                    connection,
                    pool: self,
                    _permit: permit,
                });
            }
        }
        let connection = self.connector.open().await?;
        Ok(Taken {
            connection,
            pool: self,
            _permit: permit,
        })
    }

    fn pop(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| kept.parked.elapsed() < MAX_IDLE);
        idle.pop().map(|kept| kept.connection)
    }
}

impl Taken<'_> {
    /// Keeps the connection for the next message.
    pub(crate) fn give_back(self) {
        let kept = Idle {
            connection: self.connection,
            parked: Stopwatch::start(),
        };
        self.pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(kept);
    }
}
