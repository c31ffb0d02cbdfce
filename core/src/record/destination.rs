//! A destination's record: its gate and its sessions, and every step on them.

mod check;
mod resend;
mod room;
#[cfg(test)]
mod tests;

use crate::clock::Timestamp;
use crate::error::{CorruptRecord, LimitName};
use crate::keys::{Kind, Tag};
use crate::policy::LaneLimits;
use crate::record::codec::VERSION;
use crate::record::gate::{Lane, LaneMut, OPEN_GATE};
use crate::record::layout::part;
use crate::record::layout::record::{BYTES, INCARNATION, TAG};
use crate::record::moment::Moment;
use crate::record::session::{Session, SessionMut};
use crate::record::step::{Action, Effect, Open, Refusal, Step, Ticket};
use crate::record::view::{Inspection, SessionState};
use crate::session_id::Nonce;
use crate::store::Incarnation;
use crate::verdict::Verdict;

/// All that is kept about one destination of one tenant, in its canonical bytes: tag, life
/// of the store, two lanes, a count and so many sessions, the oldest first.
#[derive(Clone, Debug)]
pub(crate) struct DestinationRecord {
    bytes: Vec<u8>,
    places: Places,
}

/// What the messages of a session are limited by.
struct Terms<'a> {
    cooldown_seconds: u32,
    max_sends: u8,
    limits: &'a LaneLimits,
}

/// Where the parts of variable length begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// The lane of known devices; the open one is at [`BYTES`].
    pub(crate) known_device: usize,
    /// The count of the sessions, which follow it.
    pub(crate) count: usize,
}

