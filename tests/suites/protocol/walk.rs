//! The real loop beside the model: the same walk through both, and the same comes of it.
//!
//! The store of a walk answers nothing by itself. What a load sees and what becomes of a swap
//! the model says; what the real queue sends, and what it tells its callers, must be what
//! the model foresaw, byte by byte.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use countersign::record::Effect;
use countersign::store::{Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{RecordKey, SessionStore, StoreError};

use crate::checker::Model as _;
use crate::protocol::{Move, Protocol};
use crate::scenario::SERVERS;
use crate::state::{DESTINATION, Phase, Stage, State};
use crate::values::{Found, now};

/// One of our servers, as the store sees it: one key, so at most one question at a time.
#[derive(Debug, Default)]
struct Scripted {
    queue: StepQueue,
    desk: Mutex<Desk>,
}

#[derive(Debug, Default)]
struct Desk {
    asked: Option<Asked>,
    loaded: Option<Loaded>,
    swapped: Option<Result<Swap, StoreError>>,
}

/// What the loop waits for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Load,
    Swap {
        seen: Option<Vec<u8>>,
        next: Vec<u8>,
        life: Incarnation,
    },
}

impl Scripted {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("nothing panics at a desk")
    }
}

#[async_trait]
impl SessionStore for Scripted {
    async fn load(&self, _: RecordKey) -> Result<Loaded, StoreError> {
        self.desk().asked = Some(Asked::Load);
        Ok(poll_fn(|_| waits(self.desk().loaded.take())).await)
    }

    async fn swap(
        &self,
        _: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        life: Incarnation,
    ) -> Result<Swap, StoreError> {
        self.desk().asked = Some(Asked::Swap {
            seen: seen.map(<[u8]>::to_vec),
            next: next.bytes.to_vec(),
            life,
        });
        poll_fn(|_| waits(self.desk().swapped.take())).await
    }

    fn queue(&self) -> Option<&StepQueue> {
        Some(&self.queue)
    }
}

fn waits<T>(answer: Option<T>) -> Poll<T> {
    answer.map_or(Poll::Pending, Poll::Ready)
}

type Answer = Result<Effect, StoreError>;
type Asking = Pin<Box<dyn Future<Output = Answer>>>;

/// A walk: the model's state, and the real futures of those who wait in it.
pub(crate) struct Walk<'p> {
    protocol: &'p Protocol,
    state: State,
    servers: [Arc<Scripted>; SERVERS],
    asking: BTreeMap<u8, (u8, Asking)>,
    told: Vec<(u8, Answer)>,
}

