//! One leader's turn: a batch of steps, from the line to their effects.

use std::sync::Arc;

use crate::clock::Stopwatch;
use crate::error::{CorruptRecord, StoreError};
use crate::record::{Effect, RecordKey};
use crate::store::SessionStore;
use crate::store::batch::Batch;
use crate::store::queue::{StepQueue, call_next, wake_all};
use crate::store::seat::Seat;

/// At most so many steps in one swap, so that no caller waits for a long fold.
const MAX_STEPS: usize = 256;

/// However it ends, dropped half-way included, everybody in its batch is answered or
/// back in line, and the next in line is called.
pub(super) struct Round<'q> {
    queue: &'q StepQueue,
    key: RecordKey,
    leader: &'q Arc<Seat>,
    batch: Vec<Arc<Seat>>,
    /// Whether a swap may be under way.
    sent: bool,
}

impl<'q> Round<'q> {
    pub(super) fn new(queue: &'q StepQueue, key: RecordKey, leader: &'q Arc<Seat>) -> Self {
        Self {
            queue,
            key,
            leader,
            batch: Vec::new(),
            sent: false,
        }
    }

    pub(super) async fn lead<S: SessionStore + ?Sized>(mut self, store: &S) {
        loop {
            self.take();
            match self.attempt(store).await {
                Ok(Some(effects)) => return self.answer(effects),
                Ok(None) if self.lost() => {}
                Ok(None) => return,
                Err(error) => return self.fail(error),
            }
            self.leader.patience().jitter(self.key).await;
        }
    }

    /// Takes those who wait by now, in the order in which they came.
    fn take(&mut self) {
        let mut lines = self.queue.lock();
        let Some(line) = lines.get_mut(&self.key) else {
            return;
        };
        let free = MAX_STEPS.saturating_sub(self.batch.len()).min(line.len());
        for seat in line.drain(..free) {
            seat.take();
            self.batch.push(seat);
        }
    }

    async fn attempt<S: SessionStore + ?Sized>(
        &mut self,
        store: &S,
    ) -> Result<Option<Vec<Result<Effect, CorruptRecord>>>, StoreError> {
        let since = Stopwatch::start();
        let loaded = store.load(self.key).await?;
        let batch = Batch::fold(loaded, self.batch.iter().map(|seat| &seat.step))?;
        self.sent = batch.next().is_some();
        let settled = batch.settle(store, self.key, since).await;
        self.sent = false;
        settled
    }

    fn answer(mut self, effects: Vec<Result<Effect, CorruptRecord>>) {
        let answers = effects
            .into_iter()
            .map(|effect| effect.map_err(StoreError::from));
        let seats = std::mem::take(&mut self.batch);
        wake_all(
            seats
                .iter()
                .zip(answers)
                .filter_map(|(seat, answer)| seat.give(answer)),
        );
    }

    /// Everybody has the same error; its source goes to the leader, whose call it was.
    fn fail(mut self, error: StoreError) {
        let seats = std::mem::take(&mut self.batch);
        let others = seats.iter().filter(|seat| !Arc::ptr_eq(seat, self.leader));
        let mut wakers: Vec<_> = others
            .filter_map(|seat| seat.give(Err(error.again())))
            .collect();
        wakers.extend(self.leader.give(Err(error)));
        wake_all(wakers);
    }

    /// Answers those who have lost too often, and says whether the leader goes on.
    fn lost(&mut self) -> bool {
        let mut wakers = Vec::new();
        self.batch.retain(|seat| {
            if seat.is_gone() {
                return false;
            }
            let goes_on = seat.lost();
            if !goes_on {
                wakers.extend(seat.give(Err(StoreError::Contended)));
            }
            goes_on
        });
        wake_all(wakers);
        self.batch.iter().any(|seat| Arc::ptr_eq(seat, self.leader))
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let mut lines = self.queue.lock();
        let left = std::mem::take(&mut self.batch).into_iter();
        let mut others: Vec<_> = left
            .filter(|seat| !Arc::ptr_eq(seat, self.leader) && !seat.is_gone())
            .collect();
        let mut wakers = Vec::new();
        if self.sent {
            let reason = "the caller that wrote for several was cancelled";
            let unknown = || Err(StoreError::indeterminate(reason));
            wakers.extend(others.drain(..).filter_map(|seat| seat.give(unknown())));
        }
        if let Some(line) = lines.get_mut(&self.key) {
            for seat in others.into_iter().rev() {
                seat.put_back();
                line.push_front(seat);
            }
        }
        wakers.extend(call_next(&mut lines, self.key));
        drop(lines);
        wake_all(wakers);
    }
}
