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
use countersign::{RecordKey, Stopwatch, StoreError, Timestamp};
use deadpool_postgres::Client;
use tokio::sync::oneshot::{self, error::RecvError};

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
    /// How long a check waits for a turn.
    patience: Duration,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    turns: usize,
    came: u64,
    waiting: VecDeque<Waiting>,
}

/// A check, and where its answer goes. Nobody may be waiting for it any more.
struct Waiting {
    number: u64,
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
            patience: options.acquire_timeout,
            queue: Mutex::default(),
        })
    }

    pub(crate) async fn check(self: &Arc<Self>, key: RecordKey, step: &Step) -> Answer {
        let (reply, answer) = oneshot::channel();
        let (number, free) = self.join(key, step.clone(), reply);
        let answer = if free {
            // In a task of its own: a caller that is dropped leaves no transaction open.
            tokio::spawn(Turn(Some(Arc::clone(self))).work());
            answer.await
        } else {
            self.in_time(number, answer).await?
        };
        answer.unwrap_or_else(|_| Err(StoreError::indeterminate("the check was given up")))
    }

    /// Waits for a turn, but not for ever; and once there is one, until it ends, which it
    /// does in its own time.
    async fn in_time(
        &self,
        number: u64,
        mut answer: oneshot::Receiver<Answer>,
    ) -> Result<Result<Answer, RecvError>, StoreError> {
        match tokio::time::timeout(self.patience, &mut answer).await {
            Ok(answer) => Ok(answer),
            Err(_) if self.leaves(number) => {
                let millis = self.patience.as_millis();
                let reason = format!("PostgreSQL is busy: no turn within {millis} ms");
                Err(StoreError::unavailable(reason))
            }
            Err(_) => Ok(answer.await),
        }
    }

    /// Its number, and whether there is a turn to be had.
    fn join(&self, key: RecordKey, step: Step, reply: oneshot::Sender<Answer>) -> (u64, bool) {
        let mut queue = self.queue();
        queue.came += 1;
        let number = queue.came;
        queue.waiting.push_back(Waiting {
            number,
            key,
            step,
            reply,
        });
        let free = queue.turns < TURNS;
        queue.turns += usize::from(free);
        (number, free)
    }

    /// Whether it was still waiting: then nothing was sent for it, and nothing will be.
    fn leaves(&self, number: u64) -> bool {
        let mut queue = self.queue();
        let before = queue.waiting.len();
        queue.waiting.retain(|one| one.number != number);
        queue.waiting.len() < before
    }

    /// Whether anybody waits. If not, the turn is given back before anybody can join.
    fn goes_on(&self) -> bool {
        let mut queue = self.queue();
        let anybody = !queue.waiting.is_empty();
        queue.turns -= usize::from(!anybody);
        anybody
    }

    /// Those who have waited longest. Who has given up was never sent.
    fn next(&self, most: usize) -> Vec<Waiting> {
        let mut queue = self.queue();
        let waiting = std::iter::from_fn(|| queue.waiting.pop_front());
        let still = waiting.filter(|one| !one.reply.is_closed());
        still.take(most).collect()
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
            if !turns.goes_on() {
                self.0 = None;
                return;
            }
            let backend = &turns.backend;
            let crowd = match backend.client().await {
                Ok(client) => together(backend, client, turns.next(MOST)).await,
                // Nobody else would get one sooner.
                Err(error) => fail(turns.next(usize::MAX), &error),
            };
            if crowd > 1 {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// A runtime that shuts down drops it half-way. Who waits for the last turn waits for nothing.
impl Drop for Turn {
    fn drop(&mut self) {
        let Some(turns) = &self.0 else {
            return;
        };
        let mut queue = turns.queue();
        queue.turns -= 1;
        let left = if queue.turns == 0 {
            std::mem::take(&mut queue.waiting)
        } else {
            VecDeque::new()
        };
        drop(queue);
        drop(left);
    }
}

/// One transaction for all of them; says how many they were.
async fn together(backend: &Arc<Backend>, client: Client, waiting: Vec<Waiting>) -> usize {
    let many = waiting.len();
    if many == 0 {
        return 0;
    }
    let mut crowds: HashMap<RecordKey, Crowd> = HashMap::new();
    for one in waiting {
        crowds.entry(one.key).or_default().push(one);
    }
    let since = Stopwatch::start();
    let keys = crowds.keys().copied();
    match Held::free(Arc::clone(backend), client, keys).await {
        Ok(held) => take(held, since, crowds).await,
        Err(error) => {
            for crowd in crowds.into_values() {
                fail(crowd, &error);
            }
        }
    }
    many
}

/// Takes their steps on the rows that are held, writes what has changed, and tells them.
async fn take(held: Held, since: Stopwatch, crowds: HashMap<RecordKey, Crowd>) {
    let loaded_at = held.moment.now;
    let now = || loaded_at.plus_millis(since.elapsed_millis());
    let (mut writes, mut batches) = (Vec::new(), Vec::new());
    for (key, crowd) in crowds {
        match fold(&held, key, &crowd) {
            Some(Ok(batch)) => match batch.next() {
                Some(next) => {
                    writes.push(Write::new(key, next));
                    batches.push((crowd, batch));
                }
                // What they found is committed, and needs no commit of strangers.
                None => tell(crowd, batch, now()),
            },
            Some(Err(error)) => _ = fail(crowd, &error),
            None => nothing(crowd),
        }
    }
    if writes.is_empty() {
        // Nobody need wait for the rollback.
        return;
    }
    let written = held.commit_all(&writes).await;
    for (crowd, batch) in batches {
        match &written {
            Ok(Swap::Done) => tell(crowd, batch, now()),
            Ok(Swap::Lost) => nothing(crowd),
            Err(error) => _ = fail(crowd, error),
        }
    }
}

/// What they make of their row; none if it is not held.
fn fold(held: &Held, key: RecordKey, crowd: &[Waiting]) -> Option<Result<Batch, StoreError>> {
    let loaded = Loaded {
        value: Some(held.value(key)?.to_vec()),
        now: held.moment.now,
        incarnation: held.moment.incarnation,
    };
    let steps = crowd.iter().map(|one| &one.step);
    Some(Batch::fold(loaded, steps).map_err(StoreError::from))
}

/// A caller that has gone away needs no answer.
fn tell(crowd: Crowd, batch: Batch, now: Timestamp) {
    for (one, told) in crowd.into_iter().zip(batch.told(now)) {
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

/// The same error for each of them; says how many they were.
fn fail(crowd: Crowd, error: &StoreError) -> usize {
    let many = crowd.len();
    for one in crowd {
        drop(one.reply.send(Err(error.again())));
    }
    many
}
