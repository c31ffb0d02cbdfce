//! A process that dies at one step of its work: what it asked of its store was done or was
//! not, and nobody hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use countersign::record::{Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{
    DeliverError, Deliverer, Message, Receipt, RecordKey, Recorder, SessionStore, StoreError,
};
use tokio::sync::Notify;

/// When it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Before the n-th step is taken, the first of which is 0.
    Before(usize),
    /// When the n-th step was taken, before anybody hears of it.
    After(usize),
    Never,
}

/// One life of a process: the steps that it has taken, of its store and its deliverer in
/// one row, and its end.
#[derive(Debug)]
pub(crate) struct Life {
    death: Death,
    steps: AtomicUsize,
    dead: Notify,
}

impl Life {
    pub(crate) fn until(death: Death) -> Arc<Self> {
        Arc::new(Self {
            death,
            steps: AtomicUsize::new(0),
            dead: Notify::new(),
        })
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Ordering::SeqCst)
    }

    /// What the process did until its end, or none if it died.
    pub(crate) async fn of<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.dead.notified() => None,
        }
    }

    async fn step<T>(&self, work: impl Future<Output = T>) -> T {
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        if self.death == Death::Before(step) {
            return self.die().await;
        }
        let done = work.await;
        if self.death == Death::After(step) {
            return self.die().await;
        }
        done
    }

    async fn die<T>(&self) -> T {
        self.dead.notify_one();
        std::future::pending().await
    }
}

/// Something that a process works with.
#[derive(Debug)]
pub(crate) struct Mortal<T> {
    pub(crate) inner: T,
    pub(crate) life: Arc<Life>,
}

#[async_trait]
impl SessionStore for Mortal<Arc<dyn SessionStore>> {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.life.step(self.inner.load(key)).await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let swap = self.inner.swap(key, seen, next, incarnation);
        self.life.step(swap).await
    }

    fn queue(&self) -> Option<&StepQueue> {
        self.inner.queue()
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        self.life.step(self.inner.apply(key, step)).await
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

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}

#[async_trait]
impl Deliverer for Mortal<Arc<Recorder>> {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        self.life.step(self.inner.deliver(message)).await
    }
}