impl<'p> Walk<'p> {
    pub(crate) fn new(protocol: &'p Protocol) -> Self {
        Self {
            protocol,
            state: protocol.start(),
            servers: Default::default(),
            asking: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// What may come next: whoever is called leads at once, as in the real queue.
    pub(crate) fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        self.protocol.moves(&self.state, &mut moves);
        let leads = |one: &Move| matches!(one, Move::Lead { .. });
        if moves.iter().any(leads) {
            moves.retain(leads);
        }
        // The real loop measures by a clock of its own how long a swap took, and nothing here
        // takes long: after a tick it would tell an approval where the model withholds it.
        let is_late = |wire: &u8| {
            let wire = &self.state.wires[usize::from(*wire)];
            let approves = wire
                .seats()
                .iter()
                .any(|seat| seat.found == Found::Approved);
            approves && wire.since != self.state.tick
        };
        moves.retain(|one| !matches!(one, Move::Answer { wire } if is_late(wire)));
        moves
    }

    /// Takes a move in the model, makes it happen to the real loop, and compares.
    pub(crate) fn take(&mut self, one: Move) {
        let before = self.state.clone();
        self.state = self.protocol.after(&before, one);
        self.told.clear();
        match one {
            Move::Call { caller, server } => self.call(caller, server),
            Move::Lead { server, node, .. } => self.lead(&before, server, node),
            Move::Answer { wire } => {
                let wire = before.wires[usize::from(wire)];
                let done = wire.stage == Stage::Done;
                let swap = if done { Swap::Done } else { Swap::Lost };
                self.swapped(wire.server, Ok(swap));
            }
            Move::TimeOut { wire } => {
                let server = before.wires[usize::from(wire)].server;
                self.swapped(server, Err(StoreError::indeterminate("no answer in time")));
            }
            Move::Drop { caller } => {
                let gone = self.asking.remove(&caller);
                drop(gone);
                self.poll_all();
            }
            Move::Crash { server } => {
                self.asking.retain(|_, (of, _)| *of != server);
                self.servers[usize::from(server)] = Arc::default();
            }
            Move::Tick
            | Move::Arrive { .. }
            | Move::Deliver { .. }
            | Move::Sync
            | Move::Demote
            | Move::Failover => {}
        }
        self.compare(&before);
    }

    fn call(&mut self, caller: u8, server: u8) {
        let store = Arc::clone(&self.servers[usize::from(server)]);
        let (key, step) = self.protocol.real_step(&self.state, caller);
        let asking = async move { store.apply(key, &step).await };
        self.asking.insert(caller, (server, Box::pin(asking)));
        self.poll_all();
    }

    /// The leader has asked for the value, and gets it; then it must send what the model has
    /// folded, or have told everybody.
    fn lead(&mut self, before: &State, server: u8, node: u8) {
        let desk = &self.servers[usize::from(server)];
        assert_eq!(
            desk.desk().asked.take(),
            Some(Asked::Load),
            "whoever leads loads"
        );
        let node = &before.nodes[usize::from(node)];
        desk.desk().loaded = Some(Loaded {
            value: self
                .protocol
                .values
                .bytes(node.values[usize::from(DESTINATION)]),
            now: now(before.tick),
            incarnation: Incarnation::new(u64::from(node.life)),
        });
        self.poll_all();
        let wire = self
            .state
            .under_way(server, DESTINATION)
            .map(|at| self.state.wires[at]);
        let Some(wire) = wire else {
            return;
        };
        let expected = Asked::Swap {
            seen: self.protocol.values.bytes(wire.seen),
            next: self
                .protocol
                .values
                .bytes(wire.next)
                .expect("a swap writes a value"),
            life: Incarnation::new(u64::from(wire.life)),
        };
        let sent = self.servers[usize::from(server)].desk().asked.take();
        assert_eq!(sent, Some(expected), "the real swap is the model's");
    }

    fn swapped(&mut self, server: u8, answer: Result<Swap, StoreError>) {
        self.servers[usize::from(server)].desk().swapped = Some(answer);
        self.poll_all();
    }

    /// Polls everybody until nothing moves: a leader that lost steps back a few times.
    fn poll_all(&mut self) {
        for _ in 0..80 {
            let mut polling = Context::from_waker(Waker::noop());
            let told = &mut self.told;
            self.asking.retain(
                |caller, (_, asking)| match asking.as_mut().poll(&mut polling) {
                    Poll::Ready(answer) => {
                        told.push((*caller, answer));
                        false
                    }
                    Poll::Pending => true,
                },
            );
        }
    }

    /// Who leads, who was told what, and who still waits, is the same in both.
    fn compare(&self, before: &State) {
        for (server, real) in (0..).zip(&self.servers) {
            let of_server =
                |one: &Move| matches!(one, Move::Lead { server: by, .. } if *by == server);
            let leads = self.moves().iter().any(of_server);
            let asks = real.desk().asked == Some(Asked::Load);
            assert_eq!(asks, leads, "server {server} leads");
        }
        for (caller, _) in self.protocol.roles() {
            let (was, is) = (
                before.calls[usize::from(caller)],
                self.state.calls[usize::from(caller)],
            );
            let waits = |phase| matches!(phase, Phase::InLine | Phase::InBatch);
            assert_eq!(
                self.asking.contains_key(&caller),
                waits(is.phase),
                "caller {caller} waits"
            );
            let told = self
                .told
                .iter()
                .find(|(to, _)| *to == caller)
                .map(|(_, answer)| answer);
            if waits(was.phase) && !waits(is.phase) {
                match (is.phase, told) {
                    (Phase::Over, Some(Ok(effect))) => {
                        assert_eq!(self.protocol.values.found(effect.clone()), is.told);
                    }
                    // A dropped call, or a dead server's, hears nothing.
                    (
                        Phase::Over | Phase::Doubt,
                        Some(Err(StoreError::Indeterminate { .. })) | None,
                    ) if is.told == Found::Nothing => {}
                    other => {
                        unreachable!("caller {caller} should be told {:?}: {other:?}", is.told)
                    }
                }
            }
        }
    }
}

impl Drop for Walk<'_> {
    /// When all have gone, the queues are empty.
    fn drop(&mut self) {
        self.asking.clear();
        for server in &self.servers {
            let left = server.queue.busy_keys();
            assert!(
                std::thread::panicking() || left == 0,
                "{left} lines are left"
            );
        }
    }
}
