//! A memory store that keeps the steps which pass through it: real ones, as verifiers make them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign::record::{Effect, Step};
use countersign::store::{Entry, Incarnation, Loaded, Swap};
use countersign::{MemoryStore, RecordKey, SessionStore, StoreError};

#[derive(Debug)]
pub(crate) struct Tap {
    memory: MemoryStore,
    steps: Mutex<Vec<(RecordKey, Step)>>,
}

impl Tap {
    pub(crate) fn over(memory: MemoryStore) -> Self {
        let steps = Mutex::default();
        Self { memory, steps }
    }

    /// All so far, with the keys of their records.
    pub(crate) fn steps(&self) -> MutexGuard<'_, Vec<(RecordKey, Step)>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SessionStore for Tap {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.memory.load(key).await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        self.memory.swap(key, seen, next, incarnation).await
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        self.steps().push((key, step.clone()));
        self.memory.apply(key, step).await
    }
}
