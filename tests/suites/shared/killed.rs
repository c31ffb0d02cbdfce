//! A53: one of four servers is killed with -9 at each step of a send with an idempotency key, and
//! the others are asked again: at most one message, and none without its session.

use std::collections::BTreeMap;

use countersign::Stopwatch;
use tokio::task::JoinHandle;

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, Session};
use super::paid::delivery;
use super::setup::Setup;
use super::store::{Kind, Store};
use super::tracer::Tracer;
use crate::parts::http_fake::{HttpFake, Play};
use crate::parts::proxy::{Fault, Proxy, Way, Words};
use crate::parts::server::{PATIENCE, pause};
use crate::parts::twilio::{code_in, taken};

/// Longer than a dead server's lease on an idempotency key, in milliseconds.
const LEASE: i64 = 61_000;
/// The server that dies, and the one that is asked then.
const VICTIM: usize = 0;
const OTHER: usize = 1;
/// No send has so many commits.
const MANY: u64 = 20;

/// What a commit is on the wire. Background work commits without these words, so that a send's
/// n-th commit is the same in each run.
pub(crate) const POSTGRES: Words = Words {
    asked: b"COMMIT\0",
    told: b"COMMIT\0",
};
const REDIS: Words = Words {
    asked: b"_swap",
    told: b"",
};

/// Where a send is stopped, when its server is killed.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The n-th commit never gets to the store.
    Before(u64),
    /// The n-th commit is done, and nobody hears of it.
    After(u64),
    /// The session is open, and its message on no way to the provider.
    Connecting,
    /// The provider has the message and says nothing.
    Provider,
}

/// Servers, of which one reaches its store over a proxy where there is a network, and a provider.
pub(crate) struct Site {
    pub(crate) fleet: Fleet,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) provider: HttpFake,
    /// Who calls that server, and another one.
    pub(crate) victim: Caller,
    pub(crate) other: Caller,
}

/// A send under way: its answer, unless the server dies over it.
type Sending = JoinHandle<Option<u16>>;

impl Site {
    pub(crate) async fn start(kind: Kind, tenant: &str) -> Self {
        let provider = HttpFake::start([]);
        let setup = Setup {
            delivery: &delivery(&provider),
            moves: true,
            ..Setup::default()
        };
        let mut proxy = None;
        let url = |at, store: &Store| {
            if at != VICTIM {
                return store.url();
            }
            let (url, over) = store.proxied();
            proxy = over;
            url
        };
        let fleet = Fleet::reached(kind, setup, url).await;
        let caller = fleet.tenant(tenant);
        Self {
            fleet,
            proxy,
            provider,
            victim: caller.only(VICTIM),
            other: caller.only(OTHER),
        }
    }

    /// The provider first, as long as nothing else is left for it to play.
    fn stops(&self) -> impl Iterator<Item = Stop> + use<> {
        let over_network = self.proxy.is_some();
        let around = move |nth| {
            let after = over_network.then_some(Stop::After(nth));
            [Some(Stop::Before(nth)), after].into_iter().flatten()
        };
        let alone = (!over_network).then_some(Stop::Connecting);
        let first = std::iter::once(Stop::Provider).chain(alone);
        first.chain((1..MANY).flat_map(around))
    }

    /// Kills the server at this step of a send; false if the send has no such step.
    async fn kill_at(&mut self, stop: Stop, to: &str) -> bool {
        self.provider.play(match stop {
            Stop::Provider => Play::Silence,
            _ => taken(),
        });
        let tracer = self.arm(stop);
        let before = self.met(stop);
        let sending = self.send(to);
        let met = match tracer {
            // The send ends with its server, and else is answered.
            Some(tracer) => {
                let met = sending.await.expect("no panic").is_none();
                drop(tracer);
                met
            }
            None => self.is_met(stop, before, &sending).await,
        };
        if met {
            self.fleet.kill(VICTIM).await;
        }
        if let Some(proxy) = &self.proxy {
            proxy.cut_all();
            proxy.mend().await;
        }
        met
    }

    /// Prepares what stops the send. A server beside its file is killed by a tracer, as it calls
    /// the system for the n-th sync, or for its first connection.
    fn arm(&self, stop: Stop) -> Option<Tracer> {
        let Some(proxy) = &self.proxy else {
            return match stop {
                Stop::Before(nth) => Some(self.tracer("fsync,fdatasync", nth)),
                Stop::Connecting => Some(self.tracer("connect", 1)),
                Stop::Provider | Stop::After(_) => None,
            };
        };
        let words = if self.fleet.kind == Kind::Postgres {
            POSTGRES
        } else {
            REDIS
        };
        match stop {
            Stop::Before(nth) => proxy.strike_saying(words, nth, Fault::Swallow(Way::ToServer)),
            Stop::After(nth) => proxy.strike_saying(words, nth, Fault::Swallow(Way::ToClient)),
            Stop::Provider | Stop::Connecting => {}
        }
        None
    }

    /// A tracer that kills the server at the n-th of these calls.
    fn tracer(&self, calls: &str, nth: u64) -> Tracer {
        let fate = format!("signal=KILL:when={nth}");
        Tracer::attach(self.fleet.process(VICTIM), calls, &fate)
    }

