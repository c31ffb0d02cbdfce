//! Requests that wait for their answers, by sequence number.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign::Stopwatch;
use rusmpp::{CommandId, CommandStatus};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::tracker::Part;

/// The largest sequence number (SMPP 3.4, 3.2).
const LAST: u32 = 0x7fff_ffff;

/// What the message centre said to one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: CommandStatus,
    /// Its id of the message, where it took one.
    pub(super) message_id: Option<String>,
}

/// A request that was written, or is about to be.
pub(super) struct Expected {
    /// Whom to tell.
    pub(super) answer: oneshot::Sender<Answer>,
    /// The sort of answer that fits.
    pub(super) by: CommandId,
    /// The part whose receipt is wanted. It is kept here, since the receipt may be read
    /// before the delivery wakes up, or when nobody waits for the answer any more.
    pub(super) part: Option<Part>,
    /// A place in the window. It is taken until the answer is there: a message centre
    /// that has fallen silent is not given more and more.
    pub(super) _place: Option<OwnedSemaphorePermit>,
    pub(super) since: Stopwatch,
}

/// All requests of one connection that have no answer yet.
pub(super) struct Waiting(Mutex<Inner>);

struct Inner {
    next: u32,
    /// None once the connection has ended.
    open: Option<HashMap<u32, Expected>>,
}

impl Waiting {
    /// None waits; the first request gets the sequence number `first`.
    pub(super) fn new(first: u32) -> Self {
        let open = Some(HashMap::new());
        Self(Mutex::new(Inner { next: first, open }))
    }

    /// Gives a request its sequence number; none when the connection has ended.
    pub(super) fn insert(&self, expected: Expected) -> Option<u32> {
        let mut inner = self.lock();
        let mut sequence = inner.next;
        let open = inner.open.as_mut()?;
        // At most the window and a few more wait: a free number is near.
        while open.contains_key(&sequence) {
            sequence = after(sequence);
        }
        open.insert(sequence, expected);
        inner.next = after(sequence);
        Some(sequence)
    }

    /// Takes out the request that an answer is for. A `generic_nack` answers anything.
    pub(super) fn take(&self, sequence: u32, by: CommandId) -> Option<Expected> {
        let mut inner = self.lock();
        let open = inner.open.as_mut()?;
        let fits = open.get(&sequence)?.by == by || by == CommandId::GenericNack;
        if fits { open.remove(&sequence) } else { None }
    }

    /// Forgets a request that was never written.
    pub(super) fn forget(&self, sequence: u32) {
        if let Some(open) = self.lock().open.as_mut() {
            open.remove(&sequence);
        }
    }

    /// Forgets what has waited for longer than `patience`: an answer that was swallowed
    /// would otherwise take its place in the window for ever.
    pub(super) fn give_up(&self, patience: Duration) {
        if let Some(open) = self.lock().open.as_mut() {
            open.retain(|_, expected| expected.since.elapsed() < patience);
        }
    }

    /// Ends them all: whoever waits learns that no answer will come.
    pub(super) fn close(&self) {
        self.lock().open = None;
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().open.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn after(sequence: u32) -> u32 {
    if sequence >= LAST { 1 } else { sequence + 1 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign::Stopwatch;
    use rusmpp::CommandId;
    use tokio::sync::oneshot;

    use super::{Answer, Expected, LAST, Waiting};

    fn expected(by: CommandId) -> (Expected, oneshot::Receiver<Answer>) {
        let (answer, told) = oneshot::channel();
        let expected = Expected {
            answer,
            by,
            part: None,
            _place: None,
            since: Stopwatch::start(),
        };
        (expected, told)
    }

    fn insert(waiting: &Waiting) -> Option<u32> {
        waiting.insert(expected(CommandId::SubmitSmResp).0)
    }

    #[test]
    fn sequence_numbers_wrap_and_pass_by_what_still_waits() {
        let waiting = Waiting::new(LAST - 1);
        let numbers: Vec<_> = (0..3).map(|_| insert(&waiting).unwrap()).collect();
        assert_eq!(numbers, [LAST - 1, LAST, 1]);
        waiting.0.lock().unwrap().next = LAST - 1;
        assert_eq!(insert(&waiting), Some(2));
        waiting.forget(LAST);
        waiting.0.lock().unwrap().next = LAST - 1;
        assert_eq!(insert(&waiting), Some(LAST));
    }

    #[test]
    fn an_answer_is_taken_once_and_only_by_its_own_sort() {
        let waiting = Waiting::new(1);
        for by in [CommandId::SubmitSmResp, CommandId::GenericNack] {
            let sequence = insert(&waiting).unwrap();
            assert!(waiting.take(sequence, CommandId::EnquireLinkResp).is_none());
            assert!(waiting.take(sequence + 1, by).is_none());
            assert!(waiting.take(sequence, by).is_some());
            assert!(waiting.take(sequence, by).is_none());
        }
    }

    #[test]
    fn whoever_waits_learns_that_the_connection_has_ended() {
        let waiting = Waiting::new(1);
        let (expected, mut told) = expected(CommandId::SubmitSmResp);
        waiting.insert(expected).unwrap();
        waiting.give_up(Duration::from_secs(60));
        assert!(told.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        waiting.close();
        assert!(told.try_recv() == Err(oneshot::error::TryRecvError::Closed));
        assert!(!waiting.is_open() && insert(&waiting).is_none());
    }

    #[test]
    fn what_has_waited_too_long_is_given_up() {
        let waiting = Waiting::new(1);
        let sequence = insert(&waiting).unwrap();
        waiting.give_up(Duration::ZERO);
        assert!(waiting.take(sequence, CommandId::SubmitSmResp).is_none());
    }
}
