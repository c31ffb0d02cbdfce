//! The storage contract: bytes under a key, changed atomically.

use std::fmt;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::record::{Effect, RecordKey, Step};

mod apply;
mod batch;
mod patience;
mod queue;
mod round;
mod seat;
#[cfg(test)]
pub(crate) mod tests;

pub use apply::apply_once;
pub use batch::Batch;
pub use queue::StepQueue;

/// One uninterrupted life of a store. A crash that may have lost acknowledged writes
/// starts another; zero stands for a store without a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Incarnation(u64);

impl Incarnation {
    /// No fence: sessions outlive every crash, and so may codes already used.
    pub const UNFENCED: Self = Self(0);

    /// The incarnation of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What a store holds under a key, with its clock and its life, all three read at once.
///
/// Asked apart, a reconnect in between would stamp a session with the wrong incarnation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it, and must give all of it"
)]
pub struct Loaded {
    /// The value's bytes, if there is one.
    pub value: Option<Vec<u8>>,
    /// The store's time.
    pub now: Timestamp,
    /// The store's life.
    pub incarnation: Incarnation,
}

/// A value to write.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores take it apart")]
pub struct Entry<'a> {
    /// The bytes, at most 1 KiB.
    pub bytes: &'a [u8],
    /// From when on the value means nothing and may be swept; none means never. Garbage
    /// collection only: no decision hangs on it.
    pub garbage_after: Option<Timestamp>,
}

/// Whether a swap happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no third outcome but an error"
)]
pub enum Swap {
    /// The value was as seen and has been replaced, durably as declared.
    Done,
    /// The value, or the store's life, was another than seen; nothing was changed.
    Lost,
}

/// How much an acknowledged write survives; the weakest part counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Durability {
    /// Gone with the process.
    Process,
    /// May forget the last writes in a crash; a fence then ends the sessions.
    Forgetful,
    /// Survives a crash of its process, not a loss of power.
    Crash,
    /// Survives a loss of power.
    PowerLoss,
}

#[doc = include_str!("store/contract.md")]
#[async_trait]
pub trait SessionStore: Send + Sync + fmt::Debug {
    /// Reads the value under `key`, with the store's time and life.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot tell; never an absent value in its place.
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError>;

    /// Replaces the value under `key` by `next` if it still is `seen` (`None`: absent)
    /// and the store's life still is `incarnation`.
    ///
    /// # Errors
    /// [`StoreError::Indeterminate`] when the write may have happened.
    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError>;

    /// Where steps that wait for the same key in this process queue up, to be taken in
    /// one load and one swap. Without it a hot record refuses some of its callers. A
    /// store that overrides [`apply`](Self::apply) needs none.
    fn queue(&self) -> Option<&StepQueue> {
        None
    }

    /// Takes one step on the record under `key`.
    ///
    /// Provided: a bounded load–step–swap loop. Override it only where the same pure
    /// function runs next to the data.
    ///
    /// # Errors
    /// [`StoreError`]; then no approval may be derived from the step.
    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        match self.queue() {
            Some(queue) => queue.apply(self, key, step).await,
            None => apply_once(self, key, step).await,
        }
    }

    /// The same, where it can be told at once, without waiting for anything; none where it
    /// cannot, and then nothing was done. It saves the callers of a store in their own
    /// memory a future for each step, and the step is made when the store wants it: while
    /// the record is on its way from memory.
    fn apply_now(
        &self,
        key: RecordKey,
        make: &dyn Fn() -> Step,
    ) -> Option<Result<Effect, StoreError>> {
        let _ = (key, make);
        None
    }

    /// Removes at most `max` values whose `garbage_after` has passed (it is now, or was),
    /// each only if it is still the value that was seen, and says how many.
    ///
    /// It need not find all of them at once, if calling it again and again does; zero does
    /// not mean that there is no more. A swap may move a value's `garbage_after`, either
    /// way.
    ///
    /// # Errors
    /// [`StoreError`]; sweeping is tried again later.
    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let _ = max;
        Ok(0)
    }

    /// At most `max` keys after `after`, in a stable order, for listings. Any order does in
    /// which `after` alone says where to go on, such as that of the keys' bytes.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] unless the store can list.
    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let _ = (after, max);
        Err(StoreError::Unsupported("list its keys"))
    }

    /// Whether the store can be reached and written to.
    ///
    /// # Errors
    /// [`StoreError`] that says what is wrong.
    async fn ping(&self) -> Result<(), StoreError> {
        self.load(RecordKey::SCRATCH).await.map(drop)
    }

    /// How much an acknowledged write survives.
    fn durability(&self) -> Durability {
        Durability::Process
    }
}
