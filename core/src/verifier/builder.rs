//! Building a verifier: what is wrong is said at start, by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::clock::Clock;
use crate::code::Code;
use crate::deliver::Deliverer;
use crate::destination::{Channel, Destination};
use crate::error::{BuildError, PolicyError};
use crate::keys::KeyRing;
use crate::number_plan::NumberPlan;
use crate::observer::Observer;
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
    number_plan: Option<Arc<dyn NumberPlan>>,
    observer: Option<Arc<dyn Observer>>,
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
            number_plan: None,
            observer: None,
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

    /// Reads phone numbers, serves them or not, and prices messages by this plan.
    #[must_use]
    pub fn number_plan(mut self, plan: Arc<dyn NumberPlan>) -> Self {
        self.number_plan = Some(plan);
        self
    }

    /// Tells this observer what limits in a dry run would have refused.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
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
    /// [`BuildError::Policy`] when the policy makes no sense, or caps what is spent while
    /// there is no number plan that knows prices.
    pub fn build(self) -> Result<Verifier, BuildError> {
        self.policy.validate()?;
        if self.number_plan.is_none() {
            refuse_caps_without_prices(&self.policy)?;
        }
        Ok(Verifier(Arc::new(Inner {
            keys: self.keys,
            store: self.store,
            clock: self.clock,
            random: self.random,
            policy: self.policy,
            deliverers: self.deliverers,
            number_plan: self.number_plan,
            observer: self.observer,
            tests: self.tests,
            made: AtomicU64::new(0),
        })))
    }
}

/// A cap that counts nothing would only look like one.
fn refuse_caps_without_prices(policy: &Policy) -> Result<(), PolicyError> {
    for (field, cap) in policy.spend_caps() {
        if let Some(value) = cap {
            let problem = "a cap on spend needs a number plan that knows prices";
            return Err(PolicyError {
                field,
                value,
                problem,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryStore, NumberPlan, PhoneNumber, Served, Unserved};

    #[derive(Debug)]
    struct Free;

    impl NumberPlan for Free {
        fn serve(&self, _: Channel, _: &PhoneNumber) -> Result<Served, Unserved> {
            Ok(Served::new("+47", 0))
        }
    }

    #[test]
    fn a71_a_cap_on_spend_without_prices_is_refused_by_name() {
        let builder = |change: fn(&mut Policy)| {
            let mut policy = Policy::default();
            change(&mut policy);
            let store = Arc::new(MemoryStore::new());
            Verifier::builder(KeyRing::generate().unwrap(), store).policy(policy)
        };
        let tenant: fn(&mut Policy) = |policy| policy.tenant_daily_spend_micros = Some(1);
        let total: fn(&mut Policy) = |policy| policy.total_daily_spend_micros = Some(1);
        for (change, name) in [
            (tenant, "tenant_daily_spend_micros"),
            (total, "total_daily_spend_micros"),
        ] {
            let refused = builder(change).build();
            assert!(
                matches!(&refused, Err(BuildError::Policy(error)) if error.field == name),
                "{refused:?}"
            );
            assert!(builder(change).number_plan(Arc::new(Free)).build().is_ok());
        }
        assert!(builder(|_| ()).build().is_ok());
    }
}
