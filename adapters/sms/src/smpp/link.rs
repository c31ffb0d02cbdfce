//! The one connection to the message centre: made when it is first needed, and from then
//! on made again whenever it ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign::Stopwatch;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connector::{AFTER_BIND, Connector};
use super::conversation::{End, Timing, converse};
use super::failure::Failure;
use super::session::Session;
use super::tracker::Tracker;

/// The pause after a connection that was of use, and after the first bind that failed;
/// each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where the connection stands.
#[derive(Clone)]
struct State {
    /// Binds that failed so far.
    failures: u64,
    phase: Phase,
}

#[derive(Clone)]
enum Phase {
    Binding,
    Up(Arc<Session>),
    Pause {
        why: Failure,
        long: Duration,
        since: Stopwatch,
    },
}

/// What it takes to keep the connection.
pub(super) struct Keeper {
    pub(super) connector: Connector,
    pub(super) tracker: Tracker,
    pub(super) window: usize,
    pub(super) timing: Timing,
}

/// The connection, as deliveries see it.
pub(super) struct Link {
    keeper: Arc<Keeper>,
    state: watch::Receiver<State>,
    /// Taken by the first who needs the connection.
    unstarted: Mutex<Option<watch::Sender<State>>>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Link {
    pub(super) fn new(keeper: Keeper) -> Self {
        let (tell, state) = watch::channel(State {
            failures: 0,
            phase: Phase::Binding,
        });
        Self {
            keeper: Arc::new(keeper),
            state,
            unstarted: Mutex::new(Some(tell)),
            stop: watch::Sender::new(false),
            task: Mutex::new(None),
        }
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// A bound connection. Waits for a bind that is under way, or for the next one if it
    /// begins within `patience`, and takes its outcome.
    pub(super) async fn session(&self, patience: Duration) -> Result<Arc<Session>, Failure> {
        self.start();
        let begun = Stopwatch::start();
        let mut state = self.state.clone();
        let before = state.borrow().failures;
        loop {
            match State::clone(&state.borrow_and_update()) {
                State {
                    phase: Phase::Up(session),
                    ..
                } if session.is_open() => return Ok(session),
                State {
                    phase: Phase::Pause { why, long, since },
                    failures,
                } => {
                    let left = patience.saturating_sub(begun.elapsed());
                    let pointless = long.saturating_sub(since.elapsed()) >= left;
                    if failures > before || why.is_about_us() || pointless {
                        return Err(why);
                    }
                }
                _ => {}
            }
            state.changed().await.map_err(|_| Failure::Lost)?;
        }
    }

    /// Takes leave of the message centre, if there is a connection, and ends it for good.
    pub(super) async fn close(&self) {
        lock(&self.unstarted).take();
        self.stop.send_replace(true);
        let task = lock(&self.task).take();
        if let Some(task) = task {
            // It ends by itself; a panic in it would have been shown already.
            let _ = task.await;
        }
    }

    fn start(&self) {
        if let Some(tell) = lock(&self.unstarted).take() {
            let keeping = Arc::clone(&self.keeper).keep(tell, self.stop.subscribe());
            *lock(&self.task) = Some(tokio::spawn(keeping));
        }
    }
}

impl Keeper {
    async fn keep(self: Arc<Self>, tell: watch::Sender<State>, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        while let Some((why, was_useful)) = self.connection(&tell, &mut stop).await {
            if was_useful {
                pause = FIRST_PAUSE;
            }
            let phase = Phase::Pause {
                why,
                long: pause,
                since: Stopwatch::start(),
            };
            tell.send_modify(|state| state.phase = phase);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One connection from the bind to its end: why it ended, and whether it was of use.
    /// None when we are to stop.
    async fn connection(
        &self,
        tell: &watch::Sender<State>,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<(Failure, bool)> {
        tell.send_modify(|state| state.phase = Phase::Binding);
        let opened = tokio::select! {
            opened = self.connector.open(self.timing.timeout) => opened,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        let wire = match opened {
            Ok(wire) => wire,
            Err(why) => {
                tell.send_modify(|state| state.failures += 1);
                return Some((why, false));
            }
        };
        let (session, outgoing) = Session::new(self.window, AFTER_BIND);
        let up = Phase::Up(Arc::clone(&session));
        tell.send_modify(|state| state.phase = up);
        let (tracker, timing) = (&self.tracker, self.timing);
        let talk = converse(&session, tracker, wire, outgoing, timing, stop);
        let stopped = talk.await == End::Stopped;
        (!stopped).then(|| (Failure::Lost, session.is_useful()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
