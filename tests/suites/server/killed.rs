//! A53: the server is killed with -9 at each step of a send with an idempotency key, started
//! again, and asked again: at most one message, and none without its session.

use std::collections::BTreeMap;

use countersign::Stopwatch;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::page::wrong;
use crate::parts::http_fake::{HttpFake, Play};
use crate::parts::ledger::{From, note};
use crate::parts::postgres::{OWNER, Postgres, SECRET};
use crate::parts::proxy::{Fault, Proxy, Way};
use crate::parts::server::{Home, PATIENCE, Server, pause, write_secret};
use crate::phones::{code_in, taken, twilio};

/// The key of the one tenant, whose SHA-256 is in the configuration: a key that is kept in
/// the store would be one more thing to ask of it.
const KEY: &str = "a key of the test's own, which is no secret to anybody else";
const KEY_SHA256: &str = "ec2ff2fc7896b663a1802fa4d8c99efa471d99388ec341c7be4bd33b3d62529d";

/// Where a send is stopped, after which the server is killed.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The n-th commit never gets to the store.
    Before(u64),
    /// The n-th commit is done, and nobody hears of it.
    After(u64),
    /// The provider has the message and says nothing.
    Provider,
}

/// PostgreSQL with a clock of the test's, behind a proxy, and a provider.
struct Site {
    store: Postgres,
    proxy: Proxy,
    provider: HttpFake,
    home: Home,
}

impl Site {
    fn start() -> Self {
        let store = Postgres::start(&[]);
        store.make_clock_movable("postgres");
        let proxy = Proxy::start(store.port);
        let provider = HttpFake::start([]);
        let port = proxy.port();
        let config = format!(
            "[store]\nurl = \"postgres://{OWNER}:{SECRET}@127.0.0.1:{port}/postgres\"\n\
             [sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}\
             [jwt]\nhs256_secret = \"a secret of the test's own, of 32 bytes\"\n\
             [[api_key]]\ntenant = \"acme\"\nscopes = [\"send\", \"check\", \"admin\"]\n\
             sha256 = \"{KEY_SHA256}\"\n",
            twilio(&provider)
        );
        let home = Home::with_config(&config);
        let secret = home.path().join("secret");
        write_secret(&secret);
        let home = home.env("COUNTERSIGN_SECRET_FILE", &secret.display().to_string());
        Self {
            store,
            proxy,
            provider,
            home,
        }
    }

    /// Lets the store's clock jump ahead by more than a lease.
    fn pass_a_minute(&self) {
        self.store.wind("postgres", 61_000);
    }

    /// A send with a key; none if the connection ended.
    fn send(&self, to: &str) -> JoinHandle<Option<(u16, Value)>> {
        let request = crate::parts::http_client()
            .post(format!("{}/v1/verify/send", self.home.base()))
            .header("x-api-key", KEY)
            .header("idempotency-key", format!("once-{to}"))
            .json(&json!({ "to": to, "channel": "sms" }));
        tokio::spawn(async move {
            let response = request.send().await.ok()?;
            Some((response.status().as_u16(), response.json().await.ok()?))
        })
    }

    async fn answer(&self, to: &str) -> (u16, Value) {
        let answer = self.send(to).await.expect("no panic");
        answer.expect("the server answers")
    }

    async fn ask(&self, path: &str, body: Option<&Value>) -> Value {
        let (client, url) = (
            crate::parts::http_client(),
            format!("{}{path}", self.home.base()),
        );
        let request = match body {
            Some(body) => client.post(url).json(body),
            None => client.get(url),
        };
        let response = request.header("x-api-key", KEY).send().await;
        response.expect("an answer").json().await.expect("JSON")
    }

    async fn check(&self, session: &str, code: &str) -> Value {
        let body = json!({ "session_id": session, "code": code });
        self.ask("/v1/verify/check", Some(&body)).await
    }

    /// Statuses of a destination's sessions.
    async fn sessions(&self, to: &str) -> Vec<Value> {
        let path = format!("/v1/verify/destination?to={}", to.replace('+', "%2B"));
        let seen = self.ask(&path, None).await;
        seen["sessions"].as_array().expect("sessions").clone()
    }

    /// Codes of the messages that the provider was given for a destination.
    fn codes_to(&self, to: &str) -> Vec<String> {
        let asked = self.provider.asked();
        let own = asked
            .iter()
            .filter(|asked| asked.field("To").as_deref() == Some(to));
        own.map(|asked| code_in(&asked.field("Body").expect("a text")))
            .collect()
    }

