//! Live sessions on a store, and guesses at them.

use std::error::Error;
use std::sync::Arc;

use countersign::{
    Channel, CheckRequest, Destination, KeyRing, Policy, SendRequest, SessionStore, Tenant,
    Verdict, Verifier,
};
use countersign_benches::Taker;

use crate::crowd::crowd;

/// A guess is charged so often to each session; the fifth would end it.
const GUESSES: usize = 4;

/// A verifier with sessions that all wait for their code.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    verifier: Verifier,
    tenant: Tenant,
    ids: Vec<std::sync::OnceLock<String>>,
}

impl Sessions {
    /// Sends so many people a code.
    pub(crate) async fn open(store: Arc<dyn SessionStore>, count: usize) -> Result<Self, String> {
        let inner = Inner {
            verifier: verifier(store).map_err(|error| error.to_string())?,
            tenant: Tenant::new("bench").map_err(|error| error.to_string())?,
            ids: (0..count).map(|_| std::sync::OnceLock::new()).collect(),
        };
        let all = Self(Arc::new(inner));
        let sender = all.clone();
        crowd(256, 0, count, move |n| sender.clone().send(n)).await?;
        Ok(all)
    }

    async fn send(self, n: usize) -> Result<(), String> {
        let address = format!("user-{n}@example.com");
        let to = Destination::parse(Channel::Email, &address).map_err(|error| error.to_string())?;
        let request = SendRequest::new(&self.0.tenant, Channel::Email, &to);
        let sent = self
            .0
            .verifier
            .send(&request)
            .await
            .map_err(|error| error.to_string())?;
        let _ = self.0.ids[n].set(sent.session_id.to_string());
        Ok(())
    }

    /// A guess in a form that no code of this policy has but one in a million: wrong, and
    /// charged. Sessions take turns; a million sessions have one that is right.
    pub(crate) async fn guess(self, n: usize) -> Result<(), String> {
        let ids = &self.0.ids;
        let id = ids[n.wrapping_mul(7919) % ids.len()]
            .get()
            .ok_or("no such session")?;
        let request = CheckRequest::new(&self.0.tenant, id, "271828");
        match self.0.verifier.check(&request).await {
            Ok(Verdict::WrongCode { .. } | Verdict::Verified { .. } | Verdict::AlreadyUsed) => {
                Ok(())
            }
            Ok(other) => Err(format!("another verdict: {other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// How many guesses all of them take.
    pub(crate) fn guesses(&self) -> usize {
        self.0.ids.len() * GUESSES
    }
}

/// Email has two things that a bench needs: codes that outlive the filling of a store with
/// millions of them, and no limit that all its sends meet at, as the messages to one prefix
/// of numbers do. A check of either is the same.
fn verifier(store: Arc<dyn SessionStore>) -> Result<Verifier, Box<dyn Error>> {
    const DAY: u32 = 24 * 3600;
    let mut policy = Policy::default();
    policy.lifetime_seconds = DAY;
    policy.email_ceiling_seconds = DAY;
    let verifier = Verifier::builder(KeyRing::generate()?, store)
        .policy(policy)
        .deliverer(Channel::Email, Arc::new(Taker))
        .build()?;
    Ok(verifier)
}
