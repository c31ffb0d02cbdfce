//! A store whose steps are taken at the test's own time.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use countersign::record::{Action, Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{Clock, FakeClock, RecordKey, SessionStore, StoreError};

/// Puts its clock's time into every step and hands all on, so that a store with a clock
/// of its own can be taken through a day in a second.
#[derive(Debug)]
pub(crate) struct Timed {
    inner: Arc<dyn SessionStore>,
    clock: Arc<FakeClock>,
    steps: AtomicUsize,
    counts: Arc<Counts>,
}

/// What went through the stores of one row.
#[derive(Debug, Default)]
struct Counts {
    guesses: AtomicUsize,
    approvals: AtomicUsize,
    messages: AtomicUsize,
}

thread_local! {
    /// Those of the row that this thread runs: a row makes its stores on its own thread.
    static OF_THIS_ROW: RefCell<Arc<Counts>> = RefCell::default();
}

/// What a row's stores have seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Guesses that reached a store.
    pub(crate) guesses: usize,
    /// Effects that approve one.
    pub(crate) approvals: usize,
    /// Messages that a store allowed to leave.
    pub(crate) messages: usize,
}

impl Seen {
    /// Begins to count for another row.
    pub(crate) fn begin() {
        OF_THIS_ROW.set(Arc::default());
    }

    pub(crate) fn so_far() -> Self {
        let counts = OF_THIS_ROW.with_borrow(Arc::clone);
        Self {
            guesses: counts.guesses.load(Ordering::SeqCst),
            approvals: counts.approvals.load(Ordering::SeqCst),
            messages: counts.messages.load(Ordering::SeqCst),
        }
    }
}

impl Counts {
    fn add(&self, step: &Step, effect: &Effect) {
        let one = |counter: &AtomicUsize, so: bool| {
            counter.fetch_add(usize::from(so), Ordering::SeqCst);
        };
        one(&self.guesses, matches!(step.action, Action::Check(_)));
        one(&self.approvals, effect.is_approval());
        one(&self.messages, matches!(effect, Effect::Granted(_)));
    }
}

impl Timed {
    pub(crate) fn over(inner: Arc<dyn SessionStore>, clock: Arc<FakeClock>) -> Self {
        Self {
            inner,
            clock,
            steps: AtomicUsize::new(0),
            counts: OF_THIS_ROW.with_borrow(Arc::clone),
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
        let effect = self.inner.apply(key, &step).await?;
        self.counts.add(&step, &effect);
        Ok(effect)
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
