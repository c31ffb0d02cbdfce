//! Where one step waits for its effect: a hand-written oneshot.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::error::StoreError;
use crate::record::{Effect, Step};
use crate::store::patience::Patience;

pub(super) type Answer = Result<Effect, StoreError>;

/// A step in the queue.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) step: Step,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    waker: Option<Waker>,
    patience: Patience,
}

#[derive(Debug)]
pub(super) enum State {
    /// In line; nobody has looked at it.
    Waiting,
    /// In line, first, and called to lead.
    Called,
    /// In a batch.
    Taken,
    /// Answered.
    Answered(Answer),
    /// Its owner has its answer, or no longer wants one.
    Gone,
}

/// What a seat's owner is woken for.
pub(super) enum Turn {
    Lead,
    Take(Answer),
}

impl Seat {
    pub(super) fn new(step: Step) -> Self {
        let inner = Inner {
            state: State::Waiting,
            waker: None,
            patience: Patience::new(),
        };
        Self {
            step,
            inner: Mutex::new(inner),
        }
    }

    /// Waits to be called or answered. When called, the seat counts as taken at once.
    pub(super) async fn turn(&self) -> Turn {
        poll_fn(|cx| {
            let mut inner = self.lock();
            match std::mem::replace(&mut inner.state, State::Gone) {
                State::Called => {
                    inner.state = State::Taken;
                    Poll::Ready(Turn::Lead)
                }
                State::Answered(answer) => Poll::Ready(Turn::Take(answer)),
                other => {
                    inner.state = other;
                    inner.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Calls the owner to lead. Whoever gets a waker wakes it, once no lock is held.
    #[must_use]
    pub(super) fn call(&self) -> Option<Waker> {
        self.hand(State::Called)
    }

    /// Hands the owner its answer.
    #[must_use]
    pub(super) fn give(&self, answer: Answer) -> Option<Waker> {
        self.hand(State::Answered(answer))
    }

    /// Puts the seat into a batch.
    pub(super) fn take(&self) {
        self.lock().state = State::Taken;
    }

    /// Puts the seat back into its line.
    pub(super) fn put_back(&self) {
        self.lock().state = State::Waiting;
    }

    /// The owner goes; says where the seat stood.
    pub(super) fn leave(&self) -> State {
        std::mem::replace(&mut self.lock().state, State::Gone)
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.lock().state, State::Gone)
    }

    /// Counts a lost swap, and says whether there is another try.
    pub(super) fn lost(&self) -> bool {
        self.lock().patience.lost()
    }

    pub(super) fn patience(&self) -> Patience {
        self.lock().patience
    }

    fn hand(&self, state: State) -> Option<Waker> {
        let mut inner = self.lock();
        if matches!(inner.state, State::Gone) {
            return None;
        }
        inner.state = state;
        inner.waker.take()
    }

    /// A poisoned lock is taken all the same: nothing that could panic runs under it.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
