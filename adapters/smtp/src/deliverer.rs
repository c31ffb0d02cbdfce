//! The deliverer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign::{DeliverError, Deliverer, Message, Permanent, Receipt};
use countersign_messages::Messages;
use lettre::message::Mailbox;

use crate::address::sender;
use crate::check::{self, SmtpCheckError};
use crate::composer::{Composed, compose};
use crate::config::{SmtpConfig, SmtpConfigError};
use crate::connection::Connector;
use crate::exchange;
use crate::failure::Failure;
use crate::pool::Pool;

/// Delivers by email. Cheap to share in an `Arc`; needs a tokio runtime with I/O and
/// time.
pub struct Smtp {
    pool: Pool,
    from: Mailbox,
    messages: Arc<Messages>,
    timeout: Duration,
}

impl Smtp {
    /// Checks the configuration; connects to nothing yet.
    ///
    /// # Errors
    /// [`SmtpConfigError`] names the field and says what to set.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the password's first copy ends here"
    )]
    pub fn new(config: SmtpConfig, messages: Arc<Messages>) -> Result<Self, SmtpConfigError> {
        if !(Duration::from_secs(1)..=Duration::from_secs(60)).contains(&config.timeout) {
            return Err(SmtpConfigError::Timeout);
        }
        if !(1..=256).contains(&config.max_connections) {
            return Err(SmtpConfigError::MaxConnections);
        }
        let pool = Pool::new(Connector::new(&config)?, config.max_connections);
        Ok(Self {
            pool,
            from: sender(&config.from)?,
            messages,
            timeout: config.timeout,
        })
    }

    /// Connects, secures the connection, logs in and asks for a sign of life, without
    /// sending anything: for an operator's check of the configuration.
    ///
    /// # Errors
    /// [`SmtpCheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self) -> Result<(), SmtpCheckError> {
        let connector = self.pool.connector();
        check::check(connector, self.timeout).await
    }

    async fn send(&self, message: &Composed, handed_over: &AtomicBool) -> Result<(), Failure> {
        let mut taken = self.pool.take().await?;
        let outcome = exchange::send(&mut taken.connection, message, handed_over).await;
        if outcome
            .as_ref()
            .map_or_else(Failure::leaves_connection, |()| true)
        {
            taken.give_back();
        }
        outcome
    }
}

#[async_trait]
impl Deliverer for Smtp {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let Ok(email) = self.messages.email(&message) else {
            return Err(DeliverError::permanent(Permanent::Refused));
        };
        let composed = compose(&self.from, &message, email)?;
        let handed_over = AtomicBool::new(false);
        match tokio::time::timeout(self.timeout, self.send(&composed, &handed_over)).await {
            Ok(Ok(())) => Ok(Receipt::new("smtp")),
            Ok(Err(failure)) => Err(failure.for_caller()),
            Err(_) if handed_over.load(Ordering::Relaxed) => {
                Err(DeliverError::transient().may_have_left())
            }
            Err(_) => Err(DeliverError::transient()),
        }
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("server", &self.pool.connector().server())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
