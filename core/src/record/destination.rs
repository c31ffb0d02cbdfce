//! A destination's record: its gate and its sessions, and every step on them.

use crate::clock::Timestamp;
use crate::error::{CorruptRecord, LimitName};
use crate::keys::Tag;
use crate::policy::LaneLimits;
use crate::record::codec;
use crate::record::gate::{Closed, Gate};
use crate::record::session::{Outcome, Session};
use crate::record::step::{Action, Check, Effect, Moment, Open, Refusal, Resend, Step};
use crate::record::view::{DeliveryState, Inspection, SessionState};
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
    pub(crate) sessions: Vec<Session>,
}

impl DestinationRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        let incarnation = Incarnation::UNFENCED;
        Self {
            tag,
            incarnation,
            gate: Gate::default(),
            sessions: Vec::new(),
        }
    }

    pub(crate) fn step(
        mut self,
        step: &Step,
        moment: Moment,
    ) -> Result<(Self, Effect), CorruptRecord> {
        if self.tag != step.tag && !matches!(step.action, Action::Report(..)) {
            return self.foreign(&step.action);
        }
        let effect = match &step.action {
            Action::Open(open) => self.open(open, moment),
            Action::PeekOpen(open) => self
                .refusal(open, moment)
                .map_or(Effect::Done, Effect::Refused),
            Action::Check(check) => Effect::Verdict(self.check(check, moment)),
            Action::Resend(resend) => self.resend(resend, moment),
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
        };
        Ok((self, effect))
    }

    /// Another tenant's session does not exist for this one. Where the key had been made
    /// from this tenant and a destination, another's value under it is corrupt.
    fn foreign(self, action: &Action) -> Result<(Self, Effect), CorruptRecord> {
        match action {
            Action::Check(_) => Ok((self, Effect::Verdict(Verdict::Unknown))),
            Action::Look(_) | Action::Cancel(_) => Ok((self, Effect::Session(None))),
            _ => Err(CorruptRecord::Foreign),
        }
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

    /// The order of these questions is the meaning of a check: what is not charged comes first.
    fn check(&mut self, check: &Check, moment: Moment) -> Verdict {
        let now = moment.now;
        let Some(at) = self.position(check.nonce, check.purpose) else {
            return Verdict::Unknown;
        };
        let session = &self.sessions[at];
        if self.incarnation != moment.incarnation {
            return Verdict::Expired;
        }
        if let Some(verdict) = check.attempt.and_then(|mark| session.recall(mark, now)) {
            return verdict;
        }
        if session.state != SessionState::Live {
            return session.verdict_of_end();
        }
        if session.is_late(now) {
            return Verdict::Expired;
        }
        let attempts_remaining = session.attempts_remaining();
        if !check.fit.fits(session.form) {
            return Verdict::Malformed { attempts_remaining };
        }
        let limits = limits_of(session, &check.limits, &check.device_limits);
        let lane = self.gate.lane(session.flags.known_device);
        match lane.closed_to_guesses(&limits, now) {
            Some(Closed::Locked) => Verdict::Locked { attempts_remaining },
            Some(Closed::Throttled { retry_after }) => Verdict::Throttled {
                retry_after,
                attempts_remaining,
            },
            None => self.judge(at, check, &limits, now),
        }
    }

    /// Charges first, then compares.
    fn judge(&mut self, at: usize, check: &Check, limits: &LaneLimits, now: Timestamp) -> Verdict {
        let session = &mut self.sessions[at];
        let lane = self.gate.lane_mut(session.flags.known_device);
        lane.charge_failure(limits, now);
        let (verdict, outcome) = if session.charge_and_compare(&check.digest) {
            lane.succeed(limits, now);
            session.end(SessionState::Verified, now);
            (
                Verdict::Verified {
                    channel: session.channel,
                },
                Outcome::Verified,
            )
        } else {
            match session.attempts_remaining() {
                0 => {
                    session.end(SessionState::Exhausted, now);
                    (Verdict::Exhausted, Outcome::Wrong(0))
                }
                left => (
                    Verdict::WrongCode {
                        attempts_remaining: left,
                    },
                    Outcome::Wrong(left),
                ),
            }
        };
        if let Some(mark) = check.attempt {
            session.remember(mark, outcome, now);
        }
        self.make_room();
        verdict
    }

    fn resend(&mut self, resend: &Resend, moment: Moment) -> Effect {
        let now = moment.now;
        let own = |session: &&Session| {
            session.exact == resend.exact
                && session.is_live(now)
                && self.incarnation == moment.incarnation
        };
        let Some(at) = self.position(resend.nonce, resend.purpose) else {
            return Effect::Refused(Refusal::NotLive);
        };
        let Some(session) = self.sessions.get(at).filter(own) else {
            return Effect::Refused(Refusal::NotLive);
        };
        let limits = limits_of(session, &resend.limits, &resend.device_limits);
        if let Some(refusal) = self.resend_refusal(session, resend, &limits, now) {
            return Effect::Refused(refusal);
        }
        let session = &mut self.sessions[at];
        self.gate
            .lane_mut(session.flags.known_device)
            .charge_send(&limits, now);
        session.renew(resend.digest, resend.resend);
        session.channel = resend.channel;
        session.delivery = DeliveryState::Unknown;
        session.sends = session.sends.saturating_add(1);
        session.last_send = now.floor_secs();
        let ceiling = session.opened.plus_secs(u64::from(resend.ceiling_seconds));
        let renewed = now
            .plus_secs(u64::from(session.lifetime_seconds))
            .min(ceiling);
        session.expires = session.expires.max(renewed);
        let ticket = session.ticket(resend.cooldown_seconds, resend.max_sends, now);
        self.make_room();
        Effect::Granted(ticket)
    }

    fn resend_refusal(
        &self,
        session: &Session,
        resend: &Resend,
        limits: &LaneLimits,
        now: Timestamp,
    ) -> Option<Refusal> {
        let lane = self.gate.lane(session.flags.known_device);
        if lane.locked {
            return Some(Refusal::Locked);
        }
        let (limit, retry_after) = if session.sends >= resend.max_sends {
            // There is none in this session any more: a new one can be opened then.
            (LimitName::SessionSends, now.secs_until(session.expires))
        } else if session.next_send(resend.cooldown_seconds) > now {
            let next = session.next_send(resend.cooldown_seconds);
            (LimitName::ResendCooldown, now.secs_until(next))
        } else {
            (
                LimitName::DestinationSends,
                lane.sends.wait(&limits.sends, now)?,
            )
        };
        Some(Refusal::Throttled { limit, retry_after })
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
        Effect::Inspection(Inspection {
            open: self.gate.open.view(open, now),
            known_device: self.gate.known_device.view(device, now),
            sessions: self
                .sessions
                .iter()
                .map(|session| session.view(now, same_life))
                .collect(),
        })
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

fn limits_of(session: &Session, open: &LaneLimits, known_device: &LaneLimits) -> LaneLimits {
    if session.flags.known_device {
        *known_device
    } else {
        *open
    }
}
