//! Room: a record never passes its bound, though sessions that an earlier, wider policy let in
//! may fill it.

use crate::clock::Timestamp;
use crate::error::LimitName;
use crate::record::codec::MAX_RECORD_BYTES;
use crate::record::destination::DestinationRecord;
use crate::record::layout::{EVENT, remove};
use crate::record::moment::Moment;
use crate::record::session::Session;
use crate::record::step::Refusal;
use crate::record::view::SessionState;
use crate::session_id::Nonce;

impl DestinationRecord {
    /// Drops the oldest ended sessions until the record fits; never a live one or a
    /// count. Says whether it fits.
    #[inline]
    pub(super) fn make_room(&mut self) -> bool {
        self.fits() || self.drop_ended()
    }

    #[inline(never)]
    fn drop_ended(&mut self) -> bool {
        while !self.fits() {
            let mut placed = self.placed();
            let ended = placed.find(|(_, session)| session.state() != SessionState::Live);
            drop(placed);
            let Some(oldest) = ended.map(|(at, _)| at) else {
                return false;
            };
            self.drop_session(oldest);
        }
        true
    }

    /// Makes room for a wrong guess that was charged: it must not be refused, which would tell
    /// it from a right one, uncharged. A right guess ends its session, and so needs no room.
    ///
    /// The session's attempts are forgotten, so that a repetition of one is charged again; and
    /// failures share their time with the latest.
    pub(super) fn squeeze(&mut self, nonce: Nonce, known_device: bool, moment: Moment) {
        self.tidy(moment);
        if self.make_room() {
            return;
        }
        if let Some(mut session) = self.find_mut(nonce) {
            session.forget_attempts();
        }
        if !self.fits() {
            self.change_lane(known_device, |lane| lane.failures().merge());
        }
    }

    /// Until when there will be no room: until the next session's time is over.
    pub(super) fn full(&self, now: Timestamp) -> Refusal {
        let live = self.sessions().filter(|session| session.is_live(now));
        let next = live.map(Session::expires).min();
        Refusal::Throttled {
            limit: LimitName::LiveSessions,
            retry_after: next.map_or(1, |expires| now.secs_until(expires).max(1)),
        }
    }

    pub(super) fn drop_session(&mut self, at: usize) {
        let bytes = self.session(at).bytes();
        remove(&mut self.bytes, at, bytes);
        self.bytes[self.places.count] -= 1;
    }

    /// Whether it is within its bound, with room for the first failure of each lane: then no
    /// wrong guess needs more room than the merging of two failures makes.
    fn fits(&self) -> bool {
        let bytes = self.bytes.len();
        let first_failures = || {
            let lanes = [false, true].into_iter().map(|known| self.lane(known));
            EVENT * lanes.filter(|lane| lane.has_no_failure()).count()
        };
        bytes + 2 * EVENT <= MAX_RECORD_BYTES || bytes + first_failures() <= MAX_RECORD_BYTES
    }
}
