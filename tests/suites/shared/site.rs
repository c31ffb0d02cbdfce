//! A verifier whose way to its store leads over a network that fails, and a witness with
//! a way of its own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use countersign::record::{Inspection, SessionState, SessionView};
use countersign::{
    Channel, CheckError, CheckRequest, Destination, KeyRing, Recorder, Secret, SendError,
    SendRequest, Sent, Tenant, Verdict, Verifier,
};

use super::behind::Behind;
use super::net::Net;
use super::store::Kind;

/// How long a store waits for an answer before it gives up, in these tests.
pub(crate) const TIME_OUT: Duration = Duration::from_millis(250);

/// Within which every call must be answered, whatever the network does: an operation is
/// a few calls of the store, each of which may reconnect and wait. It tells an answer
/// from a call that hangs, and nothing finer.
const BOUND: Duration = Duration::from_secs(10);

/// Calls within which a verifier must have found its way back.
const TRIES: u32 = 20;

pub(crate) struct Site {
    pub(crate) kind: Kind,
    /// The one under test.
    verifier: Verifier,
    /// The same deployment over connections that no fault meets.
    witness: Verifier,
    pub(crate) net: Net,
    inbox: Arc<Recorder>,
    tenant: Tenant,
    numbers: AtomicU32,
    // The store ends after those that use it.
    _behind: Behind,
}

/// A session and its code.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) to: Destination,
    pub(crate) code: String,
}

impl Site {
    pub(crate) async fn start(kind: Kind) -> Self {
        let (behind, net) = Behind::start(kind).await;
        let inbox = Arc::new(Recorder::new());
        let secrets = [0; 2].map(|_| Secret::generate().expect("randomness"));
        let verifier = |store| {
            let ring = KeyRing::new(&secrets[0], &secrets[1..]).expect("a ring");
            Verifier::builder(ring, store)
                .deliverer(Channel::Sms, Arc::clone(&inbox) as _)
                .build()
                .expect("a verifier")
        };
        let witness = verifier(behind.past(BOUND).await);
        let verifier = verifier(behind.over(TIME_OUT).await);
        let site = Self {
            kind,
            verifier,
            witness,
            net,
            inbox,
            tenant: Tenant::new("acme").expect("a name"),
            numbers: AtomicU32::new(0),
            _behind: behind,
        };
        site.witness.probe().await.expect("an atomic store");
        site.finds_its_way().await;
        site
    }

    /// A destination that nothing was sent to before.
    pub(crate) fn somebody(&self) -> Destination {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        Destination::parse_any(&format!("+4740{number:06}")).expect("a number")
    }

    /// Sends over the failing network.
    pub(crate) async fn send(&self, to: &Destination) -> Result<Sent, SendError> {
        let request = SendRequest::new(&self.tenant, Channel::Sms, to);
        self.in_bounds(self.verifier.send(&request)).await
    }

    /// Guesses over the failing network.
    pub(crate) async fn check(
        &self,
        session: &Session,
        guess: &str,
    ) -> Result<Verdict, CheckError> {
        self.check_as(session, guess, None).await
    }

    /// Guesses over the failing network, with an id of the attempt.
    pub(crate) async fn check_as(
        &self,
        session: &Session,
        guess: &str,
        attempt: Option<&str>,
    ) -> Result<Verdict, CheckError> {
        let mut request = CheckRequest::new(&self.tenant, &session.id, guess);
        request.attempt_id = attempt;
        self.in_bounds(self.verifier.check(&request)).await
    }

    /// A session, sent while nothing fails.
    pub(crate) async fn session(&self) -> Session {
        let to = self.somebody();
        let request = SendRequest::new(&self.tenant, Channel::Sms, &to);
        let sent = self.witness.send(&request).await;
        self.known(&sent.expect("nothing fails"), &to)
    }

    /// A session that was sent, with its code.
    pub(crate) fn known(&self, sent: &Sent, to: &Destination) -> Session {
        Session {
            id: sent.session_id.to_string(),
            to: to.clone(),
            code: self.codes_to(to).pop().expect("a message"),
        }
    }

    /// The verdict on a guess while nothing fails. What a dead connection left behind (the
    /// lock on a row) may have to be waited for.
    pub(crate) async fn verdict(&self, session: &Session, guess: &str) -> Verdict {
        self.verdict_as(session, guess, None).await
    }

    pub(crate) async fn verdict_as(
        &self,
        session: &Session,
        guess: &str,
        attempt: Option<&str>,
    ) -> Verdict {
        let mut request = CheckRequest::new(&self.tenant, &session.id, guess);
        request.attempt_id = attempt;
        let verdict = self.witness.check(&request).await;
        verdict.unwrap_or_else(|error| panic!("{}: {error}", self.kind))
    }

    /// How a session stands in the store.
    pub(crate) async fn stands(&self, session: &Session) -> SessionView {
        let seen = self.witness.status(&self.tenant, &session.id).await;
        seen.expect("nothing fails").expect("it is there")
    }

    pub(crate) async fn is_verified(&self, session: &Session) -> bool {
        self.stands(session).await.state == SessionState::Verified
    }

    /// Attempts of a live session that the store has counted.
    pub(crate) async fn used(&self, session: &Session) -> u8 {
        let seen = self.stands(session).await;
        assert_eq!(seen.state, SessionState::Live, "{}", self.kind);
        5 - seen.attempts_remaining
    }

    /// What the store holds about a destination.
    pub(crate) async fn held(&self, to: &Destination) -> Inspection {
        let seen = self.witness.inspect(&self.tenant, to).await;
        seen.expect("nothing fails")
    }

    /// The codes of all messages that left for a destination.
    pub(crate) fn codes_to(&self, to: &Destination) -> Vec<String> {
        let mut messages = self.inbox.messages();
        messages.retain(|message| message.destination == to.exact());
        messages.into_iter().map(|message| message.code).collect()
    }

    /// Lifts every fault: without a restart the verifier must serve again within a few
    /// calls, first the destination that met the fault, then a send and its check. Gives
    /// how many it took.
    pub(crate) async fn mended(&self, to: &Destination) -> u32 {
        self.net.mend().await;
        for tries in 0..TRIES {
            let seen = self
                .in_bounds(self.verifier.inspect(&self.tenant, to))
                .await;
            if seen.is_ok() {
                return tries + self.finds_its_way().await;
            }
        }
        panic!("{}: serves {to:?} no more after {TRIES} tries", self.kind);
    }

    async fn finds_its_way(&self) -> u32 {
        for tries in 1..=TRIES {
            let to = self.somebody();
            let Ok(sent) = self.send(&to).await else {
                continue;
            };
            let session = self.known(&sent, &to);
            if self
                .check(&session, &session.code)
                .await
                .is_ok_and(|v| v.is_verified())
            {
                return tries;
            }
        }
        panic!("{}: does not serve again after {TRIES} tries", self.kind);
    }

    async fn in_bounds<T>(&self, call: impl Future<Output = T>) -> T {
        let answer = tokio::time::timeout(BOUND, call).await;
        answer.unwrap_or_else(|_| panic!("{}: no answer within {BOUND:?}", self.kind))
    }
}
