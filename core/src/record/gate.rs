//! The gate: throttles sends and guesses of one destination across its sessions.
//!
//! Two lanes that pass each other: everybody's, and that of the owner's known devices, so
//! that a stranger who closes the first cannot lock the owner out.

use crate::clock::Timestamp;
use crate::policy::LaneLimits;
use crate::record::layout::lane::{BYTES, EMPTY, KEEP_UNTIL, LAST_FAILURE, LOCKED, STREAK};
use crate::record::layout::{EVENT, bytes_of_counted, change, part, tail};
use crate::record::view::LaneView;
use crate::record::window::{Window, WindowMut, longest_seconds};

/// A streak of failures is forgotten after so many seconds without another: 400 days.
const STREAK_MEMORY_SECONDS: u64 = 400 * 24 * 3600;

/// Two lanes in which nothing ever happened.
pub(crate) const OPEN_GATE: [u8; 2 * EMPTY] = [0; 2 * EMPTY];

/// What is remembered of one lane's sends and failures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane<'r> {
    fields: &'r [u8; BYTES],
    windows: &'r [u8],
}

/// The lane that begins at a place in the bytes of its record.
#[derive(Debug)]
pub(crate) struct LaneMut<'r> {
    pub(crate) record: &'r mut Vec<u8>,
    pub(crate) at: usize,
}

/// Why a lane takes no guess.
pub(crate) enum Closed {
    Locked,
    Throttled { retry_after: u64 },
}

impl<'r> Lane<'r> {
    /// The lane that begins at `at`.
    #[inline]
    pub(crate) fn read(record: &'r [u8], at: usize) -> Self {
        Self {
            fields: part(record, at),
            windows: tail(record, at + BYTES),
        }
    }

    pub(crate) fn locked(self) -> bool {
        LOCKED.get(self.fields) != [0]
    }

    #[inline]
    pub(crate) fn sends(self) -> Window<'r> {
        Window::read(self.windows)
    }

    #[inline]
    fn failures(self) -> Window<'r> {
        Window::read(tail(self.windows, self.bytes_of_sends()))
    }

    /// Whether no failure is noted: then the next one needs an entry of its own.
    pub(crate) fn has_no_failure(self) -> bool {
        self.failures().is_empty()
    }

    /// Where it ends that begins at `at`.
    #[inline]
    pub(crate) fn end(self, at: usize) -> usize {
        let sends = self.bytes_of_sends();
        at + BYTES + sends + bytes_of_counted::<EVENT>(tail(self.windows, sends))
    }

    #[inline]
    fn bytes_of_sends(self) -> usize {
        bytes_of_counted::<EVENT>(self.windows)
    }

    #[inline]
    pub(crate) fn closed_to_guesses(self, limits: &LaneLimits, now: Timestamp) -> Option<Closed> {
        if self.locked() {
            return Some(Closed::Locked);
        }
        let retry_after = self.failures().wait(&limits.failures, now)?;
        Some(Closed::Throttled { retry_after })
    }

    pub(crate) fn view(self, limits: &LaneLimits, now: Timestamp) -> LaneView {
        let (sends, failures) = (self.sends(), self.failures());
        LaneView {
            sends_left: limits.sends.map(|limit| sends.left(limit, now)),
            failures_left: limits.failures.map(|limit| failures.left(limit, now)),
            streak: self.streak_at(now),
            locked: self.locked(),
            next_send_in: sends.wait(&limits.sends, now).unwrap_or(0),
            next_check_in: failures.wait(&limits.failures, now).unwrap_or(0),
        }
    }

    /// Until when it remembers; none means until a reset.
    #[inline]
    pub(crate) fn keep_until(self) -> Option<Timestamp> {
        let windows = Timestamp::from_secs(u64::from(self.windows_count_until()));
        match (self.locked(), self.streak()) {
            (true, _) => None,
            (false, 0) => Some(windows),
            (false, _) => Some(windows.max(self.streak_ends())),
        }
    }

    fn streak(self) -> u16 {
        u16::from_be_bytes(STREAK.get(self.fields))
    }

    fn streak_at(self, now: Timestamp) -> u16 {
        if !self.locked() && self.streak_ends() <= now {
            0
        } else {
            self.streak()
        }
    }

    fn streak_ends(self) -> Timestamp {
        let last_failure = u32::from_be_bytes(LAST_FAILURE.get(self.fields));
        Timestamp::from_secs(u64::from(last_failure)).plus_secs(STREAK_MEMORY_SECONDS)
    }

    /// In seconds since the epoch.
    fn windows_count_until(self) -> u32 {
        u32::from_be_bytes(KEEP_UNTIL.get(self.fields))
    }
}

