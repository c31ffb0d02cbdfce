//! Countersign itself, by its public door: texts in, verdict out, on the system's clock.

use std::sync::Arc;

use async_trait::async_trait;
use countersign::{
    Channel, CheckRequest, Code, DeliverError, Deliverer, Destination, KeyRing, MemoryStore,
    Message, Receipt, Secret, SendRequest, SessionStore, Tenant, Verdict, Verifier,
};

use crate::contender::{Contender, ready};
use crate::people::People;

/// A verifier on the memory store, and the ids of its sessions.
#[derive(Debug)]
pub struct Countersigned {
    verifier: Verifier,
    tenant: Tenant,
    ids: String,
}

const ID: usize = "sess_01234567890123456789012".len();

impl Countersigned {
    /// The session id of a person, as text.
    #[must_use]
    pub fn id(&self, person: usize) -> &str {
        &self.ids[person * ID..][..ID]
    }

    /// A verifier for a bench: default policy, and a deliverer that takes everything.
    /// Its keys are the same in every run, and so is where its records lie.
    ///
    /// # Panics
    /// Never: the secrets are long enough.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the secrets are long enough")]
    pub fn verifier() -> Verifier {
        let secret = |byte| Secret::new(vec![byte; 32]).expect("32 bytes");
        let keys = KeyRing::new(&secret(1), &[secret(2)]).expect("one master key");
        Self::on(keys, Arc::new(MemoryStore::new()))
    }

    /// The same on a store.
    ///
    /// # Panics
    /// Never: the default policy fits.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the default policy fits")]
    pub fn on(keys: KeyRing, store: Arc<dyn SessionStore>) -> Verifier {
        Verifier::builder(keys, store)
            .deliverer(Channel::Sms, Arc::new(Taker))
            .build()
            .expect("the default policy fits")
    }

    /// Sends a code of the caller's to a number, both as text. Gives the session's id.
    #[must_use]
    pub fn send_to(
        verifier: &Verifier,
        tenant: &Tenant,
        number: &str,
        code: Option<&str>,
    ) -> Option<String> {
        let to = Destination::parse(Channel::Sms, number).ok()?;
        let mut request = SendRequest::new(tenant, Channel::Sms, &to);
        if let Some(code) = code {
            request.custom_code = Code::from_custom(code).ok();
        }
        let sent = ready(verifier.send(&request)).ok()?;
        Some(sent.session_id.to_string())
    }

    fn check(&self, id: &str, code: &str) -> Option<Verdict> {
        ready(
            self.verifier
                .check(&CheckRequest::new(&self.tenant, id, code)),
        )
        .ok()
    }
}

impl Contender for Countersigned {
    const NAME: &'static str = "countersign";

    #[expect(clippy::expect_used, reason = "a bench without sessions cannot go on")]
    fn open(people: &People) -> Self {
        let verifier = Self::verifier();
        let tenant = Tenant::new("bench").expect("a name");
        let mut ids = vec![String::new(); people.count()];
        for person in people.order() {
            let code = Some(people.code(person));
            ids[person] = Self::send_to(&verifier, &tenant, people.number(person), code)
                .expect("every session is opened");
        }
        Self {
            verifier,
            tenant,
            ids: ids.concat(),
        }
    }

    fn right(&mut self, people: &People, person: usize) -> bool {
        let verdict = self.check(self.id(person), people.code(person));
        matches!(verdict, Some(Verdict::Verified { .. }))
    }

    fn wrong(&mut self, people: &People, person: usize) -> bool {
        let verdict = self.check(self.id(person), people.wrong_code(person));
        matches!(verdict, Some(Verdict::WrongCode { .. }))
    }

    fn send(&mut self, people: &People, n: usize) -> bool {
        let number = people.number(people.count() + n);
        Self::send_to(&self.verifier, &self.tenant, number, None).is_some()
    }
}

/// A deliverer that takes every message and does nothing.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing")]
pub struct Taker;

#[async_trait]
impl Deliverer for Taker {
    async fn deliver(&self, _: Message<'_>) -> Result<Receipt, DeliverError> {
        Ok(Receipt::new("nobody"))
    }
}
