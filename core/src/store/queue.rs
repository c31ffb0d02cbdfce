//! Steps that wait for one key, taken together.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::error::StoreError;
use crate::record::{Effect, RecordKey, Step};
use crate::store::SessionStore;
use crate::store::round::Round;
use crate::store::seat::{Seat, State, Turn};

/// Where the steps of one process wait for each other, key by key.
///
/// Whoever finds nobody at a key leads: takes all steps that wait there, loads once,
/// takes them in order, swaps once, and hands each its own effect; then the next one in
/// line leads. So a hot record costs few swaps and refuses nobody. It needs no runtime
/// and no task of its own: each caller's future does its part when it is polled.
///
/// A future may be dropped at any time. A step that nobody had taken is gone then, one
/// that was taken may be charged. Those whose leader was dropped while its swap was under
/// way get [`StoreError::Indeterminate`]; all others go on.
#[derive(Debug, Default)]
pub struct StepQueue {
    lines: Mutex<Lines>,
}

/// A key has a line as long as somebody leads there.
pub(super) type Lines = HashMap<RecordKey, VecDeque<Arc<Seat>>>;

impl StepQueue {
    /// An empty queue. A store holds one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `step`, together with whatever else waits for `key`.
    ///
    /// # Errors
    /// As [`apply_once`](super::apply_once), and [`StoreError::Indeterminate`] when
    /// another caller that was writing this step with its own was dropped.
    pub async fn apply<S: SessionStore + ?Sized>(
        &self,
        store: &S,
        key: RecordKey,
        step: &Step,
    ) -> Result<Effect, StoreError> {
        let place = Place {
            queue: self,
            key,
            seat: self.join(key, step),
        };
        loop {
            match place.seat.turn().await {
                Turn::Take(answer) => return answer,
                Turn::Lead => Round::new(self, key, &place.seat).lead(store).await,
            }
        }
    }

    /// Whether somebody is at work for this key.
    #[must_use]
    pub fn is_busy(&self, key: RecordKey) -> bool {
        self.lock().contains_key(&key)
    }

    /// For how many keys somebody is at work.
    #[must_use]
    pub fn busy_keys(&self) -> usize {
        self.lock().len()
    }

    fn join(&self, key: RecordKey, step: &Step) -> Arc<Seat> {
        let seat = Arc::new(Seat::new(step.clone()));
        match self.lock().entry(key) {
            Entry::Occupied(mut line) => line.get_mut().push_back(Arc::clone(&seat)),
            Entry::Vacant(line) => {
                // Nobody can be waiting on a seat that was made just now.
                drop(seat.call());
                line.insert(VecDeque::from([Arc::clone(&seat)]));
            }
        }
        seat
    }

    /// Seats enter a line, leave it and are called under this lock alone. It is poisoned
    /// by nothing that runs under it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls the next in line to lead, or closes the line.
#[must_use]
pub(super) fn call_next(lines: &mut Lines, key: RecordKey) -> Option<Waker> {
    if let Some(next) = lines.get(&key).and_then(VecDeque::front) {
        return next.call();
    }
    lines.remove(&key);
    None
}

/// Wakes, with no lock held: a waker may run anything.
pub(super) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

/// One caller's place in a line, given up when its future ends or is dropped.
struct Place<'q> {
    queue: &'q StepQueue,
    key: RecordKey,
    seat: Arc<Seat>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.seat.is_gone() {
            return;
        }
        let mut lines = self.queue.lock();
        let stood = self.seat.leave();
        if let (State::Waiting | State::Called, Some(line)) = (&stood, lines.get_mut(&self.key)) {
            line.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        }
        let called = match stood {
            State::Called => call_next(&mut lines, self.key),
            _ => None,
        };
        drop(lines);
        wake_all(called);
    }
}
