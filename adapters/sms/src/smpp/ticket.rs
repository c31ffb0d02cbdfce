//! Whether a submit was handed to the connection: the one thing that a delivery must know
//! when it is cut off, and that the writer must know when nobody waits any more.

use std::sync::atomic::{AtomicU8, Ordering};

const QUEUED: u8 = 0;
const BEGUN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// The place of one submit in the queue.
///
/// Either the writer begins it or the delivery withdraws it, never both: so a message
/// that was reported as not sent cannot leave a moment later.
#[derive(Debug, Default)]
pub(super) struct Ticket(AtomicU8);

impl Ticket {
    /// Says that the first octet is about to be written; false if it was withdrawn.
    ///
    /// From here on the message may have left. The last octet would be the exact
    /// moment, but behind TLS nobody can tell when that is out.
    pub(super) fn begin(&self) -> bool {
        self.settle(BEGUN) == BEGUN
    }

    /// Takes the submit back; false if writing has begun, and the message may have left.
    pub(super) fn withdraw(&self) -> bool {
        self.settle(WITHDRAWN) == WITHDRAWN
    }

    #[cfg(test)]
    pub(super) fn is_queued(&self) -> bool {
        self.0.load(Ordering::SeqCst) == QUEUED
    }

    /// Moves on from the queue if that is still possible; returns where it is then.
    fn settle(&self, next: u8) -> u8 {
        let moved = self
            .0
            .compare_exchange(QUEUED, next, Ordering::SeqCst, Ordering::SeqCst);
        moved.map_or_else(|now| now, |_| next)
    }
}

#[cfg(test)]
mod tests {
    use super::Ticket;

    #[test]
    fn it_is_begun_or_withdrawn_and_never_both() {
        let ticket = Ticket::default();
        assert!(ticket.begin());
        assert!(!ticket.withdraw());
        assert!(ticket.begin());

        let ticket = Ticket::default();
        assert!(ticket.withdraw() && ticket.withdraw());
        assert!(!ticket.begin());
    }
}
