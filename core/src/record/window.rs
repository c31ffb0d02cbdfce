//! Sliding windows: the times of past events, and how many may still come.

use crate::clock::Timestamp;
use crate::policy::Limit;
use crate::record::layout::{EVENT, counted, insert, remove, tail};

/// Up to this many events each is kept with its own second, and the window is exact.
const EXACT: u16 = 20;
/// Above that, events share their time with others of the same part of the window.
const PARTS: u32 = 12;

/// Events of one sort, the oldest first: seconds since the epoch, and how many then.
///
/// Times are rounded up, so that a window never ends early; a time in the future counts
/// as now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'r> {
    events: &'r [[u8; EVENT]],
}

/// The window whose count lies at a place in the bytes of its record.
#[derive(Debug)]
pub(crate) struct WindowMut<'r> {
    pub(crate) record: &'r mut Vec<u8>,
    pub(crate) at: usize,
}

impl<'r> Window<'r> {
    /// The window that `bytes` begin with.
    #[inline]
    pub(crate) fn read(bytes: &'r [u8]) -> Self {
        let events = counted(bytes);
        Self { events }
    }

    /// Seconds until another event is within every limit; none when it is now.
    #[inline]
    pub(crate) fn wait(self, limits: &[Limit], now: Timestamp) -> Option<u64> {
        // Most have fewer, of whatever age.
        let all: u32 = self
            .events
            .iter()
            .map(|event| u32::from(parts(*event).1))
            .sum();
        if limits.iter().all(|limit| all < u32::from(limit.max)) {
            return None;
        }
        self.wait_for_all(limits, now)
    }

    #[inline(never)]
    fn wait_for_all(self, limits: &[Limit], now: Timestamp) -> Option<u64> {
        let full = |limit: &&Limit| self.count(**limit, now) >= u32::from(limit.max);
        let waits = limits.iter().filter(full);
        waits.map(|limit| self.wait_for(*limit, now)).max()
    }

    /// The same for one limit that is reached.
    fn wait_for(self, limit: Limit, now: Timestamp) -> u64 {
        // So many must leave the window before another may come.
        let surplus = (self.count(limit, now) + 1).saturating_sub(u32::from(limit.max));
        let mut left = 0;
        for (time, n) in self.active(limit, now) {
            left += u32::from(n);
            if left >= surplus {
                return now.secs_until(ends(limit.seconds, time, now)).max(1);
            }
        }
        // Only a limit of none at all comes here: nothing that waits could help.
        u64::from(limit.seconds)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.events.is_empty()
    }

    /// How many more events are within the limit.
    pub(crate) fn left(self, limit: Limit, now: Timestamp) -> u16 {
        let count = u16::try_from(self.count(limit, now)).unwrap_or(u16::MAX);
        limit.max.saturating_sub(count)
    }

    fn count(self, limit: Limit, now: Timestamp) -> u32 {
        self.active(limit, now).map(|(_, n)| u32::from(n)).sum()
    }

    fn active(self, limit: Limit, now: Timestamp) -> impl Iterator<Item = (u32, u8)> + 'r {
        self.events
            .iter()
            .map(|event| parts(*event))
            .filter(move |(time, _)| is_within(limit.seconds, *time, now))
    }
}

