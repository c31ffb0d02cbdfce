//! One bound connection, as those who submit see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::Stopwatch;
use rusmpp::pdus::SubmitSm;
use rusmpp::{CommandId, CommandStatus, Pdu};
use tokio::sync::{Semaphore, mpsc, oneshot};
use zeroize::Zeroizing;

use super::frame::octets;
use super::ticket::Ticket;
use super::tracker::Part;
use super::waiting::{Answer, Expected, Waiting};

/// PDUs that wait for the writer. It is the window that bounds submits; this bounds our
/// answers to a message centre that asks and does not read.
const QUEUE: usize = 64;

/// A bound connection.
pub(super) struct Session {
    queue: mpsc::Sender<Outgoing>,
    pub(super) waiting: Waiting,
    window: Arc<Semaphore>,
    useful: AtomicBool,
}

/// A PDU on its way out.
pub(super) struct Outgoing {
    pub(super) octets: Zeroizing<Vec<u8>>,
    /// A submit's, by which it can still be withdrawn.
    pub(super) ticket: Option<Arc<Ticket>>,
    /// Nothing is written after this one.
    pub(super) is_last: bool,
}

/// The connection ended, or was about to, before there was an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unanswered;

impl Session {
    /// A connection on which up to `window` submits may wait for their answers, and the
    /// queue for its writer.
    pub(super) fn new(window: usize, first: u32) -> (Arc<Self>, mpsc::Receiver<Outgoing>) {
        let (queue, outgoing) = mpsc::channel(QUEUE);
        let session = Self {
            queue,
            waiting: Waiting::new(first),
            window: Arc::new(Semaphore::new(window)),
            useful: AtomicBool::new(false),
        };
        (Arc::new(session), outgoing)
    }

    /// Submits one part, as soon as the window has a place, and waits for the answer.
    /// A submit whose caller goes away before it is written is never written.
    pub(super) async fn submit(
        &self,
        pdu: SubmitSm,
        ticket: &Arc<Ticket>,
        part: Option<Part>,
    ) -> Result<Answer, Unanswered> {
        let place = Arc::clone(&self.window).acquire_owned().await;
        let (answer, told) = oneshot::channel();
        let expected = Expected {
            answer,
            by: CommandId::SubmitSmResp,
            part,
            _place: Some(place.map_err(|_| Unanswered)?),
            since: Stopwatch::start(),
        };
        self.ask(pdu.into(), expected, Some(ticket), told).await
    }

    /// Asks whether the message centre is still there.
    pub(super) async fn enquire(&self) -> Result<Answer, Unanswered> {
        self.plain(Pdu::EnquireLink, CommandId::EnquireLinkResp)
            .await
    }

    /// Takes leave. No further submit begins.
    pub(super) async fn unbind(&self) -> Result<Answer, Unanswered> {
        self.window.close();
        self.plain(Pdu::Unbind, CommandId::UnbindResp).await
    }

    async fn plain(&self, pdu: Pdu, by: CommandId) -> Result<Answer, Unanswered> {
        let (answer, told) = oneshot::channel();
        let expected = Expected {
            answer,
            by,
            part: None,
            _place: None,
            since: Stopwatch::start(),
        };
        self.ask(pdu, expected, None, told).await
    }

    async fn ask(
        &self,
        pdu: Pdu,
        expected: Expected,
        ticket: Option<&Arc<Ticket>>,
        told: oneshot::Receiver<Answer>,
    ) -> Result<Answer, Unanswered> {
        let sequence = self.waiting.insert(expected).ok_or(Unanswered)?;
        let _unless_written = Withdrawal {
            waiting: &self.waiting,
            sequence,
            ticket,
        };
        let outgoing = Outgoing {
            octets: octets(CommandStatus::EsmeRok, sequence, pdu),
            ticket: ticket.cloned(),
            is_last: false,
        };
        self.queue.send(outgoing).await.map_err(|_| Unanswered)?;
        told.await.map_err(|_| Unanswered)
    }

    /// Answers a request of the message centre.
    pub(super) async fn reply(&self, status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) {
        self.say(status, sequence, pdu.into(), false).await;
    }

    /// Answers, and ends the connection once that is written.
    pub(super) async fn last_reply(&self, status: CommandStatus, sequence: u32, pdu: Pdu) {
        self.window.close();
        self.say(status, sequence, pdu, true).await;
    }

    async fn say(&self, status: CommandStatus, sequence: u32, pdu: Pdu, is_last: bool) {
        let outgoing = Outgoing {
            octets: octets(status, sequence, pdu),
            ticket: None,
            is_last,
        };
        // When the writer has ended, the connection has, and its end is told elsewhere.
        let _ = self.queue.send(outgoing).await;
    }

    /// Whether a submit can begin.
    pub(super) fn is_open(&self) -> bool {
        !self.window.is_closed() && self.waiting.is_open()
    }

    /// Ends it for all who wait.
    pub(super) fn close(&self) {
        self.window.close();
        self.waiting.close();
    }

    /// Notes that a request was answered.
    pub(super) fn was_useful(&self) {
        self.useful.store(true, Ordering::Relaxed);
    }

    /// Whether any request was answered after the bind.
    pub(super) fn is_useful(&self) -> bool {
        self.useful.load(Ordering::Relaxed)
    }
}

/// Takes a request out again when its caller goes away before it is written. One that was
/// written keeps its place in the window until the answer comes.
struct Withdrawal<'s> {
    waiting: &'s Waiting,
    sequence: u32,
    ticket: Option<&'s Arc<Ticket>>,
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        if self.ticket.is_none_or(|ticket| ticket.withdraw()) {
            self.waiting.forget(self.sequence);
        }
    }
}
