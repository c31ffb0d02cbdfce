//! Who checks when: alone at once, or together with others that wait.
//!
//! A call has a price of its own, whatever it does: its way through the socket, the start of
//! a script, the server's clock. So only a few calls are under way at a time, and checks that
//! come meanwhile are made together. Who comes alone waits for nobody, and goes over no other
//! task.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign::record::{Effect, Step};
use countersign::{RecordKey, StoreError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::native::Native;
use crate::together::{Outcome, check_all};

/// So many have a turn at a time: while the server works for one, the answers of another are
/// handed out.
const TURNS: usize = 2;

/// And one more for as long as a whole load of checks waits: a smaller one would only make
/// the loads of the others smaller too.
const MOST_TURNS: usize = 3;

/// Most checks made together, during which the server does nothing else: half a millisecond.
const MOST: usize = 64;

/// What a check led to; none if the judgement is left to the core.
type Answer = Result<Option<Effect>, StoreError>;

/// Who has a turn, and who waits for one.
pub(crate) struct Turns {
    native: Arc<Native>,
    runtime: Handle,
    timeout: Duration,
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

/// The right to make a call; whoever waits has it next.
struct Turn(Arc<Turns>);

/// A turn in a task of its own, until it is given back.
struct Work(Option<Arc<Turns>>);

impl Turns {
    /// It is to be made in the runtime in which it is used.
    pub(crate) fn new(native: Arc<Native>, timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            native,
            runtime: Handle::current(),
            timeout,
            queue: Mutex::default(),
        })
    }

    pub(crate) async fn check(self: &Arc<Self>, key: RecordKey, step: &Step) -> Answer {
        let place = match self.turn_or_place(key, step) {
            Ok(turn) => {
                let answer = self.native.check(key, step).await;
                drop(turn);
                return answer;
            }
            Err(place) => place,
        };
        match tokio::time::timeout(self.timeout, place).await {
            Ok(Ok(answer)) => answer,
            // In both cases it may have been made.
            Ok(Err(_)) => Err(StoreError::indeterminate("the check was given up")),
            Err(_) => {
                let millis = self.timeout.as_millis();
                Err(StoreError::indeterminate(format!(
                    "no answer within {millis} ms"
                )))
            }
        }
    }

    /// A turn at once, or a place in the queue.
    fn turn_or_place(
        self: &Arc<Self>,
        key: RecordKey,
        step: &Step,
    ) -> Result<Turn, oneshot::Receiver<Answer>> {
        let mut queue = self.queue();
        if queue.turns < TURNS {
            queue.turns += 1;
            return Ok(Turn(Arc::clone(self)));
        }
        let (reply, place) = oneshot::channel();
        let step = step.clone();
        queue.waiting.push_back(Waiting { key, step, reply });
        if queue.waiting.len() >= MOST && queue.turns < MOST_TURNS {
            queue.turns += 1;
            self.runtime.spawn(Work(Some(Arc::clone(self))).go_on());
        }
        Err(place)
    }

    /// Those who have waited longest; none gives the turn back, and so does less than a whole
    /// load if the turn was one more.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        // Who has given up was never sent.
        queue.waiting.retain(|one| !one.reply.is_closed());
        let most = queue.waiting.len().min(MOST);
        if most == 0 || (most < MOST && queue.turns > TURNS) {
            queue.turns -= 1;
            return None;
        }
        Some(queue.waiting.drain(..most).collect())
    }

    async fn together(&self, waiting: Vec<Waiting>) {
        // Of several at one record one could be written: the library takes them one by one.
        let mut keys = HashSet::new();
        let first = |one: &Waiting| keys.insert(one.key.to_bytes());
        let (firsts, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(first);
        for one in others {
            self.alone(one);
        }
        let [_, _, ..] = firsts.as_slice() else {
            for one in firsts {
                self.alone(one);
            }
            return;
        };
        let steps: Vec<_> = firsts.iter().map(|one| (one.key, &one.step)).collect();
        match check_all(&self.native.backend, &steps).await {
            Ok(outcomes) => {
                for (one, outcome) in firsts.into_iter().zip(outcomes) {
                    match outcome {
                        Outcome::Done(effect) => drop(one.reply.send(Ok(Some(effect)))),
                        Outcome::Alone => self.alone(one),
                    }
                }
            }
            Err(error) => {
                for one in firsts {
                    drop(one.reply.send(Err(error.again())));
                }
            }
        }
    }

    /// By the library, beside whatever else is under way.
    fn alone(&self, one: Waiting) {
        let native = Arc::clone(&self.native);
        let Waiting { key, step, reply } = one;
        self.runtime.spawn(async move {
            while_awaited(reply, native.check(key, &step)).await;
        });
    }

    /// Poisoned by nothing that runs under it.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands on the answer, or ends with whoever waited for it: else those who had given up would
/// have calls under way beyond all bounds on callers, as long as a server is silent.
async fn while_awaited(mut reply: oneshot::Sender<Answer>, check: impl Future<Output = Answer>) {
    tokio::select! {
        answer = check => drop(reply.send(answer)),
        () = reply.closed() => {}
    }
}

impl Work {
    /// Makes checks as long as anybody waits. Those who have just been answered come first:
    /// if they have another check, it is made together with the others.
    async fn go_on(mut self) {
        while let Some(turns) = &self.0 {
            tokio::task::yield_now().await;
            match turns.next() {
                Some(waiting) => turns.together(waiting).await,
                None => self.0 = None,
            }
        }
    }
}

/// A runtime that shuts down drops it half-way, and so would a bug that panics: with its turn
/// lost, those who come later would wait for nobody. It is not passed on to another task, for
/// where none runs any more that one would be dropped, too, and so on.
impl Drop for Work {
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
        // Who waits for the last turn waits for nothing, and is told so.
        drop(left);
    }
}