impl WindowMut<'_> {
    /// Notes an event at `now`, and forgets those that no limit counts any more.
    pub(crate) fn charge(&mut self, limits: &[Limit], now: Timestamp) {
        let time = event_time(limits, now);
        self.prune(longest_seconds(limits), time, now);
        let events = self.events();
        match events.last().map(|event| parts(*event)) {
            Some((last, n)) if last == time && n < u8::MAX => {
                self.set(events.len() - 1, (time, n + 1));
            }
            _ => {
                let end = self.place(events.len());
                insert(self.record, end, &event(time, 1));
                self.record[self.at] += 1;
            }
        }
    }

    /// Takes back one event that was noted at `now` in the same step or with the time
    /// that [`event_time`] gave then.
    pub(crate) fn take_back(&mut self, time: u32) {
        let noted = |event: &[u8; EVENT]| parts(*event).0 == time;
        if let Some(place) = self.events().iter().rposition(noted) {
            let (_, n) = parts(self.events()[place]);
            if n > 1 {
                self.set(place, (time, n - 1));
            } else {
                let at = self.place(place);
                remove(self.record, at, EVENT);
                self.record[self.at] -= 1;
            }
        }
    }

    /// Makes one entry of two, under the later time: no event is forgotten, and some count
    /// for longer. The newest two, for guesses that fill a window come soon after one another;
    /// but a count has one byte.
    pub(crate) fn merge(&mut self) {
        let events = self.events();
        let together = |pair: &[[u8; EVENT]]| parts(pair[0]).1.checked_add(parts(pair[1]).1);
        let fit = events.windows(2).rposition(|pair| together(pair).is_some());
        let Some(place) = fit.or(events.len().checked_sub(2)) else {
            return;
        };
        let ((_, earlier), (time, later)) = (parts(events[place]), parts(events[place + 1]));
        self.set(place + 1, (time, earlier.saturating_add(later)));
        let at = self.place(place);
        remove(self.record, at, EVENT);
        self.record[self.at] -= 1;
    }

    /// Forgets events older than `longest` seconds; none is later than `latest`.
    fn prune(&mut self, longest: u32, latest: u32, now: Timestamp) {
        let stays = |event: &[u8; EVENT]| {
            let (time, _) = parts(*event);
            time <= latest && is_within(longest, time, now)
        };
        if !self.events().iter().all(stays) {
            self.prune_some(longest, latest, now);
        }
    }

    #[inline(never)]
    fn prune_some(&mut self, longest: u32, latest: u32, now: Timestamp) {
        let all = self.events().len();
        let mut kept = 0;
        for place in 0..all {
            let (time, n) = parts(self.events()[place]);
            if is_within(longest, time, now) {
                self.set(kept, (time.min(latest), n));
                kept += 1;
            }
        }
        let at = self.place(kept);
        remove(self.record, at, EVENT * (all - kept));
        // Fewer than there were.
        self.record[self.at] = u8::try_from(kept).unwrap_or(u8::MAX);
    }

    fn events(&self) -> &[[u8; EVENT]] {
        counted(tail(self.record, self.at))
    }

    const fn place(&self, event: usize) -> usize {
        self.at + 1 + EVENT * event
    }

    fn set(&mut self, place: usize, (time, n): (u32, u8)) {
        let at = self.place(place);
        self.record[at..][..EVENT].copy_from_slice(&event(time, n));
    }
}

#[inline]
fn parts(event: [u8; EVENT]) -> (u32, u8) {
    let [time @ .., n] = event;
    (u32::from_be_bytes(time), n)
}

#[inline]
fn event(time: u32, n: u8) -> [u8; EVENT] {
    let mut event = [n; EVENT];
    event[..4].copy_from_slice(&time.to_be_bytes());
    event
}

/// The time under which an event at `now` is noted.
pub(crate) fn event_time(limits: &[Limit], now: Timestamp) -> u32 {
    let second = now.ceil_secs();
    match part_seconds(limits) {
        1 => second,
        part => second.div_ceil(part).saturating_mul(part),
    }
}

/// The most entries that a window of these limits can have.
pub(crate) fn most_events(limits: &[Limit]) -> usize {
    let most = limits.iter().map(|limit| limit.max).max().unwrap_or(0);
    if most <= EXACT {
        return usize::from(most);
    }
    PARTS as usize + 2 + usize::from(most) / usize::from(u8::MAX)
}

/// The longest of the windows, in seconds.
#[inline]
pub(crate) fn longest_seconds(limits: &[Limit]) -> u32 {
    limits.iter().map(|limit| limit.seconds).max().unwrap_or(0)
}

fn part_seconds(limits: &[Limit]) -> u32 {
    if limits.iter().all(|limit| limit.max <= EXACT) {
        return 1;
    }
    longest_seconds(limits).div_ceil(PARTS).max(1)
}

/// Whether a window of so many seconds counts an event of that time.
#[inline]
fn is_within(seconds: u32, time: u32, now: Timestamp) -> bool {
    ends(seconds, time, now) > now
}