impl LaneMut<'_> {
    pub(crate) fn charge_failure(&mut self, limits: &LaneLimits, now: Timestamp) {
        self.failures().charge(&limits.failures, now);
        let (lane, second) = (self.get(), now.ceil_secs());
        let streak = lane.streak_at(now).saturating_add(1);
        let locked = lane.locked() || streak >= limits.lock_after;
        self.fail(streak, second, locked);
        self.remember(longest_seconds(&limits.failures), now);
    }

    /// A success ends the streak and is no failure; those that were stay in the windows, or
    /// an owner who signs in often would hand an attacker fresh ones.
    pub(crate) fn succeed(&mut self) {
        self.fail(0, 0, false);
    }

    pub(crate) fn charge_send(&mut self, limits: &LaneLimits, now: Timestamp) {
        self.sends().charge(&limits.sends, now);
        self.remember(longest_seconds(&limits.sends), now);
    }

    fn get(&self) -> Lane<'_> {
        Lane::read(self.record, self.at)
    }

    fn sends(&mut self) -> WindowMut<'_> {
        let at = self.at + BYTES;
        WindowMut {
            record: self.record,
            at,
        }
    }

    pub(crate) fn failures(&mut self) -> WindowMut<'_> {
        let at = self.at + BYTES + self.get().bytes_of_sends();
        WindowMut {
            record: self.record,
            at,
        }
    }

    fn fail(&mut self, streak: u16, last_failure: u32, locked: bool) {
        change(self.record, self.at, |fields: &mut [u8; BYTES]| {
            LOCKED.set(fields, [u8::from(locked)]);
            STREAK.set(fields, streak.to_be_bytes());
            LAST_FAILURE.set(fields, last_failure.to_be_bytes());
        });
    }

    fn remember(&mut self, seconds: u32, now: Timestamp) {
        let until = now.ceil_secs().saturating_add(seconds);
        let until = self.get().windows_count_until().max(until);
        KEEP_UNTIL.put(self.record, self.at, until.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_streak_is_forgotten_400_days_after_its_last_failure() {
        let limits = Policy::default().destination;
        let mut record = OPEN_GATE.to_vec();
        let mut lane = LaneMut {
            record: &mut record,
            at: 0,
        };
        lane.charge_failure(&limits, NOW);
        let streak = |later: u64| {
            let now = NOW.plus_secs(later);
            Lane::read(&record, 0).view(&limits, now).streak
        };
        let days = 400 * 24 * 3600;
        assert_eq!((streak(0), streak(days - 1), streak(days)), (1, 1, 0));
    }

    #[test]
    fn failures_close_a_lane_and_lock_it_and_a_success_opens_it() {
        let mut limits = Policy::default().destination;
        limits.lock_after = 3;
        let mut record = OPEN_GATE.to_vec();
        let at = 0;
        for n in 1..=3 {
            assert!(!Lane::read(&record, at).locked(), "before failure {n}");
            let record = &mut record;
            LaneMut { record, at }.charge_failure(&limits, NOW);
        }
        let lane = Lane::read(&record, at);
        assert!(lane.locked() && !lane.has_no_failure());
        assert_eq!(lane.keep_until(), None, "until a reset");
        let closed = lane.closed_to_guesses(&limits, NOW);
        assert!(matches!(closed, Some(Closed::Locked)));

        let (left, bytes) = (lane.view(&limits, NOW).failures_left, &mut record);
        LaneMut { record: bytes, at }.succeed();
        let lane = Lane::read(&record, at);
        assert!(!lane.locked() && lane.closed_to_guesses(&limits, NOW).is_none());
        let view = lane.view(&limits, NOW);
        assert_eq!((view.streak, view.locked), (0, false));
        assert_eq!(view.failures_left, left, "what failed stays");
        let longest = u64::from(longest_seconds(&limits.failures));
        assert_eq!(lane.keep_until(), Some(NOW.plus_secs(longest)));
    }
}
