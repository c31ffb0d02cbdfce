//! A session and its code, for rules that guess.

use std::sync::Arc;

use countersign::record::{Action, Effect, Moment, Record, Step};
use countersign::store::Loaded;
use countersign::{
    Channel, CheckError, CheckRequest, Destination, KeyRing, Kind, Recorder, Secret, SendRequest,
    SessionStore, Tenant, Verdict, Verifier,
};

use crate::ground::{Boxed, Ground, join_all, on_threads};
use crate::violation::Violation;

/// How many guesses are made at once.
pub(crate) const GUESSES: usize = 256;
/// On how many threads.
pub(crate) const THREADS: usize = 8;

/// A session under keys of its own, so that no two rules meet.
pub(crate) struct Session {
    keys: Keys,
    verifier: Verifier,
    tenant: Tenant,
    to: Destination,
    id: String,
    code: String,
}

/// What is left of a [`Session`] when its store is closed.
pub(crate) struct Closed {
    keys: Keys,
    tenant: Tenant,
    id: String,
    code: String,
}

/// Secrets rather than a ring of them, so that a second verifier can have the same.
struct Keys {
    pseudonym: Secret,
    master: Secret,
}

impl Session {
    pub(crate) async fn open(ground: &Ground<'_>) -> Result<Self, Violation> {
        let inbox = Arc::new(Recorder::new());
        let keys = Keys {
            pseudonym: ground.works(Secret::generate())?,
            master: ground.works(Secret::generate())?,
        };
        let verifier = keys.verifier(ground, &inbox)?;
        let tenant = ground.works(Tenant::new("conformance"))?;
        let to = ground.works(Destination::parse(Channel::Email, "person@example.com"))?;
        let request = SendRequest::new(&tenant, Channel::Email, &to);
        let sent = ground.works(verifier.send(&request).await)?;
        let id = sent.session_id.to_string();
        let code = inbox
            .last_code()
            .ok_or_else(|| ground.broken("no code was sent"))?;
        Ok(Self {
            keys,
            verifier,
            tenant,
            to,
            id,
            code,
        })
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Lets go of the store.
    pub(crate) fn close(self) -> Closed {
        Closed {
            keys: self.keys,
            tenant: self.tenant,
            id: self.id,
            code: self.code,
        }
    }

    pub(crate) async fn check(&self, code: &str) -> Result<Verdict, CheckError> {
        self.verifier
            .check(&CheckRequest::new(&self.tenant, &self.id, code))
            .await
    }

    /// The code with another last digit.
    pub(crate) fn wrong(&self) -> String {
        let (most, last) = self.code.split_at(self.code.len().saturating_sub(1));
        format!("{most}{}", if last == "0" { '1' } else { '0' })
    }

    /// The verdicts of 256 checks at once; refusals are left to another rule.
    pub(crate) async fn at_once(
        &self,
        ground: &Ground<'_>,
        code: &str,
        in_one_task: bool,
    ) -> Vec<Result<Verdict, CheckError>> {
        if in_one_task {
            return join_all((0..GUESSES).map(|_| Box::pin(self.check(code)))).await;
        }
        let each = |_| -> Boxed<'_, Vec<_>> {
            let checks = (0..GUESSES / THREADS).map(|_| Box::pin(self.check(code)));
            Box::pin(async { join_all(checks).await })
        };
        on_threads(ground.harness, THREADS, each)
            .into_iter()
            .flatten()
            .collect()
    }

    /// Failed guesses, as the destination's record counts them. Read past `apply`, where
    /// a check that is half-way would keep us waiting.
    pub(crate) async fn charged(&self, ground: &Ground<'_>) -> Result<u8, Violation> {
        let (tag, name) = (self.tenant.tag(), self.to.canonical().as_bytes());
        let key = self
            .verifier
            .keys()
            .record_key(Kind::Destination, tag, name);
        let Loaded {
            value,
            now,
            incarnation,
        } = ground.load(key).await?;
        let policy = self.verifier.policy();
        let action = Action::Inspect(policy.destination, policy.known_device);
        let inspect = Step {
            tag,
            at: None,
            action,
        };
        let value = value.ok_or_else(|| ground.broken("the record is gone"))?;
        let mut record = ground.works(Record::decode(&value))?;
        match ground.works(record.step(&inspect, Moment { now, incarnation }))? {
            Effect::Inspection(seen) => Ok(u8::try_from(seen.open.streak).unwrap_or(u8::MAX)),
            other => Err(ground.broken(format!("inspecting gave {other:?}"))),
        }
    }
}

impl Closed {
    /// What another verifier of the same keys says to the same code, on the store that
    /// is there now.
    pub(crate) async fn check_again(&self, ground: &Ground<'_>) -> Result<Verdict, Violation> {
        let verifier = self.keys.verifier(ground, &Arc::default())?;
        let request = CheckRequest::new(&self.tenant, &self.id, &self.code);
        ground.works(verifier.check(&request).await)
    }
}

impl Keys {
    fn verifier(&self, ground: &Ground<'_>, inbox: &Arc<Recorder>) -> Result<Verifier, Violation> {
        let masters = std::slice::from_ref(&self.master);
        let ring = ground.works(KeyRing::new(&self.pseudonym, masters))?;
        let store: Arc<dyn SessionStore> = Arc::clone(&ground.store);
        let verifier = Verifier::builder(ring, store)
            .deliverer(Channel::Email, Arc::clone(inbox) as _)
            .build();
        ground.works(verifier)
    }
}