/// A caller that goes away in the middle of its check gives its turn on as well.
impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        if queue.waiting.is_empty() {
            queue.turns -= 1;
        } else {
            let work = Work(Some(Arc::clone(&self.0)));
            self.0.runtime.spawn(work.go_on());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use countersign::Tag;
    use countersign::record::Action;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;
    use crate::address::Address;
    use crate::backend::Backend;
    use crate::check::Manner;
    use crate::options::Options;

    const LONG: Duration = Duration::from_secs(3600);

    /// Over a server that nobody asks.
    fn turns() -> Arc<Turns> {
        let address = Address::read("redis://127.0.0.1:1").unwrap();
        let backend = Arc::new(Backend {
            routes: crate::routes(&address, &Options::default()).unwrap(),
            fence: false,
            waiting: None,
        });
        let manner = Manner {
            fence: false,
            waits: false,
            open_limits: crate::digest::open_limits(),
        };
        Turns::new(Arc::new(Native { backend, manner }), LONG)
    }

    #[tokio::test]
    async fn a_turn_whose_task_ends_half_way_is_given_back() {
        let turns = turns();
        let (key, step) = (
            RecordKey::from_bytes([1; 8]),
            Step {
                tag: Tag::from_bytes([0; 8]),
                at: None,
                action: Action::Reset,
            },
        );
        // Their tasks are dropped before they have begun.
        turns.queue().turns = TURNS;
        let places: Vec<_> = (0..2)
            .map(|_| turns.turn_or_place(key, &step).err().unwrap())
            .collect();
        for _ in 0..TURNS {
            drop(Work(Some(Arc::clone(&turns))).go_on());
        }
        for mut place in places {
            // Told, and not left waiting.
            assert_eq!(place.try_recv().err(), Some(TryRecvError::Closed));
        }
        assert!(turns.turn_or_place(key, &step).is_ok(), "there is a turn");
    }

    #[tokio::test]
    async fn a_call_ends_with_whoever_waited_for_it() {
        let (reply, answer) = oneshot::channel();
        let task = tokio::spawn(while_awaited(reply, pending()));
        tokio::task::yield_now().await;
        assert!(!task.is_finished());
        drop(answer);
        let ended = tokio::time::timeout(Duration::from_secs(10), task).await;
        assert!(ended.is_ok());

        let (reply, answer) = oneshot::channel();
        while_awaited(reply, ready(Ok(None))).await;
        assert!(matches!(answer.await, Ok(Ok(None))));
    }
}