    /// How often this stop was met so far, where this side can tell.
    fn met(&self, stop: Stop) -> u64 {
        match (stop, &self.proxy) {
            (Stop::Provider, _) => self.provider.asked().len() as u64,
            (Stop::Before(_), Some(proxy)) => proxy.struck(),
            (Stop::After(_), Some(proxy)) => proxy.unheard(),
            _ => 0,
        }
    }

    /// Waits for the step, or for the answer to a send that has no such step.
    async fn is_met(&self, stop: Stop, before: u64, sending: &Sending) -> bool {
        let clock = Stopwatch::start();
        while self.met(stop) == before && !sending.is_finished() {
            assert!(clock.elapsed() < PATIENCE, "{stop:?}: never reached");
            pause().await;
        }
        self.met(stop) > before
    }

    fn send(&self, to: &str) -> Sending {
        let (caller, to) = (self.victim.clone(), to.to_owned());
        tokio::spawn(async move {
            caller
                .try_send_once(0, &to, &key_of(&to))
                .await
                .map(|(status, _)| status)
        })
    }

    /// Codes of the messages that the provider was given for a destination.
    pub(crate) fn codes_to(&self, to: &str) -> Vec<String> {
        let asked = self.provider.asked();
        let own = asked
            .iter()
            .filter(|asked| asked.field("To").as_deref() == Some(to));
        own.map(|asked| code_in(&asked.field("Body").expect("a text")))
            .collect()
    }

    /// What a client finds that goes on at another server.
    async fn sent_once(&self, stop: Stop, to: &str) -> &'static str {
        let (other, kind) = (&self.other, self.fleet.kind);
        let opened = other.sessions(to).await;
        let messages = self.codes_to(to).len();
        assert!(
            messages <= opened,
            "{kind}, {stop:?}: a message without a session"
        );
        let (status, body) = other.send_once(0, to, &key_of(to)).await;
        assert!(
            matches!(status, 200 | 409),
            "{kind}, {stop:?}: {status} {body}"
        );
        self.fleet.wind(LEASE);
        let (status, body) = other.send_once(0, to, &key_of(to)).await;
        assert_eq!(status, 200, "{kind}, {stop:?}: {body}");
        let (_, again) = other.send_once(0, to, &key_of(to)).await;
        assert_eq!(again["session_id"], body["session_id"], "{kind}, {stop:?}");
        assert_eq!(other.sessions(to).await, 1, "{kind}, {stop:?}");
        let codes = self.codes_to(to);
        assert!(
            codes.len() <= 1,
            "{kind}, {stop:?}: {} messages",
            codes.len()
        );
        let Some(code) = codes.into_iter().next() else {
            assert_eq!(body["delivery"], "unknown", "{kind}, {stop:?}: {body}");
            return "no message, told so";
        };
        let id = body["session_id"].as_str().expect("an id").to_owned();
        let session = Session {
            id,
            to: to.to_owned(),
            code,
        };
        let missed = other.check(0, &session, &wrong(&session.code, 0)).await;
        assert_eq!(missed, Answer::WrongCode { left: 4 }, "{kind}, {stop:?}");
        let found = other.check(0, &session, &session.code).await;
        assert_eq!(found, Answer::Verified, "{kind}, {stop:?}");
        "one message"
    }
}

fn key_of(to: &str) -> String {
    format!("once-{to}")
}

/// On stores that outlive a server.
async fn a53_killed_at_any_step_of_a_send(kind: Kind) {
    let (mut site, clock) = (Site::start(kind, "a53").await, Stopwatch::start());
    let (mut kills, mut ends, mut last) = (0, BTreeMap::new(), 0);
    for stop in site.stops() {
        let to = format!("+4740{kills:06}");
        if !site.kill_at(stop, &to).await {
            // The send has no such commit, nor any later one.
            assert!(
                matches!(stop, Stop::Before(_)),
                "{kind}: {stop:?} was not met"
            );
            break;
        }
        if let Stop::Before(nth) = stop {
            last = nth;
        }
        kills += 1;
        let end = site.sent_once(stop, &to).await;
        println!("{kind}: a53: {stop:?}: {end}");
        *ends.entry(end).or_insert(0) += 1;
        site.fleet.restart(VICTIM).await;
    }
    // The idempotency key, the limits, the session, what became of its message, the answer.
    assert!((5..MANY - 1).contains(&last), "{kind}: {last} commits");
    // Both must have been met, or the kills came all at one side of the message.
    assert_eq!(ends.len(), 2, "{kind}: {ends:?}");
    let tried =
        format!("{kills} kills, at each of {last} commits of a send, and retries elsewhere");
    let showed = format!("no message alone, none twice; {ends:?}");
    site.fleet.tell("a53", &tried, &showed, &clock);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_step_of_a_send_with_one_sqlite_file() {
    a53_killed_at_any_step_of_a_send(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_step_of_a_send_with_postgres() {
    a53_killed_at_any_step_of_a_send(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_step_of_a_send_with_redis() {
    a53_killed_at_any_step_of_a_send(Kind::Redis).await;
}
