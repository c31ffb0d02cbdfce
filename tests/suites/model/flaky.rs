//! A store of load and swap only, whose swaps go wrong when told, and which knows what
//! it really wrote.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign::store::{Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{MemoryStore, RecordKey, SessionStore, StoreError};

use super::act::Fault;

#[derive(Debug)]
pub(crate) struct Flaky {
    inner: Arc<MemoryStore>,
    queue: StepQueue,
    plan: Mutex<Plan>,
}

#[derive(Debug)]
struct Plan {
    fault: Fault,
    skip: usize,
    /// Whether the process is dead: whoever waits is to be dropped.
    dead: bool,
    swaps: Vec<Written>,
}

/// What became of a swap that was not lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    No,
    Unacknowledged,
    Acknowledged,
}

impl Flaky {
    pub(crate) fn over(inner: Arc<MemoryStore>) -> Self {
        let plan = Plan {
            fault: Fault::None,
            skip: 0,
            dead: false,
            swaps: Vec::new(),
        };
        Self {
            inner,
            queue: StepQueue::new(),
            plan: Mutex::new(plan),
        }
    }

    /// Forgets what was written so far, and plans the next fault.
    pub(crate) fn arm(&self, fault: Fault, skip: usize) {
        *self.plan() = Plan {
            fault,
            skip,
            dead: false,
            swaps: Vec::new(),
        };
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.plan().dead
    }

    /// The swaps since the last arming.
    pub(crate) fn swaps(&self) -> Vec<Written> {
        self.plan().swaps.clone()
    }

    pub(crate) fn busy_keys(&self) -> usize {
        self.queue.busy_keys()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self) -> Fault {
        let mut plan = self.plan();
        if plan.skip > 0 {
            plan.skip -= 1;
            return Fault::None;
        }
        std::mem::replace(&mut plan.fault, Fault::None)
    }

    async fn die(&self) -> Result<Swap, StoreError> {
        self.plan().dead = true;
        pending().await
    }
}

#[async_trait]
impl SessionStore for Flaky {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.inner.load(key).await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let fault = self.next_fault();
        match fault {
            Fault::Lost => return Ok(Swap::Lost),
            Fault::AnswerLostUnwritten | Fault::DiesBefore => {
                self.plan().swaps.push(Written::No);
            }
            Fault::None | Fault::AnswerLostWritten | Fault::DiesAfter => {
                if self.inner.swap(key, seen, next, incarnation).await? == Swap::Lost {
                    return Ok(Swap::Lost);
                }
                let written = if fault == Fault::None {
                    Written::Acknowledged
                } else {
                    Written::Unacknowledged
                };
                self.plan().swaps.push(written);
            }
        }
        match fault {
            Fault::DiesBefore | Fault::DiesAfter => self.die().await,
            Fault::None => Ok(Swap::Done),
            _ => Err(StoreError::indeterminate("the model lost the answer")),
        }
    }

    fn queue(&self) -> Option<&StepQueue> {
        Some(&self.queue)
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.inner.sweep(max).await
    }
}
