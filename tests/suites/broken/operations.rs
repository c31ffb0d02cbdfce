//! The store's operations, each with the fault that is about it.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use countersign::record::{Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{Clock, RecordKey, SessionStore, StoreError};

use super::fault::Fault;
use super::rows::{Broken, Row};
use super::waiting::{at_once, suspend};

#[async_trait]
impl SessionStore for Broken {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        suspend().await;
        let key = self.place(key);
        let mut value = self.held(key);
        if let Some(stale) = self.stale.lock().unwrap().remove(&key) {
            value = stale;
        }
        if self.cut.load(Ordering::SeqCst) {
            match self.fault {
                Fault::TimeoutIsAbsent => value = None,
                _ => return Err(StoreError::unavailable("cut off")),
            }
        }
        if self.is(Fault::AbsentIsEmpty) {
            value = Some(value.unwrap_or_default());
        }
        Ok(Loaded {
            value,
            now: self.now(),
            incarnation: self.life(),
        })
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        life: Incarnation,
    ) -> Result<Swap, StoreError> {
        suspend().await;
        let key = self.place(key);
        if self.cut.load(Ordering::SeqCst) {
            let done = self.is(Fault::TimeoutIsDone);
            return if done {
                Ok(Swap::Done)
            } else {
                Err(StoreError::indeterminate("cut off"))
            };
        }
        let seen = seen.filter(|seen| !(self.is(Fault::AbsentIsEmpty) && seen.is_empty()));
        let swap = match self.fault {
            Fault::SuspendsInSwap | Fault::RacesInSwap => {
                self.compare_and_write(key, seen, &next, life).await
            }
            _ => {
                let _one_at_a_time = self.atomic.lock().unwrap();
                at_once(self.compare_and_write(key, seen, &next, life))
            }
        };
        suspend().await;
        Ok(match (self.fault, swap) {
            (Fault::SaysDoneForLost, Swap::Lost) => Swap::Done,
            (Fault::SaysLostForDone, Swap::Done) if seen.is_some() => Swap::Lost,
            (_, swap) => swap,
        })
    }

    fn queue(&self) -> Option<&StepQueue> {
        (!self.is(Fault::GivesUp)).then_some(&self.queue)
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        match self.step_wrongly(key, step).await {
            Some(answer) => answer,
            None => self.queue.apply(self, key, step).await,
        }
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let live = self.is(Fault::SweepsLive);
        let max = if self.is(Fault::SweepsAll) {
            usize::MAX
        } else {
            max
        };
        let garbage = |row: &Row| row.garbage_after.is_some_and(|at| live || at <= now);
        let found: Vec<_> = {
            let rows = self.rows.lock().unwrap();
            rows.iter()
                .filter(|(_, row)| garbage(row))
                .map(|(key, _)| *key)
                .take(max)
                .collect()
        };
        for _ in 0..4 {
            suspend().await;
        }
        let mut rows = self.rows.lock().unwrap();
        let mut removed = 0;
        for key in found {
            let renewed = rows.get(&key).is_none_or(|row| !garbage(row));
            if !renewed || self.is(Fault::SweepsRenewed) {
                removed += usize::from(rows.remove(&key).is_some());
            }
        }
        Ok(removed)
    }

    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let mut keys: Vec<_> = self.rows.lock().unwrap().keys().copied().collect();
        keys.retain(|key| after.is_none_or(|after| *key > after));
        keys.sort_unstable();
        keys.truncate(max);
        if self.is(Fault::ScanSkips) && keys.len() > 2 {
            keys.remove(1);
        }
        Ok(keys)
    }

    fn durability(&self) -> Durability {
        match self.fault {
            Fault::ForgetsWhenClosed | Fault::NeverSyncs => Durability::PowerLoss,
            Fault::DiesWithItsProcess => Durability::Crash,
            Fault::Unfenced => Durability::Forgetful,
            _ => Durability::Process,
        }
    }
}
