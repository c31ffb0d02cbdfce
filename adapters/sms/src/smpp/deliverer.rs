//! The deliverer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign::{Clock, DeliverError, Deliverer, Message, Permanent, Receipt, Report, Stopwatch};
use countersign_messages::Messages;
use rusmpp::CommandStatus;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::address::Address;
use super::check::{self, SmppCheckError};
use super::config::{SmppConfig, SmppConfigError};
use super::connector::Connector;
use super::conversation::Timing;
use super::link::{Keeper, Link};
use super::pace::Pace;
use super::refusal::refusal;
use super::submission::{References, Submission};
use super::ticket::Ticket;
use super::tracker::{Part, Tracker};

/// Delivers by SMS over SMPP 3.4. Cheap to share in an `Arc`; needs a tokio runtime with
/// I/O and time.
pub struct Smpp {
    link: Link,
    source: Address,
    messages: Arc<Messages>,
    timeout: Duration,
    pace: Pace,
    references: References,
}

impl Smpp {
    /// Checks the configuration; connects to nothing yet. The first delivery binds, and
    /// from then on the connection is kept.
    ///
    /// `clock` says when a message that waits for its receipt is too old to matter.
    ///
    /// # Errors
    /// [`SmppConfigError`] names the field and says what to set.
    pub fn new(
        config: SmppConfig,
        messages: Arc<Messages>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SmppConfigError> {
        config.within_bounds()?;
        let source = Address::sender(&config.from).ok_or(SmppConfigError::From)?;
        let (timeout, window) = (config.timeout, config.window);
        let timing = Timing {
            enquire_link: config.enquire_link,
            timeout,
        };
        let pace = Pace::new(config.max_per_second);
        let keeper = Keeper {
            connector: Connector::new(config)?,
            tracker: Tracker::new(clock),
            window,
            timing,
        };
        Ok(Self {
            link: Link::new(keeper),
            source,
            messages,
            timeout,
            pace,
            references: References::new(),
        })
    }

    /// The delivery reports; they are handed out once. Receipts are asked for from then
    /// on and while the receiver is there, for messages with a `report_token`, unless the
    /// configuration says `transmitter_only`.
    pub fn reports(&self) -> Option<mpsc::Receiver<Report>> {
        self.link.keeper().tracker.reports()
    }

    /// Binds on a connection of its own and asks for a sign of life, without sending
    /// anything: for an operator's check of the configuration.
    ///
    /// # Errors
    /// [`SmppCheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self) -> Result<(), SmppCheckError> {
        check::check(self.link.keeper()).await
    }

    /// Takes leave of the message centre (`unbind`), and delivers nothing any more.
    /// Dropping does the same in the background, as long as the runtime lives.
    pub async fn close(&self) {
        self.link.close().await;
    }

    async fn send(
        &self,
        submission: &Submission,
        message: &Message<'_>,
        tickets: &[Arc<Ticket>],
    ) -> Result<Receipt, Failed> {
        let age = Stopwatch::start();
        let session = self.link.session(self.timeout).await;
        let session = session.map_err(|failure| Failed::NotSent(failure.for_caller()))?;
        let part = self.tracked(submission, message);
        let mut receipt = Receipt::new("smpp");
        for (index, ticket) in tickets.iter().enumerate() {
            self.pace.turn().await;
            let left = message.expires_in.saturating_sub(age.elapsed().as_secs());
            let pdu = submission.part(index, left, part.is_some());
            // A code that has died on the way helps nobody.
            let pdu = pdu.filter(|_| left > 0).ok_or(Failed::Cut)?;
            let answer = session.submit(pdu, ticket, part.clone()).await;
            let answer = answer.map_err(|_| Failed::Cut)?;
            match answer.status {
                CommandStatus::EsmeRok => {}
                refused if index == 0 => return Err(Failed::NotSent(refusal(refused))),
                refused => return Err(Failed::NotSent(refusal(refused).may_have_left())),
            }
            if let (0, Some(id)) = (index, answer.message_id) {
                receipt = receipt.with_reference(&id);
            }
        }
        Ok(receipt)
    }

    /// The message's place among those that wait for receipts, if it has one.
    fn tracked(&self, submission: &Submission, message: &Message<'_>) -> Option<Part> {
        let keeper = self.link.keeper();
        let token = message
            .report_token
            .filter(|_| keeper.connector.receives())?;
        let parts = submission.parts();
        keeper.tracker.message(token, parts, message.expires_in)
    }
}

/// Why a message was not taken whole.
enum Failed {
    /// All is known about it.
    NotSent(DeliverError),
    /// It was cut off: what has left is for the tickets to say.
    Cut,
}

#[async_trait]
impl Deliverer for Smpp {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let refused = DeliverError::permanent(Permanent::Refused);
        let destination = Address::number(message.destination.exact())
            .ok_or(DeliverError::permanent(Permanent::InvalidDestination))?;
        let text = Zeroizing::new(self.messages.sms(&message).map_err(|_| refused)?);
        let submission = Submission::new(&self.source, destination, &text, &self.references);
        let submission = submission.ok_or(refused)?;
        let tickets: Vec<_> = (0..submission.parts()).map(|_| Arc::default()).collect();
        let sending = self.send(&submission, &message, &tickets);
        match tokio::time::timeout(self.timeout, sending).await {
            Ok(Ok(receipt)) => Ok(receipt),
            Ok(Err(Failed::NotSent(error))) => Err(error),
            // What can be taken back has not left, and will not.
            Ok(Err(Failed::Cut)) | Err(_) if tickets.iter().all(|ticket| ticket.withdraw()) => {
                Err(DeliverError::transient())
            }
            Ok(Err(Failed::Cut)) | Err(_) => Err(DeliverError::transient().may_have_left()),
        }
    }
}

impl fmt::Debug for Smpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smpp")
            .field("server", &self.link.keeper().connector.server())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
