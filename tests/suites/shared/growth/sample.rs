//! Records as real sends and checks make them.

use std::sync::Arc;

use countersign::{
    Channel, CheckRequest, Clock as _, Destination, FakeClock, Kind, MemoryStore, Policy, Recorder,
    SendRequest, Tenant, Timestamp, Verifier,
};

use super::keys;

/// One destination of one tenant, on a clock that can be set.
pub(crate) struct Person {
    verifier: Verifier,
    recorder: Arc<Recorder>,
    clock: Arc<FakeClock>,
    tenant: Tenant,
    to: Destination,
}

/// A session and the code that was sent.
struct Live {
    id: String,
    code: String,
}

/// A record, and what it is called.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// The three that the page names.
pub(crate) async fn all() -> [Sample; 3] {
    let sample = |name, bytes| Sample { name, bytes };
    [
        sample("fresh", fresh().await),
        sample("typical", typical().await),
        sample("worst", worst().await),
    ]
}

/// Just sent to, for the first time.
async fn fresh() -> Vec<u8> {
    let mut person = Person::new();
    person.send(false).await.expect("it is sent");
    person.record().await
}

/// Signed in this morning, mistyped tonight's code once, and has not tried again yet.
async fn typical() -> Vec<u8> {
    let mut person = Person::new();
    let morning = person.send(false).await.expect("it is sent");
    person.check(&morning, &morning.code).await;
    person.clock.advance_secs(12 * 3600);
    let tonight = person.send(false).await.expect("it is sent");
    person.check(&tonight, &tonight.wrong(0)).await;
    person.record().await
}

/// The largest that a record becomes in two days under somebody who sends and guesses
/// whenever that is allowed, in both lanes, each guess with an attempt's id.
async fn worst() -> Vec<u8> {
    let mut person = Person::new();
    let mut live = Vec::new();
    let mut largest = Vec::new();
    for minute in 0..2 * 24 * 60 {
        for known_device in [false, true] {
            live.extend(person.send(known_device).await);
        }
        for session in live.iter().rev().take(4) {
            person.check(session, &session.wrong(minute)).await;
            let record = person.record().await;
            if record.len() > largest.len() {
                largest = record;
            }
        }
        person.clock.advance_secs(60);
    }
    largest
}

impl Person {
    fn new() -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_700_000_000)));
        let recorder = Arc::new(Recorder::new());
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        let verifier = Verifier::builder(keys(), store)
            .policy(Policy::default())
            .deliverer(Channel::Email, recorder.clone())
            .build();
        Self {
            verifier: verifier.expect("the default policy is valid"),
            recorder,
            clock,
            tenant: Tenant::new("acme").expect("a name"),
            to: Destination::parse(Channel::Email, "person@example.com").expect("an address"),
        }
    }

    /// Sends, unless a limit refuses it.
    async fn send(&mut self, known_device: bool) -> Option<Live> {
        let mut request = SendRequest::new(&self.tenant, Channel::Email, &self.to);
        request.known_device = known_device;
        let sent = self.verifier.send(&request).await.ok()?;
        let id = sent.session_id.to_string();
        let code = self.recorder.last_code()?;
        Some(Live { id, code })
    }

    async fn check(&self, session: &Live, code: &str) {
        let attempt = self.clock.now().to_string();
        let mut request = CheckRequest::new(&self.tenant, &session.id, code);
        request.attempt_id = Some(&attempt);
        let verdict = self.verifier.check(&request).await;
        let _whichever = verdict.expect("a verdict");
    }

    async fn record(&self) -> Vec<u8> {
        let (tag, name) = (self.tenant.tag(), self.to.canonical().as_bytes());
        let key = self
            .verifier
            .keys()
            .record_key(Kind::Destination, tag, name);
        let loaded = self.verifier.store().load(key).await.expect("it loads");
        loaded.value.expect("there is a record")
    }
}

impl Live {
    /// Another code than the right one.
    fn wrong(&self, n: u32) -> String {
        let right: u32 = self.code.parse().expect("digits");
        format!("{:06}", (right + 1 + n) % 1_000_000)
    }
}
