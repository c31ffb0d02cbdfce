//! A destination's record: its gate and its sessions, and every step on them.

mod check;
mod resend;

use smallvec::SmallVec;

use crate::clock::Timestamp;
use crate::error::{CorruptRecord, LimitName};
use crate::keys::Tag;
use crate::policy::LaneLimits;
use crate::record::codec;
use crate::record::gate::Gate;
use crate::record::session::Session;
use crate::record::step::{Action, Effect, Moment, Open, Refusal, Step};
use crate::record::view::{Inspection, SessionState};
use crate::session_id::Nonce;
use crate::store::Incarnation;
use crate::verdict::Verdict;

/// All that is kept about one destination of one tenant.
#[derive(Clone, Debug)]
pub(crate) struct DestinationRecord {
    pub(crate) tag: Tag,
    /// The life of the store in which its live sessions were opened: an opening in
    /// another life ends them all.
    pub(crate) incarnation: Incarnation,
    pub(crate) gate: Gate,
    /// The oldest first.
    pub(crate) sessions: SmallVec<[Session; 1]>,
}

impl DestinationRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        let incarnation = Incarnation::UNFENCED;
        Self {
            tag,
            incarnation,
            gate: Gate::default(),
            sessions: SmallVec::new(),
        }
    }

    pub(crate) fn step(&mut self, step: &Step, moment: Moment) -> Result<Effect, CorruptRecord> {
        if self.tag != step.tag && !matches!(step.action, Action::Report(..)) {
            return foreign(&step.action);
        }
        Ok(match &step.action {
            Action::Open(open) => self.open(open, moment),
            Action::PeekOpen(open) => self
                .refusal(open, moment)
                .map_or(Effect::Done, Effect::Refused),
            Action::Check(check) => self.check(check, moment),
            Action::Resend(resend) => self.resend(resend, moment),
            Action::PeekResend(resend) => self.peek_resend(resend, moment),
            Action::Cancel(nonce) => self.cancel(*nonce, moment),
            Action::Outcome(posted, outcome) | Action::Report(posted, outcome) => {
                self.note(*posted, *outcome, moment)
            }
            Action::Turn(posted, channel) => self.turn(*posted, *channel, moment),
            Action::Look(nonce) => self.look(*nonce, moment),
            Action::Reset => {
                self.gate = Gate::default();
                Effect::Done
            }
            Action::Inspect(open, known_device) => self.inspect(open, known_device, moment),
            _ => return Err(CorruptRecord::Foreign),
        })
    }

    pub(crate) fn find(&self, nonce: Nonce) -> Option<&Session> {
        self.sessions.iter().find(|session| session.nonce == nonce)
    }

    /// Until when the record means something; none means until a reset.
    pub(crate) fn keep_until(&self) -> Option<Timestamp> {
        let sessions = self
            .sessions
            .iter()
            .map(Session::keep_until)
            .max()
            .unwrap_or_default();
        Some(self.gate.keep_until()?.max(sessions))
    }

    fn open(&mut self, open: &Open, moment: Moment) -> Effect {
        let now = moment.now;
        let seen = self.peek(open, moment);
        if seen != Effect::Done {
            return seen;
        }
        let before = self.clone();
        self.tidy(moment);
        if let Some(replaced) = open.replaces.and_then(|nonce| self.find_mut(nonce)) {
            replaced.end(SessionState::Cancelled, now);
        }
        self.gate
            .lane_mut(open.known_device)
            .charge_send(&open.limits, now);
        let session = Session::open(open, now);
        let ticket = session.ticket(open.cooldown_seconds, open.max_sends, now);
        self.sessions.push(session);
        if self.make_room() {
            return Effect::Granted(ticket);
        }
        // Only sessions of an earlier, wider policy can fill a record with live ones.
        *self = before;
        Effect::Refused(self.too_many_live(open, moment))
    }

    /// What opening would meet, without any change.
    fn peek(&self, open: &Open, moment: Moment) -> Effect {
        if let Some(session) = self.find(open.nonce) {
            let ticket = session.ticket(open.cooldown_seconds, open.max_sends, moment.now);
            return Effect::Existing(ticket);
        }
        self.refusal(open, moment)
            .map_or(Effect::Done, Effect::Refused)
    }

    /// Why nothing can be opened now, in the order of what lasts longest.
    fn refusal(&self, open: &Open, moment: Moment) -> Option<Refusal> {
        let lane = self.gate.lane(open.known_device);
        if lane.locked {
            return Some(Refusal::Locked);
        }
        if let Some(retry_after) = lane.sends.wait(&open.limits.sends, moment.now) {
            return Some(Refusal::Throttled {
                limit: LimitName::DestinationSends,
                retry_after,
            });
        }
        let live = self.live(open, moment).count();
        (live >= usize::from(open.limits.live_sessions)).then(|| self.too_many_live(open, moment))
    }

    fn live<'a>(&'a self, open: &'a Open, moment: Moment) -> impl Iterator<Item = &'a Session> {
        let same_life = self.incarnation == moment.incarnation;
        self.sessions.iter().filter(move |session| {
            same_life
                && session.flags.known_device == open.known_device
                && session.is_live(moment.now)
                && open.replaces != Some(session.nonce)
        })
    }

    fn too_many_live(&self, open: &Open, moment: Moment) -> Refusal {
        let next = self.live(open, moment).map(|session| session.expires).min();
        let retry_after = next.map_or(1, |expires| moment.now.secs_until(expires).max(1));
        Refusal::Throttled {
            limit: LimitName::LiveSessions,
            retry_after,
        }
    }

    fn cancel(&mut self, nonce: Nonce, moment: Moment) -> Effect {
        let same_life = self.incarnation == moment.incarnation;
        if let Some(session) = self.find_mut(nonce).filter(|_| same_life) {
            session.settle(moment.now);
            session.end(SessionState::Cancelled, moment.now);
        }
        self.look(nonce, moment)
    }

    pub(super) fn look(&self, nonce: Nonce, moment: Moment) -> Effect {
        let same_life = self.incarnation == moment.incarnation;
        let found = self.find(nonce);
        Effect::Session(found.map(|session| session.view(moment.now, same_life)))
    }

    fn inspect(&self, open: &LaneLimits, device: &LaneLimits, moment: Moment) -> Effect {
        let now = moment.now;
        let same_life = self.incarnation == moment.incarnation;
        Effect::Inspection(Box::new(Inspection {
            open: self.gate.open.view(open, now),
            known_device: self.gate.known_device.view(device, now),
            sessions: self
                .sessions
                .iter()
                .map(|session| session.view(now, same_life))
                .collect(),
        }))
    }

    fn position(&self, nonce: Nonce, purpose: Tag) -> Option<usize> {
        let own = |session: &Session| session.nonce == nonce && session.purpose == purpose;
        self.sessions.iter().position(own)
    }

    pub(super) fn find_mut(&mut self, nonce: Nonce) -> Option<&mut Session> {
        self.sessions
            .iter_mut()
            .find(|session| session.nonce == nonce)
    }

    /// Ends what is over, moves to the store's life, and forgets what nobody can ask for any more.
    fn tidy(&mut self, moment: Moment) {
        for session in &mut self.sessions {
            session.settle(moment.now);
            if self.incarnation != moment.incarnation {
                session.end(SessionState::Expired, moment.now);
                session.memos.clear();
            }
        }
        self.incarnation = moment.incarnation;
        self.sessions
            .retain(|session| session.keep_until() > moment.now);
    }

    /// Drops the oldest ended sessions until the record fits; never a live one or a
    /// count. Says whether it fits.
    fn make_room(&mut self) -> bool {
        while codec::destination_bytes(self) > codec::MAX_RECORD_BYTES {
            let ended = |session: &Session| session.state != SessionState::Live;
            let Some(oldest) = self.sessions.iter().position(ended) else {
                return false;
            };
            self.sessions.remove(oldest);
        }
        true
    }
}

/// Another tenant's session does not exist for this one. Where the key had been made
/// from this tenant and a destination, another's value under it is corrupt.
fn foreign(action: &Action) -> Result<Effect, CorruptRecord> {
    match action {
        Action::Check(_) => Ok(Effect::Verdict(Verdict::Unknown)),
        Action::Look(_) | Action::Cancel(_) => Ok(Effect::Session(None)),
        _ => Err(CorruptRecord::Foreign),
    }
}

fn limits_of(session: &Session, open: &LaneLimits, known_device: &LaneLimits) -> LaneLimits {
    if session.flags.known_device {
        *known_device
    } else {
        *open
    }
}
