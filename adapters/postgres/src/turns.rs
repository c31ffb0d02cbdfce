//! Checks that wait for one another share a transaction.
//!
//! A transaction has a price of its own, whatever it does: its statements, the clock, the
//! disk. So only a few are under way at a time, and checks that come meanwhile are made
//! together in the next one. Who comes alone waits for nobody.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign::record::{Effect, Step};
use countersign::store::{Batch, Loaded, Swap};
use countersign::{RecordKey, Stopwatch, StoreError};
use tokio::sync::oneshot;

use crate::backend::Backend;
use crate::options::Options;
use crate::transaction::{Held, Write};

/// So many transactions at a time: the server works for one while the disk syncs another.
const TURNS: usize = 4;

/// Most checks in one transaction, so that the first of them does not wait for ever.
const MOST: usize = 64;

/// What has become of a check.
pub(crate) enum Told {
    Effect(Effect),
    /// Nothing: its row is not there, or locked by others. It is to be made alone, for it
    /// may have to wait, and nobody else shall wait with it.
    Nothing,
}

type Answer = Result<Told, StoreError>;

/// Who has a turn, and who waits for one.
pub(crate) struct Turns {
    backend: Arc<Backend>,
    patience: Duration,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    turns: usize,
    waiting: VecDeque<Waiting>,
}

/// A check, and where its answer goes. Nobody may be waiting for it any more.
struct Waiting {
    key: RecordKey,
    step: Step,
    reply: oneshot::Sender<Answer>,
}

/// Those who wait for one record, in the order in which they came.
type Crowd = Vec<Waiting>;

impl Turns {
    pub(crate) fn new(backend: &Arc<Backend>, options: &Options) -> Arc<Self> {
        Arc::new(Self {
            backend: Arc::clone(backend),
            // A connection and two answers; and the same for those who had the turn before.
            patience: (options.acquire_timeout + options.statement_timeout * 2) * 2,
            queue: Mutex::default(),
        })
    }

    pub(crate) async fn check(self: &Arc<Self>, key: RecordKey, step: &Step) -> Answer {
        let (reply, answer) = oneshot::channel();
        let step = step.clone();
        if self.join(Waiting { key, step, reply }) {
            // In a task of its own: a caller that is dropped leaves no transaction open.
            tokio::spawn(Turn(Some(Arc::clone(self))).work());
        }
        match tokio::time::timeout(self.patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::indeterminate("the runtime is shutting down")),
            Err(_) => Err(StoreError::indeterminate(format!(
                "PostgreSQL did not answer within {} ms",
                self.patience.as_millis()
            ))),
        }
    }

    /// Whether there is a turn to be had.
    fn join(&self, one: Waiting) -> bool {
        let mut queue = self.queue();
        queue.waiting.push_back(one);
        let free = queue.turns < TURNS;
        queue.turns += usize::from(free);
        free
    }

    /// Those who have waited longest; none gives the turn back, before anybody can join.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        // Who has given up was never sent.
        queue.waiting.retain(|one| !one.reply.is_closed());
        let most = queue.waiting.len().min(MOST);
        if most == 0 {
            queue.turns -= 1;
            return None;
        }
        Some(queue.waiting.drain(..most).collect())
    }

    /// Poisoned by nothing that runs under it.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have a transaction, until it is given back.
struct Turn(Option<Arc<Turns>>);

impl Turn {
    /// Makes checks as long as anybody waits. Those of a crowd who have just been answered
    /// come first: if they have another check, it is made together with the others.
    async fn work(mut self) {
        while let Some(turns) = &self.0 {
            let Some(waiting) = turns.next() else {
                self.0 = None;
                return;
            };
            let crowd = waiting.len() > 1;
            together(&turns.backend, waiting).await;
            if crowd {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// A runtime that shuts down drops it half-way.
impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = &self.0 {
            turns.queue().turns -= 1;
        }
    }
}

/// One transaction for all of them.
async fn together(backend: &Arc<Backend>, waiting: Vec<Waiting>) {
    let mut crowds: HashMap<RecordKey, Crowd> = HashMap::new();
    for one in waiting {
        crowds.entry(one.key).or_default().push(one);
    }
    let since = Stopwatch::start();
    let held = match Held::free(Arc::clone(backend), crowds.keys().copied()).await {
        Ok(held) => held,
        Err(error) => return crowds.into_values().for_each(|crowd| fail(crowd, &error)),
    };
    let (mut writes, mut batches) = (Vec::new(), Vec::new());
    for (key, crowd) in crowds {
        match fold(&held, since, key, &crowd) {
            Some(Ok(batch)) => {
                writes.extend(batch.next().map(|next| Write::new(key, next)));
                batches.push((crowd, batch));
            }
            Some(Err(error)) => fail(crowd, &error),
            None => nothing(crowd),
        }
    }
    let written = if writes.is_empty() {
        // Nobody need wait for the rollback.
        drop(held);
        Ok(Swap::Done)
    } else {
        match held.commit_all(&writes).await {
            Ok(Swap::Lost) => Err(StoreError::indeterminate("rows that were locked are gone")),
            written => written,
        }
    };
    for (crowd, batch) in batches {
        match &written {
            Ok(_) => tell(crowd, batch),
            Err(error) => fail(crowd, error),
        }
    }
}

/// What they make of their row; none if it is not held.
fn fold(
    held: &Held,
    since: Stopwatch,
    key: RecordKey,
    crowd: &[Waiting],
) -> Option<Result<Batch, StoreError>> {
    let loaded = Loaded {
        value: Some(held.value(key)?.to_vec()),
        now: held.moment.now,
        incarnation: held.moment.incarnation,
    };
    let steps = crowd.iter().map(|one| &one.step);
    Some(Batch::fold(loaded, since, steps).map_err(StoreError::from))
}

/// A caller that has gone away needs no answer.
fn tell(crowd: Crowd, batch: Batch) {
    for (one, told) in crowd.into_iter().zip(batch.told()) {
        drop(
            one.reply
                .send(told.map(Told::Effect).map_err(StoreError::from)),
        );
    }
}

fn nothing(crowd: Crowd) {
    for one in crowd {
        drop(one.reply.send(Ok(Told::Nothing)));
    }
}

/// The same error for each of them.
fn fail(crowd: Crowd, error: &StoreError) {
    for one in crowd {
        drop(one.reply.send(Err(error.again())));
    }
}
