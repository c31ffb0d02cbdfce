//! The gate: throttles sends and guesses of one destination across its sessions.

use crate::clock::Timestamp;
use crate::policy::LaneLimits;
use crate::record::view::LaneView;
use crate::record::window::{Window, event_time, longest_seconds};

/// A streak of failures is forgotten after so many seconds without another: 400 days.
const STREAK_MEMORY_SECONDS: u64 = 400 * 24 * 3600;

/// Two lanes that pass each other: everybody's, and that of the owner's known devices,
/// so that a stranger who closes the first cannot lock the owner out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gate {
    pub(crate) open: Lane,
    pub(crate) known_device: Lane,
}

/// What is remembered of one lane's sends and failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) sends: Window,
    pub(crate) failures: Window,
    pub(crate) streak: u16,
    pub(crate) last_failure: u32,
    pub(crate) locked: bool,
    /// Until when the windows count, in seconds since the epoch.
    pub(crate) keep_until: u32,
}

/// Why a lane takes no guess.
pub(crate) enum Closed {
    Locked,
    Throttled { retry_after: u64 },
}

impl Gate {
    pub(crate) fn lane(&self, known_device: bool) -> &Lane {
        if known_device {
            &self.known_device
        } else {
            &self.open
        }
    }

    pub(crate) fn lane_mut(&mut self, known_device: bool) -> &mut Lane {
        if known_device {
            &mut self.known_device
        } else {
            &mut self.open
        }
    }

    /// Until when the gate remembers; none means until a reset.
    pub(crate) fn keep_until(&self) -> Option<Timestamp> {
        Some(self.open.keep_until()?.max(self.known_device.keep_until()?))
    }
}

impl Lane {
    pub(crate) fn closed_to_guesses(&self, limits: &LaneLimits, now: Timestamp) -> Option<Closed> {
        if self.locked {
            return Some(Closed::Locked);
        }
        let retry_after = self.failures.wait(&limits.failures, now)?;
        Some(Closed::Throttled { retry_after })
    }

    pub(crate) fn charge_failure(&mut self, limits: &LaneLimits, now: Timestamp) {
        self.failures.charge(&limits.failures, now);
        self.streak = self.streak_at(now).saturating_add(1);
        self.last_failure = now.ceil_secs();
        self.locked |= self.streak >= limits.lock_after;
        self.remember(longest_seconds(&limits.failures), now);
    }

    /// A success ends the streak and takes out its own charge; the other failures stay
    /// in the windows, or an owner who signs in often would hand an attacker fresh ones.
    pub(crate) fn succeed(&mut self, limits: &LaneLimits, now: Timestamp) {
        self.failures.take_back(event_time(&limits.failures, now));
        self.streak = 0;
        self.last_failure = 0;
        self.locked = false;
    }

    pub(crate) fn charge_send(&mut self, limits: &LaneLimits, now: Timestamp) {
        self.sends.charge(&limits.sends, now);
        self.remember(longest_seconds(&limits.sends), now);
    }

    pub(crate) fn view(&self, limits: &LaneLimits, now: Timestamp) -> LaneView {
        LaneView {
            sends_left: limits.sends.map(|limit| self.sends.left(limit, now)),
            failures_left: limits.failures.map(|limit| self.failures.left(limit, now)),
            streak: self.streak_at(now),
            locked: self.locked,
            next_send_in: self.sends.wait(&limits.sends, now).unwrap_or(0),
            next_check_in: self.failures.wait(&limits.failures, now).unwrap_or(0),
        }
    }

    fn streak_at(&self, now: Timestamp) -> u16 {
        if !self.locked && self.streak_ends() <= now {
            0
        } else {
            self.streak
        }
    }

    fn streak_ends(&self) -> Timestamp {
        Timestamp::from_secs(u64::from(self.last_failure)).plus_secs(STREAK_MEMORY_SECONDS)
    }

    fn remember(&mut self, seconds: u32, now: Timestamp) {
        self.keep_until = self.keep_until.max(now.ceil_secs().saturating_add(seconds));
    }

    fn keep_until(&self) -> Option<Timestamp> {
        let windows = Timestamp::from_secs(u64::from(self.keep_until));
        match (self.locked, self.streak) {
            (true, _) => None,
            (false, 0) => Some(windows),
            (false, _) => Some(windows.max(self.streak_ends())),
        }
    }
}
