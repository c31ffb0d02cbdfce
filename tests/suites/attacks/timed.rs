//! A store whose steps are taken at the test's own time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use countersign::record::{Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{Clock, FakeClock, RecordKey, SessionStore, StoreError};

/// Puts its clock's time into every step and hands all on, so that a store with a clock
/// of its own can be taken through a day in a second.
#[derive(Debug)]
pub(crate) struct Timed {
    inner: Arc<dyn SessionStore>,
    clock: Arc<FakeClock>,
    steps: AtomicUsize,
}

impl Timed {
    pub(crate) fn over(inner: Arc<dyn SessionStore>, clock: Arc<FakeClock>) -> Self {
        let steps = AtomicUsize::new(0);
        Self {
            inner,
            clock,
            steps,
        }
    }

    /// How many steps it was asked to take.
    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl SessionStore for Timed {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let mut loaded = self.inner.load(key).await?;
        loaded.now = self.clock.now();
        Ok(loaded)
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        self.inner.swap(key, seen, next, incarnation).await
    }

    fn queue(&self) -> Option<&StepQueue> {
        self.inner.queue()
    }

    /// The store's own `apply` is what is tried, not the one over `load` and `swap`.
    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        self.steps.fetch_add(1, Ordering::SeqCst);
        let mut step = step.clone();
        step.at = Some(self.clock.now());
        self.inner.apply(key, &step).await
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.inner.sweep(max).await
    }

    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        self.inner.scan(after, max).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}
