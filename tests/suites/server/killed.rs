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
use crate::parts::server::{Home, PATIENCE, Server, pause};
use crate::phones::{code_in, taken, twilio};
use crate::races::long;

/// The key of the one tenant, whose SHA-256 is in the configuration: a key that is kept in
/// the store would be one more thing to ask of it.
const KEY: &str = "a key of the test's own, which is no secret to anybody else";
const KEY_SHA256: &str = "ec2ff2fc7896b663a1802fa4d8c99efa471d99388ec341c7be4bd33b3d62529d";

/// Where a send is stopped, after which the server is killed.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The n-th request to the store never gets there.
    Before(u64),
    /// The n-th request was answered, and nobody hears of it.
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
        store.sql("postgres", CLOCK);
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
        std::fs::write(&secret, Home::empty().run_ok(&["secret", "new"])).expect("written");
        let only_ours = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&secret, only_ours).expect("permissions");
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
        let ahead = "UPDATE shim.ahead SET by = by + interval '61 seconds'";
        self.store.sql("postgres", ahead);
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

    /// Stops a send, kills the server, and gives it started again, and whether the send got
    /// there: it may have come to its end before.
    async fn kill_at(&self, server: Server, stop: Stop, to: &str) -> (Server, bool) {
        let (struck, given) = (self.proxy.struck(), self.provider.asked().len());
        match stop {
            Stop::Before(nth) => self.proxy.strike(nth, Fault::Swallow(Way::ToServer)),
            Stop::After(nth) => self.proxy.strike(nth, Fault::Swallow(Way::ToClient)),
            Stop::Provider => {}
        }
        self.provider.play(match stop {
            Stop::Provider => Play::Silence,
            _ => taken(),
        });
        let (sending, clock) = (self.send(to), Stopwatch::start());
        let stopped = || match stop {
            Stop::Provider => self.provider.asked().len() > given,
            _ => self.proxy.struck() > struck,
        };
        while !stopped() && !sending.is_finished() {
            assert!(clock.elapsed() < PATIENCE, "{stop:?}: never reached");
            pause().await;
        }
        server.signal("KILL");
        assert!(!server.ended().await.success());
        let reached = stopped();
        drop(sending.await);
        self.proxy.cut_all();
        self.proxy.mend().await;
        (self.home.serve().await, reached)
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

/// The store's clock is the first one on the search path, and the test moves it.
const CLOCK: &str = "
    CREATE SCHEMA shim;
    CREATE TABLE shim.ahead (by interval NOT NULL);
    INSERT INTO shim.ahead VALUES ('0 seconds');
    CREATE FUNCTION shim.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS
        'SELECT pg_catalog.clock_timestamp() + (SELECT by FROM shim.ahead)';
    ALTER DATABASE postgres SET search_path = public, shim, pg_catalog";

/// How many requests a send is to the store, of a server that was just started: as each is
/// that is to be killed.
async fn extent(site: &Site) -> u64 {
    site.provider.play(taken());
    let before = site.proxy.counts().requests;
    let (status, body) = site.answer("+4740999999").await;
    assert_eq!(status, 200, "{body}");
    site.proxy.counts().requests - before
}

/// The provider first, as long as nothing else is left for it to play; then after each
/// request, one of which opens the session, so that a kill comes before its message; in the
/// long suite before each as well.
fn stops(requests: u64) -> impl Iterator<Item = Stop> {
    let at = |nth| {
        let before = long().then_some(Stop::Before(nth));
        before.into_iter().chain([Stop::After(nth)])
    };
    std::iter::once(Stop::Provider).chain((1..=requests).flat_map(at))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a53_killed_at_any_step_of_a_send_it_sends_once_when_asked_again() {
    let (site, clock) = (Site::start(), Stopwatch::start());
    let mut server = site.home.serve().await;
    let requests = extent(&site).await;
    let (mut kills, mut missed, mut ends) = (0, 0, BTreeMap::new());
    for stop in stops(requests) {
        kills += 1;
        let to = format!("+4740{kills:06}");
        let reached;
        (server, reached) = site.kill_at(server, stop, &to).await;
        missed += u32::from(!reached);
        let end = site.assert_sent_once(stop, &to).await;
        *ends.entry(end).or_insert(0) += 1;
    }
    assert!(missed * 10 <= kills, "{missed} of {kills} came too late");
    // Both must have been met, or the kills came all at one side of the message.
    assert_eq!(ends.len(), 2, "{ends:?}");
    println!(
        "a53: a send is {requests} requests; {kills} kills, {missed} after the answer, in {} ms",
        clock.elapsed_millis()
    );
    note(
        "a53",
        "PostgreSQL",
        From::Outside,
        &format!("{kills} kills at each step of a send, and retries"),
        &format!("no message alone, none twice; {ends:?}"),
    );
    server.stop().await;
}
