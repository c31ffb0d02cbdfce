//! Time as an argument: instants are plain numbers, and a clock is one method.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// A point in time: milliseconds since the Unix epoch, without leap seconds.
///
/// A plain number, so that a record can be stepped, stored and compared without a
/// calendar. All arithmetic saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The instant `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The instant `secs` seconds after the Unix epoch.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This instant, `secs` seconds later.
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1000)))
    }

    /// This instant, `millis` milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this instant; zero when it lies in the future.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from now until `later`, rounded up; zero when it has passed.
    #[must_use]
    pub const fn secs_until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0).div_ceil(1000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub(crate) fn floor_secs(self) -> u32 {
        u32::try_from(self.0 / 1000).unwrap_or(u32::MAX)
    }

    /// Whole seconds since the epoch, rounded up, so that what is kept in seconds
    /// never ends earlier than what was promised in milliseconds.
    #[expect(clippy::cast_possible_truncation, reason = "compared just before")]
    pub(crate) const fn ceil_secs(self) -> u32 {
        let secs = self.0.div_ceil(1000);
        if secs > u32::MAX as u64 {
            u32::MAX
        } else {
            secs as u32
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// Where a store or a verifier reads the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_secs(since.as_secs()).plus_millis(since.subsec_millis().into())
    }
}

/// A clock that stands still until it is told to move: for tests, which never sleep.
///
/// ```
/// use countersign::{Clock, FakeClock, Timestamp};
/// let clock = FakeClock::at(Timestamp::from_secs(1_700_000_000));
/// clock.advance_millis(1500);
/// assert_eq!(clock.now(), Timestamp::from_millis(1_700_000_001_500));
/// ```
#[derive(Debug, Default)]
pub struct FakeClock(AtomicU64);

impl FakeClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Moves the clock to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock forward by `secs` seconds.
    pub fn advance_secs(&self, secs: u64) {
        self.advance_millis(secs.saturating_mul(1000));
    }

    /// Moves the clock forward by `millis` milliseconds.
    pub fn advance_millis(&self, millis: u64) {
        let later = |now: u64| Some(now.saturating_add(millis));
        // The closure never declines, so the update cannot fail.
        let _ = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Measures how long something took, on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the monotonic clock"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The time since the start, in whole milliseconds.
    #[must_use]
    pub fn elapsed_millis(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopwatch_goes_on() {
        let clock = Stopwatch::start();
        while clock.elapsed().is_zero() {}
        assert!(clock.elapsed() >= Duration::from_nanos(1));
    }

    #[test]
    fn a71_no_sum_of_times_overflows() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.plus_secs(1), end);
        assert_eq!(end.plus_millis(u64::MAX), end);
        assert_eq!(Timestamp::from_secs(u64::MAX), end);
        assert_eq!(Timestamp::from_secs(1).plus_secs(u64::MAX), end);
        assert_eq!(end.ceil_secs(), u32::MAX);
        let clock = FakeClock::at(end);
        clock.advance_secs(u64::MAX);
        assert_eq!(clock.now(), end);
    }

    #[test]
    fn seconds_are_rounded_up() {
        let now = Timestamp::from_millis(10_000);
        for (later, seconds) in [
            (0, 0),
            (9_999, 0),
            (10_000, 0),
            (10_001, 1),
            (11_000, 1),
            (11_001, 2),
        ] {
            assert_eq!(now.secs_until(Timestamp::from_millis(later)), seconds);
        }
        for (millis, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(Timestamp::from_millis(millis).ceil_secs(), seconds);
        }
        for (millis, seconds) in [(0, 0), (999, 0), (1000, 1), (5999, 5), (u64::MAX, u32::MAX)] {
            assert_eq!(Timestamp::from_millis(millis).floor_secs(), seconds);
        }
    }

    #[test]
    fn a_stopwatch_s_milliseconds_go_on() {
        let watch = Stopwatch::start();
        while watch.elapsed_millis() == 0 {
            assert!(watch.elapsed().as_millis() < 1000, "it stands still");
        }
    }

    #[test]
    fn what_lies_ahead_is_no_time_ago() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(8));
        assert_eq!(late.millis_since(early), 3);
        assert_eq!(early.millis_since(late), 0);
        assert_eq!(late.to_string(), "0.008");
    }

    #[test]
    fn a63_a_fake_clock_goes_where_it_is_told() {
        let clock = FakeClock::default();
        clock.advance_secs(2);
        clock.advance_millis(5);
        assert_eq!(clock.now(), Timestamp::from_millis(2005));
        clock.set(Timestamp::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_secs(1));
    }

    #[test]
    fn the_system_clock_counts_from_1970_and_a_stopwatch_never_back() {
        let year_2024 = Timestamp::from_secs(1_704_067_200);
        assert!(SystemClock.now() > year_2024);
        let watch = Stopwatch::start();
        let first = watch.elapsed();
        assert!(watch.elapsed() >= first);
        assert!(u128::from(watch.elapsed_millis()) <= watch.elapsed().as_millis());
    }
}
