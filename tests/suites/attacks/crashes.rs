//! A53: a process that dies at any step of a send with an idempotency key, and a retry by
//! another one, on every store.

use std::sync::Arc;

use countersign::{
    Channel, CheckRequest, Destination, FakeClock, Recorder, ResendRequest, SendError, SendRequest,
    Sent, SentDelivery, SessionState, SessionStore, Tenant, Verifier,
};

use super::crashing::{Death, Life, Mortal};
use super::desk::{BEGIN, ring};
use super::stores::{Kind, Opened, on_every_store};
use super::timed::Timed;

/// How long a try holds its key, in seconds.
const LEASE: u64 = 60;

/// The processes of a deployment, one after the other.
struct Site {
    kind: Kind,
    store: Arc<dyn SessionStore>,
    clock: Arc<FakeClock>,
    inbox: Arc<Recorder>,
    tenant: Tenant,
}

impl Site {
    fn new(kind: Kind, stores: &Opened) -> Self {
        let clock = Arc::new(FakeClock::at(BEGIN));
        Self {
            kind,
            store: Arc::new(Timed::over(
                Arc::clone(&stores.handles[0]),
                Arc::clone(&clock),
            )),
            clock,
            inbox: Arc::new(Recorder::new()),
            tenant: Tenant::new("acme").unwrap(),
        }
    }

    /// A process that lives so long.
    fn process(&self, life: &Arc<Life>) -> Verifier {
        let store = Mortal {
            inner: Arc::clone(&self.store),
            life: Arc::clone(life),
        };
        let post = Mortal {
            inner: Arc::clone(&self.inbox),
            life: Arc::clone(life),
        };
        Verifier::builder(ring(), Arc::new(store))
            .deliverer(Channel::Sms, Arc::new(post))
            .build()
            .unwrap()
    }

    /// A send with a key to somebody, by a process that lives so long; none if it died.
    async fn send(&self, life: &Arc<Life>, to: &Destination) -> Option<Result<Sent, SendError>> {
        let process = self.process(life);
        let mut request = SendRequest::new(&self.tenant, Channel::Sms, to);
        request.idempotency_key = Some(to.exact());
        request.end_user_ip = Some([192, 0, 2, 53].into());
        life.of(process.send(&request)).await
    }

    async fn retry(&self, to: &Destination) -> Result<Sent, SendError> {
        let answer = self.send(&Life::until(Death::Never), to).await;
        answer.unwrap()
    }

    fn codes_to(&self, to: &Destination) -> Vec<String> {
        let mut messages = self.inbox.messages();
        messages.retain(|message| message.destination == to.exact());
        messages.into_iter().map(|message| message.code).collect()
    }

    /// Sessions of a destination, and how many of them live.
    async fn sessions(&self, to: &Destination) -> (usize, usize) {
        let process = self.process(&Life::until(Death::Never));
        let held = process.inspect(&self.tenant, to).await;
        let held = held.unwrap().sessions;
        let is_live = |state: SessionState| state == SessionState::Live;
        let live = held.iter().filter(|session| is_live(session.state)).count();
        (held.len(), live)
    }

    async fn verifies(&self, sent: &Sent, code: &str) -> bool {
        let process = self.process(&Life::until(Death::Never));
        let id = sent.session_id.to_string();
        let verdict = process
            .check(&CheckRequest::new(&self.tenant, &id, code))
            .await;
        verdict.unwrap().is_verified()
    }

    async fn resend(&self, sent: &Sent, to: &Destination) {
        let process = self.process(&Life::until(Death::Never));
        let request = ResendRequest::new(&self.tenant, sent.session_id, to);
        process.resend(&request).await.unwrap();
    }

    /// One death and what a client makes of it.
    async fn survive(&self, death: Death, to: &Destination) {
        let what = format!("{}, {death:?}", self.kind);
        let answer = self.send(&Life::until(death), to).await;
        assert!(answer.is_none(), "{what}: it lived: {answer:?}");
        let (opened, _) = self.sessions(to).await;
        assert!(self.codes_to(to).len() <= opened, "{what}: a message alone");
        // At once: the try that died may still be under way, for all the store knows.
        match self.retry(to).await {
            Ok(_) | Err(SendError::IdempotencyInProgress { .. }) => {}
            Err(error) => panic!("{what}: {error}"),
        }
        self.clock.advance_secs(LEASE + 1);
        let sent = self.retry(to).await;
        let sent = sent.unwrap_or_else(|error| panic!("{what}: {error}"));
        let again = self.retry(to).await.unwrap();
        assert_eq!(sent.session_id, again.session_id, "{what}");
        assert_eq!(self.sessions(to).await, (1, 1), "{what}: sessions");
        let mut codes = self.codes_to(to);
        assert!(codes.len() <= 1, "{what}: {} messages", codes.len());
        if codes.is_empty() {
            // The person is told that it may have left, and asks for another.
            assert_eq!(sent.delivery, SentDelivery::Unknown, "{what}");
            self.resend(&sent, to).await;
            codes = self.codes_to(to);
        }
        assert!(self.verifies(&sent, &codes[0]).await, "{what}");
        assert!(!self.verifies(&sent, &codes[0]).await, "{what}: twice");
    }
}

fn somebody(number: usize) -> Destination {
    Destination::parse_any(&format!("+4740{number:06}")).unwrap()
}

#[test]
fn a53_a_death_at_any_step_of_a_send_leaves_one_session_and_one_message_at_most() {
    on_every_store(|kind| async move {
        let stores = kind.open(1).await;
        let site = Site::new(kind, &stores);
        let whole = Life::until(Death::Never);
        let answer = site.send(&whole, &somebody(0)).await;
        assert!(answer.is_some_and(|sent| sent.is_ok()), "{kind}");
        let deaths = (0..whole.steps()).flat_map(|step| [Death::Before(step), Death::After(step)]);
        let deaths: Vec<_> = deaths.collect();
        for (number, death) in (1..).zip(&deaths) {
            site.survive(*death, &somebody(number)).await;
            site.clock.advance_secs(3600);
        }
        let tried = format!("{} steps of a send, {} deaths", whole.steps(), deaths.len());
        kind.note("a53", &tried, "no message alone, none twice");
    });
}
