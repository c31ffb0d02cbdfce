//! The alarm for guesses that fail over all destinations.
//!
//! Who guesses once at each of very many destinations (sprays) passes every limit of one
//! destination, and those of one source where it has many. Nothing of one record tells it: only
//! the sum does.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use countersign::{Limit, Stopwatch, Verdict};

use crate::key_cache::Ticker;
use crate::metrics;

/// While guesses go on failing, the alarm is raised once in so many milliseconds.
const QUIET_MILLIS: u64 = 60_000;

/// Counts in the memory of one process: each server raises its own.
#[derive(Debug)]
pub(crate) struct FailureAlarm {
    limit: Option<Limit>,
    ticker: Ticker,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    /// When the last ones were, in milliseconds: one more than the limit, at most.
    times: VecDeque<u64>,
    raised: Option<u64>,
}

impl FailureAlarm {
    /// With six digits a guess is right once in a million: so many a minute, without a pause,
    /// are one hit a week. Where one guess in ten is wrong, it takes a thousand checks a minute
    /// to fail so often without an attack.
    pub(crate) const USUAL: Limit = Limit::new(100, 60);

    pub(crate) fn new(limit: Option<Limit>) -> Self {
        Self {
            limit,
            ticker: Ticker::Monotonic(Stopwatch::start()),
            failures: Mutex::default(),
        }
    }

    /// Counts a guess that failed, and raises the alarm if there were too many.
    pub(crate) fn note(&self, verdict: &Verdict) {
        let (Some(limit), true) = (self.limit, has_failed(verdict)) else {
            return;
        };
        let now = self.ticker.millis();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let is_to_raise = failures.note(limit, now);
        drop(failures);
        if is_to_raise {
            metrics::failure_alarm();
            let Limit { max, seconds } = limit;
            tracing::warn!(
                more_than = max,
                in_seconds = seconds,
                "many guesses fail over all destinations: somebody may be trying codes"
            );
        }
    }
}

impl Failures {
    /// Notes a failure. Says whether there are more within the limit's time than it allows,
    /// and nobody was told within the last minute.
    fn note(&mut self, limit: Limit, now: u64) -> bool {
        let span = u64::from(limit.seconds) * 1000;
        while self.times.front().is_some_and(|time| time + span <= now) {
            self.times.pop_front();
        }
        if self.times.len() > usize::from(limit.max) {
            self.times.pop_front();
        }
        self.times.push_back(now);
        let was_told = |raised| now < raised + QUIET_MILLIS;
        if self.times.len() <= usize::from(limit.max) || self.raised.is_some_and(was_told) {
            return false;
        }
        self.raised = Some(now);
        true
    }
}

/// What a guess comes to that was compared and is not right; and one at a session that has no
/// attempts left, which nobody makes who has the code.
const fn has_failed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::WrongCode { .. } | Verdict::Exhausted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit::new(100, 60);

    /// When the alarm is raised, of failures at these times in milliseconds.
    fn raised(times: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut failures = Failures::default();
        let times = times.into_iter();
        times.filter(|now| failures.note(LIMIT, *now)).collect()
    }

    #[test]
    fn a18_the_first_failure_beyond_the_limit_raises_the_alarm() {
        assert!(raised((0..100).map(|n| n * 10)).is_empty());
        assert_eq!(raised((0..101).map(|n| n * 10)), [1000]);
        // All at once, and spread over the whole minute.
        assert_eq!(raised([7; 101]), [7]);
        assert_eq!(raised((0..101).map(|n| n * 599)), [59_900]);
    }

    #[test]
    fn a18_the_minute_slides() {
        // A hundred at the end of one minute, and one more at the beginning of the next.
        let late = std::iter::repeat_n(59_999, 100);
        assert_eq!(raised(late.clone().chain([119_998])), [119_998]);
        assert!(raised(late.chain([119_999])).is_empty());
        // As fast as the limit allows, for ever.
        assert!(raised((0..10_000).map(|n| n * 600)).is_empty());
    }

    #[test]
    fn a18_a_spray_is_told_once_a_minute_while_it_lasts() {
        // Ten a second for five minutes, then quiet, then again.
        let spray = |from: u64| (0..3000).map(move |n| from + n * 100);
        let told = raised(spray(0).chain(spray(3_600_000)));
        let minutes: Vec<_> = [0, 3_600_000]
            .into_iter()
            .flat_map(|from| (0..5).map(move |minute| from + 10_000 + minute * 60_000))
            .collect();
        assert_eq!(told, minutes);
    }

    #[test]
    fn it_holds_no_more_than_its_bound() {
        let mut failures = Failures::default();
        for _ in 0..10_000 {
            failures.note(LIMIT, 0);
            assert!(failures.times.len() <= 101);
        }
    }

    #[test]
    fn only_guesses_that_failed_count() {
        let wrong = Verdict::WrongCode {
            attempts_remaining: 3,
        };
        assert!(has_failed(&wrong) && has_failed(&Verdict::Exhausted));
        for verdict in [
            Verdict::Expired,
            Verdict::AlreadyUsed,
            Verdict::Unknown,
            Verdict::Cancelled,
        ] {
            assert!(!has_failed(&verdict), "{verdict:?}");
        }
    }
}
