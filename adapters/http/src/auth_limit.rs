//! Failed authentications by source: who guesses keys is soon told to wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::key_cache::Ticker;

/// Failures of one source (an IPv4 address or an IPv6 /64) in one window.
const MAX_FAILURES: u32 = 30;
const WINDOW_MILLIS: u64 = 60_000;
const MAX_SOURCES: usize = 8192;

/// Counts in memory and in plain windows: it spares the store, it guards no secret. A
/// key has 256 bits, so that a count lost in a restart gives nothing away.
#[derive(Debug)]
pub(crate) struct AuthLimit {
    ticker: Ticker,
    sources: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    since: u64,
    count: u32,
}

impl AuthLimit {
    pub(crate) fn new(ticker: Ticker) -> Self {
        Self {
            ticker,
            sources: Mutex::default(),
        }
    }

    /// Seconds for which `source` has to wait; none if it may try.
    pub(crate) fn wait(&self, source: IpAddr) -> Option<u64> {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        // Mostly nobody has failed, and then no clock is read and no address hashed.
        if sources.is_empty() {
            return None;
        }
        let failures = sources.get(&network(source))?;
        let now = self.ticker.millis();
        let left = (failures.since + WINDOW_MILLIS)
            .checked_sub(now)
            .filter(|left| *left > 0)?;
        (failures.count >= MAX_FAILURES).then(|| left.div_ceil(1000))
    }

    pub(crate) fn note_failure(&self, source: IpAddr) {
        let now = self.ticker.millis();
        let over = |failures: &Failures| now >= failures.since + WINDOW_MILLIS;
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let source = network(source);
        if sources.len() >= MAX_SOURCES && !sources.contains_key(&source) {
            sources.retain(|_, failures| !over(failures));
            if sources.len() >= MAX_SOURCES {
                // Full of sources that failed within the minute: start anew rather than
                // grow, or than let every further source go uncounted.
                sources.clear();
            }
        }
        let failures = sources.entry(source).or_insert(Failures {
            since: now,
            count: 0,
        });
        if over(failures) {
            *failures = Failures {
                since: now,
                count: 0,
            };
        }
        failures.count = failures.count.saturating_add(1);
    }
}

/// One subscriber has a whole /64 of IPv6 addresses.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) >> 64 << 64;
            IpAddr::V6(prefix.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign::{Clock, FakeClock, Timestamp};

    use super::*;

    fn limit() -> (AuthLimit, Arc<FakeClock>) {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1000)));
        (
            AuthLimit::new(Ticker::Clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
        )
    }

    #[test]
    fn a65_a_source_that_fails_too_often_waits_for_the_window() {
        let (limit, clock) = limit();
        let source = "2001:db8::1".parse().unwrap();
        for _ in 0..MAX_FAILURES {
            assert_eq!(limit.wait(source), None);
            limit.note_failure(source);
        }
        clock.advance_secs(10);
        assert_eq!(limit.wait("2001:db8::2".parse().unwrap()), Some(50));
        assert_eq!(limit.wait("2001:db8:0:1::1".parse().unwrap()), None);
        clock.advance_secs(50);
        assert_eq!(limit.wait(source), None);
    }

    #[test]
    fn it_holds_no_more_than_its_bound() {
        let (limit, _) = limit();
        for n in 0..20_000u32 {
            limit.note_failure(IpAddr::V4(n.into()));
            assert!(limit.sources.lock().unwrap().len() <= MAX_SOURCES);
        }
    }
}
