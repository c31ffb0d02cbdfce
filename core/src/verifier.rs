//! The verifier: the only orchestration of keys, records, stores and deliverers.

mod builder;
mod check;
mod idempotent;
mod money;
mod operate;
mod options;
mod pending;
mod report;
mod request;
mod resend;
mod sandbox;
mod send;
mod sources;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use self::builder::Builder;
pub use self::pending::Pending;
pub use self::request::{
    CheckRequest, DeliveryMode, Opened, ResendRequest, SendRequest, Sent, SentDelivery,
};

use crate::clock::{Clock, Timestamp};
use crate::deliver::Deliverer;
use crate::destination::{Channel, Destination};
use crate::error::StoreError;
use crate::keys::{KeyRing, Kind, Tag};
use crate::number_plan::NumberPlan;
use crate::observer::Observer;
use crate::policy::Policy;
use crate::random::Randomness;
use crate::record::{Action, Effect, RecordKey, Step};
use crate::store::SessionStore;
use crate::tenant::{Purpose, Tenant};

/// Sends codes and judges guesses. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) keys: KeyRing,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) random: Arc<dyn Randomness>,
    pub(crate) policy: Policy,
    pub(crate) deliverers: HashMap<Channel, Arc<dyn Deliverer>>,
    pub(crate) number_plan: Option<Arc<dyn NumberPlan>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) tests: sandbox::TestDestinations,
    pub(crate) made: std::sync::atomic::AtomicU64,
}

impl Verifier {
    /// Starts to build a verifier on `store`, with the default policy and no deliverer.
    #[must_use]
    pub fn builder(keys: KeyRing, store: Arc<dyn SessionStore>) -> Builder {
        Builder::new(keys, store)
    }

    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.0.store
    }

    fn now(&self) -> Option<Timestamp> {
        self.0.clock.as_ref().map(|clock| clock.now())
    }

    fn destination_key(&self, tenant: &Tenant, destination: &Destination) -> RecordKey {
        let name = destination.canonical().as_bytes();
        self.0
            .keys
            .record_key(Kind::Destination, tenant.tag(), name)
    }

    async fn apply(&self, key: RecordKey, tag: Tag, action: Action) -> Result<Effect, StoreError> {
        let step = Step {
            tag,
            at: self.now(),
            action,
        };
        match self.0.store.apply_now(key, &|| step.clone()) {
            Some(told) => told,
            None => self.0.store.apply(key, &step).await,
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &self.0.keys)
            .field("store", &self.0.store)
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}

/// What every effect that a step cannot have becomes: a bug of the store, not of the caller.
fn unexpected() -> StoreError {
    StoreError::unavailable("the store answered another step than it was asked")
}

#[cfg(test)]
mod tests;