impl DestinationRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        let mut fields = [0; BYTES];
        fields[..2].copy_from_slice(&[VERSION, Kind::Destination as u8]);
        TAG.set(&mut fields, tag.0);
        let no_sessions = [0];
        Self {
            bytes: [&fields[..], &OPEN_GATE, &no_sessions].concat(),
            places: Places::OPEN_GATE,
        }
    }

    /// The record of these bytes, which were read strictly before.
    pub(crate) const fn from_canonical(bytes: Vec<u8>, places: Places) -> Self {
        Self { bytes, places }
    }

    /// The record of bytes that a step left.
    pub(crate) fn from_step(bytes: Vec<u8>) -> Self {
        let places = Places::of(&bytes);
        Self { bytes, places }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn tag(&self) -> Tag {
        Tag(TAG.get(part::<BYTES>(&self.bytes, 0)))
    }

    /// With the error of the caller's own, so that what it found is written where the caller
    /// wants it, and moved nowhere: each move waits for the writes before it.
    #[inline]
    pub(crate) fn step<E: From<CorruptRecord>>(
        &mut self,
        step: &Step,
        moment: Moment,
    ) -> Result<Effect, E> {
        let own = self.tag() == step.tag;
        match &step.action {
            Action::Check(check) if own => Ok(self.check(check, moment)),
            action if own || matches!(action, Action::Report(..)) => {
                Ok(self.other(action, moment)?)
            }
            action => Ok(foreign(action)?),
        }
    }

    /// All but a check, whose frame is small without them.
    #[inline(never)]
    fn other(&mut self, action: &Action, moment: Moment) -> Result<Effect, CorruptRecord> {
        Ok(match action {
            Action::Open(open) => self.open(open, moment),
            Action::PeekOpen(open) => self.peek(open, moment),
            Action::Resend(resend) => self.resend(resend, moment),
            Action::PeekResend(resend) => self.peek_resend(resend, moment),
            Action::Cancel(nonce) => self.cancel(*nonce, moment),
            Action::Outcome(posted, outcome) | Action::Report(posted, outcome) => {
                self.note(*posted, *outcome, moment)
            }
            Action::Turn(posted, channel) => self.turn(*posted, *channel, moment),
            Action::Look(nonce) => self.look(*nonce, moment),
            Action::Reset => self.reset(),
            Action::Inspect(open, known_device) => self.inspect(open, known_device, moment),
            _ => return Err(CorruptRecord::Foreign),
        })
    }

    pub(crate) fn find(&self, nonce: Nonce) -> Option<Session<'_>> {
        self.sessions().find(|session| session.nonce() == nonce)
    }

    /// Until when the record means something; none means until a reset.
    pub(crate) fn keep_until(&self) -> Option<Timestamp> {
        keep_until(&self.bytes, self.places)
    }

    fn open(&mut self, open: &Open, moment: Moment) -> Effect {
        let now = moment.now;
        let seen = self.peek(open, moment);
        if seen != Effect::Done {
            return seen;
        }
        let before = self.clone();
        self.tidy(moment);
        if let Some(mut replaced) = open.replaces.and_then(|nonce| self.find_mut(nonce)) {
            replaced.end(SessionState::Cancelled, now);
        }
        self.change_lane(open.known_device, |lane| {
            lane.charge_send(&open.limits, now);
        });
        let at = self.bytes.len();
        SessionMut::append(&mut self.bytes, open, now);
        self.bytes[self.places.count] += 1;
        let ticket = self.ticket(self.session(at), &Terms::of(open), moment);
        if self.make_room() {
            return Effect::Granted(ticket);
        }
        // Only sessions of an earlier, wider policy can fill a record with live ones.
        *self = before;
        Effect::Refused(self.too_many_live(open, moment))
    }

    /// What who opened the session is told of it, and of when another message may follow.
    fn ticket(&self, session: Session<'_>, terms: &Terms<'_>, moment: Moment) -> Ticket {
        let now = moment.now;
        let lane = self.lane(session.flags().known_device);
        let wait = lane.sends().wait(&terms.limits.sends, now).unwrap_or(0);
        let cooled = session.next_send(terms.cooldown_seconds);
        let next = cooled.max(now.plus_secs(wait));
        let has_next =
            session.sends() < terms.max_sends && next < session.expires() && !lane.locked();
        let is_live = session.is_live(now) && self.is_of_life(moment);
        session.ticket(is_live, has_next.then(|| now.secs_until(next)), now)
    }

    /// What opening would meet, without any change.
    fn peek(&self, open: &Open, moment: Moment) -> Effect {
        if let Some(session) = self.find(open.nonce) {
            return Effect::Existing(self.ticket(session, &Terms::of(open), moment));
        }
        self.refusal(open, moment)
            .map_or(Effect::Done, Effect::Refused)
    }

    /// Why nothing can be opened now, in the order of what lasts longest.
    fn refusal(&self, open: &Open, moment: Moment) -> Option<Refusal> {
        let lane = self.lane(open.known_device);
        if lane.locked() {
            return Some(Refusal::Locked);
        }
        if let Some(retry_after) = lane.sends().wait(&open.limits.sends, moment.now) {
            return Some(Refusal::Throttled {
                limit: LimitName::DestinationSends,
                retry_after,
            });
        }
        let live = self.live(open, moment).count();
        (live >= usize::from(open.limits.live_sessions)).then(|| self.too_many_live(open, moment))
    }

    fn live<'a>(
        &'a self,
        open: &'a Open,
        moment: Moment,
    ) -> impl Iterator<Item = Session<'a>> + use<'a> {
        let same_life = self.is_of_life(moment);
        self.sessions().filter(move |session| {
            same_life
                && session.flags().known_device == open.known_device
                && session.is_live(moment.now)
                && open.replaces != Some(session.nonce())
        })
    }

    fn too_many_live(&self, open: &Open, moment: Moment) -> Refusal {
        let next = self.live(open, moment).map(Session::expires).min();
        let retry_after = next.map_or(1, |expires| moment.now.secs_until(expires).max(1));
        Refusal::Throttled {
            limit: LimitName::LiveSessions,
            retry_after,
        }
    }

    fn reset(&mut self) -> Effect {
        self.bytes.splice(BYTES..self.places.count, OPEN_GATE);
        self.places = Places::OPEN_GATE;
        Effect::Done
    }

    fn cancel(&mut self, nonce: Nonce, moment: Moment) -> Effect {
        let same_life = self.is_of_life(moment);
        if let Some(mut session) = self.find_mut(nonce).filter(|_| same_life) {
            session.settle(moment.now);
            session.end(SessionState::Cancelled, moment.now);
        }
        self.look(nonce, moment)
    }

    pub(super) fn look(&self, nonce: Nonce, moment: Moment) -> Effect {
        let same_life = self.is_of_life(moment);
        let found = self.find(nonce);
        Effect::Session(found.map(|session| session.view(moment.now, same_life)))
    }

    fn inspect(&self, open: &LaneLimits, device: &LaneLimits, moment: Moment) -> Effect {
        let now = moment.now;
        let same_life = self.is_of_life(moment);
        Effect::Inspection(Box::new(Inspection {
            open: self.lane(false).view(open, now),
            known_device: self.lane(true).view(device, now),
            sessions: self
                .sessions()
                .map(|session| session.view(now, same_life))
                .collect(),
        }))
    }

    /// Whether its live sessions were opened in this life of the store: an opening in
    /// another life ends them all.
    pub(super) fn is_of_life(&self, moment: Moment) -> bool {
        let life = INCARNATION.get(part::<BYTES>(&self.bytes, 0));
        Incarnation::new(u64::from_be_bytes(life)) == moment.incarnation
    }

    #[inline]
    fn lane(&self, known_device: bool) -> Lane<'_> {
        Lane::read(&self.bytes, self.lane_at(known_device))
    }

    /// Changes a lane, behind which the others then lie elsewhere.
    fn change_lane(&mut self, known_device: bool, change: impl FnOnce(&mut LaneMut<'_>)) {
        let (at, before) = (self.lane_at(known_device), self.bytes.len());
        let record = &mut self.bytes;
        change(&mut LaneMut { record, at });
        let moved = |place: usize| place + self.bytes.len() - before;
        self.places = Places {
            known_device: if known_device {
                self.places.known_device
            } else {
                moved(self.places.known_device)
            },
            count: moved(self.places.count),
        };
    }

    const fn lane_at(&self, known_device: bool) -> usize {
        if known_device {
            self.places.known_device
        } else {
            BYTES
        }
    }

    /// Its sessions, each with the place where it begins.
    #[inline]
    fn placed(&self) -> impl Iterator<Item = (usize, Session<'_>)> {
        placed(&self.bytes, self.places)
    }

    fn sessions(&self) -> impl Iterator<Item = Session<'_>> {
        self.placed().map(|(_, session)| session)
    }

    /// Where the session of this nonce and purpose begins.
    #[inline]
    fn place(&self, nonce: Nonce, purpose: Tag) -> Option<usize> {
        let own = |session: &Session| session.nonce() == nonce && session.purpose() == purpose;
        self.placed()
            .find(|(_, session)| own(session))
            .map(|(at, _)| at)
    }

    fn session(&self, at: usize) -> Session<'_> {
        Session::read(&self.bytes, at)
    }

    fn session_mut(&mut self, at: usize) -> SessionMut<'_> {
        SessionMut {
            record: &mut self.bytes,
            at,
        }
    }

    pub(super) fn find_mut(&mut self, nonce: Nonce) -> Option<SessionMut<'_>> {
        let mut placed = self.placed();
        let (at, _) = placed.find(|(_, session)| session.nonce() == nonce)?;
        drop(placed);
        Some(self.session_mut(at))
    }

    /// Ends what is over, moves to the store's life, and forgets what nobody can ask for any more.
    fn tidy(&mut self, moment: Moment) {
        let same_life = self.is_of_life(moment);
        let mut at = self.places.count + 1;
        while at < self.bytes.len() {
            let mut session = self.session_mut(at);
            session.settle(moment.now);
            if !same_life {
                session.end(SessionState::Expired, moment.now);
                session.forget_attempts();
            }
            if self.session(at).keep_until() > moment.now {
                at += self.session(at).bytes();
            } else {
                self.drop_session(at);
            }
        }
        let life = moment.incarnation.number().to_be_bytes();
        INCARNATION.put(&mut self.bytes, 0, life);
    }
}