    /// Stops a send, kills the server, and gives it started again.
    async fn kill_at(&self, server: Server, stop: Stop, to: &str) -> Server {
        let swallow = |nth, way| self.proxy.strike_saying(COMMIT, nth, Fault::Swallow(way));
        match stop {
            Stop::Before(nth) => swallow(nth, Way::ToServer),
            Stop::After(nth) => swallow(nth, Way::ToClient),
            Stop::Provider => {}
        }
        self.provider.play(match stop {
            Stop::Provider => Play::Silence,
            _ => taken(),
        });
        let reached = || match stop {
            Stop::Before(_) => self.proxy.struck(),
            Stop::After(_) => self.proxy.unheard(),
            Stop::Provider => self.provider.asked().len() as u64,
        };
        let (before, sending, clock) = (reached(), self.send(to), Stopwatch::start());
        while reached() == before {
            assert!(clock.elapsed() < PATIENCE, "{stop:?}: never reached");
            pause().await;
        }
        server.signal("KILL");
        assert!(!server.ended().await.success());
        drop(sending.await);
        self.proxy.cut_all();
        self.proxy.mend().await;
        self.home.serve().await
    }

    /// A send has as many commits as the kills were around.
    async fn assert_commits(&self, to: &str) {
        let struck = self.proxy.struck();
        let cut = Fault::Swallow(Way::Both);
        self.proxy.strike_saying(COMMIT, COMMITS + 1, cut);
        self.provider.play(taken());
        assert_eq!(self.answer(to).await.0, 200);
        assert_eq!(self.proxy.struck(), struck, "a send has more commits");
        self.proxy.mend().await;
    }

    /// What a client finds that goes on where the server was killed.
    async fn assert_sent_once(&self, stop: Stop, to: &str) -> &'static str {
        let (opened, messages) = (self.sessions(to).await.len(), self.codes_to(to).len());
        assert!(messages <= opened, "{stop:?}: a message without a session");
        let (status, body) = self.answer(to).await;
        assert!(matches!(status, 200 | 409), "{stop:?}: {status} {body}");
        self.pass_a_minute();
        let (status, body) = self.answer(to).await;
        assert_eq!(status, 200, "{stop:?}: {body}");
        let session = body["session_id"].as_str().expect("an id").to_owned();
        let (_, again) = self.answer(to).await;
        assert_eq!(again["session_id"], session.as_str(), "{stop:?}");
        let sessions = self.sessions(to).await;
        assert_eq!(sessions.len(), 1, "{stop:?}: {sessions:?}");
        let codes = self.codes_to(to);
        assert!(codes.len() <= 1, "{stop:?}: {} messages", codes.len());
        let Some(code) = codes.first() else {
            return "no message, told so";
        };
        let missed = self.check(&session, &wrong(code)).await;
        assert_eq!(missed["reason"], "wrong_code", "{stop:?}: {missed}");
        let found = self.check(&session, code).await;
        assert_eq!(found["status"], "verified", "{stop:?}: {found}");
        "one message"
    }
}

/// What a transaction's end is on the wire, and what the store says of it. Background work
/// commits without a word of its own, so a send's n-th commit is the same in each run.
const COMMIT: &[u8] = b"COMMIT\0";
/// How many a send with a key has: the key is taken, limits are charged, the session is
/// opened, what became of its message is written, the answer is kept.
const COMMITS: u64 = 5;

/// The provider first, as long as nothing else is left for it to play; then around each
/// commit, one of which opens the session, so that a kill comes before its message.
fn stops() -> impl Iterator<Item = Stop> {
    let around = |nth| [Stop::Before(nth), Stop::After(nth)];
    std::iter::once(Stop::Provider).chain((1..=COMMITS).flat_map(around))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a53_killed_at_any_step_of_a_send_it_sends_once_when_asked_again() {
    let (site, clock) = (Site::start(), Stopwatch::start());
    let mut server = site.home.serve().await;
    let (mut kills, mut ends) = (0, BTreeMap::new());
    for stop in stops() {
        kills += 1;
        let to = format!("+4740{kills:06}");
        server = site.kill_at(server, stop, &to).await;
        let end = site.assert_sent_once(stop, &to).await;
        println!("a53: {stop:?}: {end}");
        *ends.entry(end).or_insert(0) += 1;
    }
    site.assert_commits("+4740999999").await;
    // Both must have been met, or the kills came all at one side of the message.
    assert_eq!(ends.len(), 2, "{ends:?}");
    println!("a53: {kills} kills in {} ms", clock.elapsed_millis());
    note(
        "a53",
        "PostgreSQL",
        From::Outside,
        &format!("{kills} kills, before and after each commit of a send, and retries"),
        &format!("no message alone, none twice; {ends:?}"),
    );
    server.stop().await;
}
