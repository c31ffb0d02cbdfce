//! What the model knows: sessions, lanes, and what the last operation may have changed.

use countersign::{
    Inspection, LaneView, Limit, Nonce, SessionId, SessionState, Timestamp, Verdict,
};
use proptest::prelude::*;

use super::world::{BACK, Tested};

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) verified: u64,
    pub(crate) wrong: u64,
    pub(crate) lost: u64,
    pub(crate) rewound: u64,
}

/// What the last operation may have changed.
#[derive(Default)]
pub(crate) struct Cause {
    pub(crate) verified: Option<usize>,
    pub(crate) exhausted: Option<usize>,
    pub(crate) cancelled: Option<usize>,
    pub(crate) undeliverable: Option<usize>,
}

pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) nonce: Nonce,
    pub(crate) place: usize,
    pub(crate) lane: usize,
    pub(crate) decoy: bool,
    pub(crate) binding: Option<&'static [u8]>,
    /// The codes that work; one that nobody received is empty.
    pub(crate) codes: Vec<String>,
    pub(crate) older: Vec<String>,
    pub(crate) opened: Timestamp,
    pub(crate) lifetime: u64,
    pub(crate) expires: Timestamp,
    pub(crate) life: u64,
    pub(crate) sends: u8,
    pub(crate) compared: u8,
    pub(crate) approved: u8,
    pub(crate) state: Option<SessionState>,
    pub(crate) memos: Vec<Memo>,
}

pub(crate) struct Memo {
    pub(crate) attempt: u8,
    pub(crate) code: String,
    pub(crate) binding: Option<&'static [u8]>,
    pub(crate) verdict: Verdict,
    pub(crate) at: Timestamp,
}

#[derive(Clone, Default)]
pub(crate) struct Lane {
    pub(crate) streak: u16,
    pub(crate) last_failure: Timestamp,
    pub(crate) locked: bool,
    pub(crate) failures: Vec<Timestamp>,
    pub(crate) sends: Vec<Timestamp>,
}

pub(crate) fn lane_of(inspection: &Inspection, lane: usize) -> &LaneView {
    [&inspection.open, &inspection.known_device][lane]
}

/// No window ever holds more than its limit, counted by the true times of the events.
pub(crate) fn within(events: &[Timestamp], limits: [Limit; 2], now: Timestamp) -> Tested {
    for limit in limits {
        // An event of the future counts as now, so that a clock that went back shortens
        // its window by as much.
        let window = u64::from(limit.seconds) * 1000 - BACK - 2000;
        let since = now.as_millis() - window;
        let count = events.iter().filter(|at| at.as_millis() > since).count();
        prop_assert!(
            count <= usize::from(limit.max),
            "I3: {} above {:?}",
            count,
            limit
        );
    }
    Ok(())
}
