//! Building a verifier: what is wrong is said at start, by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::clock::Clock;
use crate::code::Code;
use crate::deliver::Deliverer;
use crate::destination::{Channel, Destination};
use crate::error::BuildError;
use crate::keys::KeyRing;
use crate::policy::Policy;
use crate::random::{Randomness, SystemRandom};
use crate::store::SessionStore;
use crate::verifier::sandbox::TestDestinations;
use crate::verifier::{Inner, Verifier};

/// Collects the parts of a [`Verifier`].
#[derive(Debug)]
pub struct Builder {
    keys: KeyRing,
    store: Arc<dyn SessionStore>,
    clock: Option<Arc<dyn Clock>>,
    random: Arc<dyn Randomness>,
    policy: Policy,
    deliverers: HashMap<Channel, Arc<dyn Deliverer>>,
    tests: TestDestinations,
}

impl Builder {
    pub(crate) fn new(keys: KeyRing, store: Arc<dyn SessionStore>) -> Self {
        let (clock, policy, deliverers) = (None, Policy::default(), HashMap::new());
        let random = Arc::new(SystemRandom);
        Self {
            keys,
            store,
            clock,
            random,
            policy,
            deliverers,
            tests: TestDestinations::default(),
        }
    }

    /// Sets the rules.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Decides by this clock instead of the store's: for tests. Several servers on one
    /// store should leave time to the store.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Draws codes and nonces from this source: for tests of its failure.
    #[must_use]
    pub fn randomness(mut self, random: Arc<dyn Randomness>) -> Self {
        self.random = random;
        self
    }

    /// Sends what goes by `channel` through `deliverer`.
    #[must_use]
    pub fn deliverer(mut self, channel: Channel, deliverer: Arc<dyn Deliverer>) -> Self {
        self.deliverers.insert(channel, deliverer);
        self
    }

    /// Gives every session of this destination, in whatever spelling counts as it, the fixed
    /// `code`, whatever a request asks for. No deliverer is called or needed for it. All
    /// limits stay, those of guesses above all.
    ///
    /// Whoever knows the code passes as that destination: for tests, never in production.
    #[must_use]
    pub fn test_destination(mut self, to: Destination, code: Code) -> Self {
        self.tests.insert(to, code);
        self
    }

    /// The verifier. Call [`Verifier::probe`] before the first send.
    ///
    /// # Errors
    /// [`BuildError::Policy`] when the policy makes no sense.
    pub fn build(self) -> Result<Verifier, BuildError> {
        self.policy.validate()?;
        Ok(Verifier(Arc::new(Inner {
            keys: self.keys,
            store: self.store,
            clock: self.clock,
            random: self.random,
            policy: self.policy,
            deliverers: self.deliverers,
            tests: self.tests,
            sends: AtomicU64::new(0),
        })))
    }
}