/// When such a window counts it no more; one in the future counts as now.
#[inline]
fn ends(seconds: u32, time: u32, now: Timestamp) -> Timestamp {
    let since = Timestamp::from_secs(u64::from(time)).min(now);
    since.plus_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [Limit; 2] = [Limit::new(2, 10), Limit::new(3, 100)];

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + secs)
    }

    /// A window in bytes of its own.
    #[derive(Debug, PartialEq, Eq)]
    struct Alone(Vec<u8>);

    impl Alone {
        fn new() -> Self {
            Self(vec![0])
        }

        fn read(&self) -> Window<'_> {
            Window::read(&self.0)
        }

        fn wait(&self, limits: &[Limit], now: Timestamp) -> Option<u64> {
            self.read().wait(limits, now)
        }

        fn change(&mut self) -> WindowMut<'_> {
            let record = &mut self.0;
            WindowMut { record, at: 0 }
        }

        fn charge(&mut self, limits: &[Limit], now: Timestamp) {
            self.change().charge(limits, now);
        }
    }

    #[test]
    fn a_window_of_more_events_than_are_kept_exactly_has_parts_and_full_counts() {
        let most = |max| most_events(&[Limit::new(1, 60), Limit::new(max, 3600)]);
        let (exact, parts) = (usize::from(EXACT), PARTS as usize);
        assert_eq!((most(1), most(EXACT)), (1, exact));
        assert_eq!(most(EXACT + 1), parts + 2 + (exact + 1) / 255);
        assert_eq!(most(40_000), parts + 2 + 156);
    }

    #[test]
    fn a_window_slides_exactly() {
        let mut window = Alone::new();
        for n in [0, 4] {
            assert_eq!(window.wait(&TWO, at(n)), None);
            window.charge(&TWO, at(n));
        }
        assert_eq!(window.wait(&TWO, at(5)), Some(5));
        assert_eq!(window.wait(&TWO, at(10).plus_millis(0)), None);
        window.charge(&TWO, at(10));
        assert_eq!(
            window.wait(&TWO, at(99)),
            Some(1),
            "three in a hundred seconds"
        );
        assert_eq!(window.wait(&TWO, at(100)), None);
    }

    #[test]
    fn a_window_never_ends_a_millisecond_early() {
        let mut window = Alone::new();
        let one = [Limit::new(1, 10)];
        window.charge(&one, at(0).plus_millis(1));
        assert!(window.wait(&one, at(10)).is_some());
        assert!(window.wait(&one, at(10).plus_millis(999)).is_some());
        assert!(window.wait(&one, at(11)).is_none());
    }

    #[test]
    fn an_event_in_the_future_counts_as_now() {
        let mut window = Alone::new();
        let one = [Limit::new(1, 10)];
        window.charge(&one, at(3600));
        assert_eq!(window.wait(&one, at(0)), Some(10), "not 3,610");
        // And with the next one it is noted as now.
        window.charge(&one, at(0));
        assert_eq!(window.wait(&one, at(10)), None);
    }

    /// As after a policy that let more of them in.
    #[test]
    fn as_many_must_leave_as_are_too_many() {
        let mut window = Alone::new();
        for n in [0, 2, 4] {
            window.charge(&TWO, at(n));
        }
        assert_eq!(window.wait(&TWO[..1], at(5)), Some(7), "two leave");
    }

    #[test]
    fn what_is_taken_back_does_not_count() {
        let mut window = Alone::new();
        window.charge(&TWO, at(0));
        window.charge(&TWO, at(0));
        window.change().take_back(event_time(&TWO, at(0)));
        assert_eq!(window.read().left(TWO[0], at(0)), 1);
        window.change().take_back(event_time(&TWO, at(0)));
        assert_eq!(window, Alone::new());
    }

    #[test]
    fn events_that_are_merged_all_count_and_leave_with_the_last() {
        let mut window = Alone::new();
        for n in [0, 20, 24] {
            window.charge(&TWO, at(n));
        }
        let before = window.0.len();
        window.change().merge();
        assert_eq!(window.0.len() + EVENT, before);
        assert_eq!(window.read().left(TWO[1], at(24)), 0);
        assert_eq!(
            window.wait(&TWO, at(24)),
            Some(76),
            "the first stayed alone"
        );
        assert_eq!(window.read().left(TWO[1], at(123)), 1, "two until then");
        window.change().merge();
        window.change().merge();
        assert_eq!((window.0[0], window.read().left(TWO[1], at(24))), (1, 0));
        assert_eq!(window.read().left(TWO[1], at(124)), 3);
    }

    #[test]
    fn counts_that_fit_no_byte_together_are_merged_elsewhere() {
        let mut window = Alone(vec![3]);
        for (time, n) in [(1, 3), (2, 4), (3, 255)] {
            window.0.extend(event(time, n));
        }
        window.change().merge();
        let left: Vec<_> = window
            .read()
            .events
            .iter()
            .map(|event| parts(*event))
            .collect();
        assert_eq!(left, [(2, 7), (3, 255)]);
        window.change().merge();
        assert_eq!(window.read().events, [event(3, 255)]);
    }

    #[test]
    fn a_large_window_is_small_and_never_above_its_cap() {
        let limits = [Limit::new(1000, 3600)];
        let mut window = Alone::new();
        let mut times: Vec<u64> = Vec::new();
        for second in 0..20_000 {
            if window.wait(&limits, at(second)).is_none() {
                window.charge(&limits, at(second));
                times.push(second);
            }
            assert!(window.read().events.len() <= most_events(&limits));
            let within = times
                .iter()
                .rev()
                .take_while(|then| **then + 3600 > second)
                .count();
            assert!(within <= 1000, "{within} within an hour at {second}");
        }
        assert!(
            times.len() > 4000,
            "the cap may not starve: {}",
            times.len()
        );
    }
}
