//! What the writer is asked to do, and what it answers.

use countersign::record::{Effect, Step};
use countersign::store::{Batch, Incarnation, Swap};
use countersign::{RecordKey, StoreError, Timestamp};
use tokio::sync::oneshot;

/// Work, and where its answer goes. The answer's receiver may be gone: the work is done
/// all the same.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<Done, StoreError>>,
}

/// One thing to do in the writer's transaction.
#[derive(Debug)]
pub(crate) enum Work {
    /// Take a step.
    Apply { key: RecordKey, step: Box<Step> },
    /// Replace a value if it is as seen.
    Swap {
        key: RecordKey,
        seen: Option<Vec<u8>>,
        bytes: Vec<u8>,
        garbage_after: Option<Timestamp>,
        incarnation: Incarnation,
    },
    /// Look at so many rows and remove at most so many.
    Sweep { look: usize, max: usize },
    /// Write something that means nothing.
    Ping,
}

/// What was done, once it is committed.
#[derive(Debug)]
pub(crate) enum Done {
    Effect(Effect),
    /// A step whose effect nobody may be told yet.
    Step(Batch),
    Swap(Swap),
    Sweep(Chunk),
    Ping,
}

/// What one chunk of a sweep did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    pub(crate) looked: usize,
    pub(crate) removed: usize,
    pub(crate) end: bool,
}

impl Done {
    /// Tells what a step found, now that it is committed.
    pub(crate) fn committed_at(self, now: Timestamp) -> Result<Self, StoreError> {
        match self {
            Self::Step(batch) => match batch.told(now).pop() {
                Some(effect) => Ok(Self::Effect(effect?)),
                None => Err(unexpected()),
            },
            other => Ok(other),
        }
    }
}

/// What the writer answers to other work than was asked.
pub(crate) fn unexpected() -> StoreError {
    StoreError::indeterminate("the writer answered other work than it was given")
}