impl<'a> Terms<'a> {
    const fn of(open: &'a Open) -> Self {
        Self {
            cooldown_seconds: open.cooldown_seconds,
            max_sends: open.max_sends,
            limits: &open.limits,
        }
    }
}

impl Places {
    const OPEN_GATE: Self = Self {
        known_device: BYTES + OPEN_GATE.len() / 2,
        count: BYTES + OPEN_GATE.len(),
    };

    /// Where they begin in the bytes of a record.
    #[inline]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let known_device = Lane::read(bytes, BYTES).end(BYTES);
        Self {
            known_device,
            count: Lane::read(bytes, known_device).end(known_device),
        }
    }
}

/// Until when a record of these bytes means something; none means until a reset.
pub(crate) fn keep_until(bytes: &[u8], places: Places) -> Option<Timestamp> {
    let open = Lane::read(bytes, BYTES).keep_until()?;
    let gate = open.max(Lane::read(bytes, places.known_device).keep_until()?);
    let sessions = placed(bytes, places).map(|(_, session)| session.keep_until());
    Some(sessions.fold(gate, Timestamp::max))
}

/// The sessions in these bytes, each with the place where it begins.
#[inline]
fn placed(bytes: &[u8], places: Places) -> impl Iterator<Item = (usize, Session<'_>)> {
    let (mut at, mut last) = (places.count + 1, None);
    std::iter::from_fn(move || {
        // Only who goes on must know where a session ends.
        at += last.map_or(0, Session::bytes);
        last = (at < bytes.len()).then(|| Session::read(bytes, at));
        Some((at, last?))
    })
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

const fn limits_of<'l>(
    known_device: bool,
    open: &'l LaneLimits,
    of_known_devices: &'l LaneLimits,
) -> &'l LaneLimits {
    if known_device { of_known_devices } else { open }
}
