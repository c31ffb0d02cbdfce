//! A deliverer that is left alone while its provider is down.

mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use countersign::{Clock, DeliverError, Deliverer, Message, Permanent, Receipt};

use state::{Permit, State};

/// When a [`Breaker`] opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// Failures in a row after which it opens; at least 1.
    pub failures: u32,
    /// The first pause; it doubles with every trial that fails.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for BreakerConfig {
    /// 5 failures, then pauses from 5 seconds to 5 minutes.
    fn default() -> Self {
        Self {
            failures: 5,
            pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(300),
        }
    }
}

/// Stands before a deliverer, and opens when its provider is down.
///
/// Failures count that say that the provider is down or refuses us as such: transient
/// ones, lost answers and [`Permanent::Unauthorised`]. What a provider says of one
/// destination or one message, and that it asks for a pause, shows that it is up. While
/// the breaker is open, messages fail at once and as transient, so that the next deliverer
/// is asked without a time-out in between. After a pause one message is let through as a
/// trial: it closes the breaker, or doubles the pause.
pub struct Breaker {
    deliverer: Arc<dyn Deliverer>,
    clock: Arc<dyn Clock>,
    config: BreakerConfig,
    state: Mutex<State>,
}

impl Breaker {
    /// A closed breaker before `deliverer`.
    #[must_use]
    pub fn new(
        deliverer: Arc<dyn Deliverer>,
        clock: Arc<dyn Clock>,
        config: BreakerConfig,
    ) -> Self {
        Self {
            deliverer,
            clock,
            config,
            state: Mutex::new(State::closed()),
        }
    }

    /// Whether messages fail at once now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state().is_open()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A state is a plain value, right after every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Deliverer for Breaker {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let permit = self.state().permit(self.clock.now());
        if permit == Permit::Refused {
            return Err(DeliverError::transient());
        }
        let mut attempt = Attempt {
            breaker: self,
            permit,
            is_up: None,
        };
        let answer = self.deliverer.deliver(message).await;
        attempt.is_up = Some(answer.as_ref().map_or_else(is_up, |_| true));
        answer
    }
}

/// Whether the failure comes from a provider that works.
fn is_up(error: &DeliverError) -> bool {
    match error.reason() {
        None => error.retry_after().is_some(),
        Some(reason) => reason != Permanent::Unauthorised,
    }
}

/// Notes its outcome when it ends, also where whoever waited for it is gone: a trial that
/// nobody ends would keep the breaker open for ever.
struct Attempt<'a> {
    breaker: &'a Breaker,
    permit: Permit,
    is_up: Option<bool>,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = self.breaker.clock.now();
        let config = &self.breaker.config;
        self.breaker
            .state()
            .note(self.permit, self.is_up, now, config);
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("deliverer", &self.deliverer)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign::{
        Channel, Code, DeliverError, Deliverer, Destination, FakeClock, Message, Permanent,
        Receipt, Recorder,
    };

    use super::{Breaker, BreakerConfig};
    use std::time::Duration;

    struct Bench {
        provider: Arc<Recorder>,
        clock: Arc<FakeClock>,
        breaker: Breaker,
    }

    impl Bench {
        fn new() -> Self {
            let provider = Arc::new(Recorder::new());
            let clock = Arc::new(FakeClock::default());
            clock.advance_secs(1_000);
            let config = BreakerConfig {
                failures: 3,
                ..BreakerConfig::default()
            };
            let breaker = Breaker::new(provider.clone(), clock.clone(), config);
            Self {
                provider,
                clock,
                breaker,
            }
        }

        async fn deliver(&self) -> Result<Receipt, DeliverError> {
            let to = Destination::parse(Channel::Sms, "+4790000001").unwrap();
            let code = Code::from_custom("123456").unwrap();
            let message = Message::new(&to, Channel::Sms, &code);
            self.breaker.deliver(message).await
        }

        /// Fails so often with `error`, and says whether the breaker is open then.
        async fn opens_after(&self, times: usize, error: DeliverError) -> bool {
            self.provider.fail_with(Some(error));
            for _ in 0..times {
                assert_eq!(self.deliver().await, Err(error));
            }
            self.breaker.is_open()
        }
    }

    #[tokio::test]
    async fn it_opens_when_the_provider_is_down_or_refuses_our_credentials() {
        for error in [
            DeliverError::transient(),
            DeliverError::transient().may_have_left(),
            DeliverError::permanent(Permanent::Unauthorised),
        ] {
            let bench = Bench::new();
            assert!(!bench.opens_after(2, error).await, "{error:?}");
            assert!(bench.opens_after(1, error).await, "{error:?}");
            bench.provider.fail_with(None);
            assert_eq!(bench.deliver().await, Err(DeliverError::transient()));
            assert!(bench.provider.is_empty(), "an open breaker does not call");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_destination_or_a_message_does_not_open_it() {
        for error in [
            DeliverError::permanent(Permanent::InvalidDestination),
            DeliverError::permanent(Permanent::Blocked),
            DeliverError::permanent(Permanent::Refused),
            DeliverError::throttled(Duration::from_secs(1)),
        ] {
            let bench = Bench::new();
            bench.opens_after(2, DeliverError::transient()).await;
            assert!(!bench.opens_after(9, error).await, "{error:?}");
            let open = bench.opens_after(2, DeliverError::transient()).await;
            assert!(!open, "the provider is up: the count begins anew");
        }
    }

    #[tokio::test]
    async fn after_the_pause_one_trial_closes_it() {
        let bench = Bench::new();
        assert!(bench.opens_after(3, DeliverError::transient()).await);
        bench.provider.fail_with(None);
        bench.clock.advance_millis(4_999);
        assert!(bench.deliver().await.is_err());
        bench.clock.advance_millis(1);
        assert!(bench.deliver().await.is_ok());
        assert!(!bench.breaker.is_open());
        assert_eq!(bench.provider.len(), 1);
    }

    #[derive(Debug)]
    struct Never;

    #[async_trait::async_trait]
    impl Deliverer for Never {
        async fn deliver(&self, _: Message<'_>) -> Result<Receipt, DeliverError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_trial_that_is_given_up_makes_room_for_another() {
        let bench = Bench::new();
        let breaker = Breaker::new(
            Arc::new(Never),
            bench.clock.clone(),
            BreakerConfig::default(),
        );
        let bench = Bench { breaker, ..bench };
        // Opened by hand: the deliverer of this test never fails.
        for _ in 0..5 {
            let now = countersign::Clock::now(bench.clock.as_ref());
            let permit = bench.breaker.state().permit(now);
            let config = BreakerConfig::default();
            bench
                .breaker
                .state()
                .note(permit, Some(false), now, &config);
        }
        assert!(bench.breaker.is_open());
        bench.clock.advance_secs(5);
        for _ in 0..2 {
            let mut trial = Box::pin(bench.deliver());
            tokio::select! {
                biased;
                answer = &mut trial => panic!("{answer:?}"),
                second = bench.deliver() => assert_eq!(second, Err(DeliverError::transient())),
            }
        }
    }

    #[test]
    fn a70_debug_shows_no_more_than_the_deliverer() {
        let shown = format!("{:?}", Bench::new().breaker);
        assert!(shown.contains("Recorder") && shown.contains("open: false"));
    }
}
