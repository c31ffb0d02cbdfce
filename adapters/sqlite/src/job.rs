//! What the writer is asked to do, and what it answers.

use countersign::record::{Effect, Step};
use countersign::store::{Incarnation, Swap};
use countersign::{RecordKey, StoreError, Timestamp, Verdict};
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
    /// An approval, which is none from this time of the store's clock on; none: it never was.
    Approval(Effect, Option<Timestamp>),
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
    /// Withholds an approval that was committed too late: its session stays used.
    pub(crate) fn committed_at(self, now: Timestamp) -> Self {
        match self {
            Self::Approval(_, until) if until.is_none_or(|until| now >= until) => {
                Self::Effect(Effect::Verdict(Verdict::Expired))
            }
            Self::Approval(effect, _) => Self::Effect(effect),
            other => other,
        }
    }
}
