//! The breaker's decisions, as a plain value: no clock, no lock.

use std::time::Duration;

use countersign::Timestamp;

use super::BreakerConfig;

/// What a message may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// Goes on, as all do.
    Closed,
    /// Goes on alone, as a trial.
    Trial,
    /// Fails at once.
    Refused,
}

/// Closed with so many failures in a row, or open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Closed {
        failures: u32,
    },
    Open {
        since: Timestamp,
        pause: Duration,
        trial: bool,
    },
}

impl State {
    pub(super) const fn closed() -> Self {
        Self::Closed { failures: 0 }
    }

    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Asks for leave; whoever gets it tells the outcome by [`State::note`].
    pub(super) fn permit(&mut self, now: Timestamp) -> Permit {
        match self {
            Self::Closed { .. } => Permit::Closed,
            Self::Open { trial: true, .. } => Permit::Refused,
            Self::Open {
                since,
                pause,
                trial,
            } => {
                // A clock that was set back must not hold the breaker open: then it is due.
                let waited = u128::from(now.millis_since(*since)) >= pause.as_millis();
                if !waited && now >= *since {
                    return Permit::Refused;
                }
                *trial = true;
                Permit::Trial
            }
        }
    }

    /// Takes in how an attempt ended: whether the provider is up, or none where nobody
    /// waited for its answer. Attempts that began before the breaker opened change nothing
    /// any more.
    pub(super) fn note(
        &mut self,
        permit: Permit,
        is_up: Option<bool>,
        now: Timestamp,
        config: &BreakerConfig,
    ) {
        *self = match (*self, permit, is_up) {
            (Self::Closed { .. }, Permit::Closed, Some(true))
            | (Self::Open { .. }, Permit::Trial, Some(true)) => Self::closed(),
            (Self::Closed { failures }, Permit::Closed, Some(false)) => {
                let failures = failures.saturating_add(1);
                if failures >= config.failures {
                    open(now, config.pause, config)
                } else {
                    Self::Closed { failures }
                }
            }
            (Self::Open { pause, .. }, Permit::Trial, Some(false)) => {
                open(now, pause.saturating_mul(2), config)
            }
            (Self::Open { since, pause, .. }, Permit::Trial, None) => Self::Open {
                since,
                pause,
                trial: false,
            },
            (unchanged, ..) => unchanged,
        };
    }
}

fn open(since: Timestamp, pause: Duration, config: &BreakerConfig) -> State {
    State::Open {
        since,
        pause: pause.min(config.longest_pause),
        trial: false,
    }
}

#[cfg(test)]
mod tests {
    use super::{BreakerConfig, Permit, State};
    use countersign::Timestamp;
    use std::time::Duration;

    fn config() -> BreakerConfig {
        BreakerConfig {
            failures: 2,
            pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(60),
        }
    }

    fn opened(at: u64) -> State {
        let mut state = State::closed();
        for _ in 0..2 {
            let permit = state.permit(Timestamp::from_secs(at));
            state.note(permit, Some(false), Timestamp::from_secs(at), &config());
        }
        assert!(state.is_open());
        state
    }

    #[test]
    fn the_pause_doubles_up_to_its_bound() {
        let mut state = opened(100);
        let mut now = 100;
        for pause in [5, 10, 20, 40, 60, 60] {
            let early = Timestamp::from_secs(now + pause - 1);
            assert_eq!(state.permit(early), Permit::Refused, "{pause}");
            now += pause;
            let due = Timestamp::from_secs(now);
            assert_eq!(state.permit(due), Permit::Trial, "{pause}");
            assert_eq!(state.permit(due), Permit::Refused, "one at a time");
            state.note(Permit::Trial, Some(false), due, &config());
        }
        now += 60;
        let due = Timestamp::from_secs(now);
        assert_eq!(state.permit(due), Permit::Trial);
        state.note(Permit::Trial, Some(true), due, &config());
        assert_eq!(state, State::closed());
    }

    #[test]
    fn attempts_of_before_it_opened_change_nothing() {
        let mut state = opened(100);
        let before = state;
        for is_up in [Some(true), Some(false), None] {
            state.note(Permit::Closed, is_up, Timestamp::from_secs(101), &config());
            assert_eq!(state, before);
        }
    }

    #[test]
    fn a63_a_clock_set_back_does_not_hold_it_open() {
        let mut state = opened(1_000_000);
        assert_eq!(state.permit(Timestamp::from_secs(10)), Permit::Trial);
    }

    #[test]
    fn an_attempt_that_nobody_waited_for_says_nothing() {
        let mut state = State::closed();
        let now = Timestamp::from_secs(1);
        state.note(Permit::Closed, Some(false), now, &config());
        state.note(Permit::Closed, None, now, &config());
        assert_eq!(state, State::Closed { failures: 1 });
    }
}
