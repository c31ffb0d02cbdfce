//! One session inside a record: its codes, its attempts, its end.

use smallvec::{SmallVec, smallvec};

use crate::clock::Timestamp;
use crate::code::CodeForm;
use crate::destination::Channel;
use crate::digest::Digest;
use crate::keys::{KeyId, Tag, cut};
use crate::policy::ResendPolicy;
use crate::record::RecordKey;
use crate::record::step::{Open, Ticket};
use crate::record::view::{DeliveryState, SessionState, SessionView};
use crate::session_id::Nonce;
use crate::verdict::Verdict;

/// Ended sessions stay readable for so many seconds: 15 minutes.
pub(crate) const RETENTION_SECONDS: u64 = 15 * 60;
/// A repeated attempt id is recognised for so many seconds.
const MEMO_SECONDS: u64 = 60;
/// A clock that stands further before the opening than this, in milliseconds, is wrong.
const CLOCK_SLACK_MILLIS: u64 = 5000;

/// One verification of a destination.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) nonce: Nonce,
    pub(crate) key: KeyId,
    pub(crate) state: SessionState,
    pub(crate) purpose: Tag,
    pub(crate) exact: Tag,
    pub(crate) opened: Timestamp,
    pub(crate) expires: Timestamp,
    /// When it ended, in seconds since the epoch; zero while it is live.
    pub(crate) ended: u32,
    pub(crate) lifetime_seconds: u32,
    pub(crate) channel: Channel,
    pub(crate) delivery: DeliveryState,
    pub(crate) form: CodeForm,
    pub(crate) attempts: u8,
    pub(crate) max_attempts: u8,
    pub(crate) sends: u8,
    pub(crate) last_send: u32,
    pub(crate) flags: Flags,
    /// Where its approval is counted.
    pub(crate) prefix: Option<RecordKey>,
    /// The codes that work, the newest last; none once it has ended.
    pub(crate) codes: SmallVec<[Digest; 1]>,
    pub(crate) memos: SmallVec<[Memo; 1]>,
}

/// What a session was opened as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Flags {
    pub(crate) known_device: bool,
    pub(crate) decoy: bool,
    pub(crate) custom: bool,
}

/// An attempt that named itself, and its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memo {
    pub(crate) mark: [u8; 6],
    pub(crate) at: u32,
    pub(crate) outcome: Outcome,
}

/// What a charged attempt led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Verified,
    /// Wrong, with so many attempts left; none left is exhausted.
    Wrong(u8),
}

impl Session {
    pub(crate) fn open(open: &Open, now: Timestamp) -> Self {
        let life = open.lifetime_seconds.min(open.ceiling_seconds);
        Self {
            nonce: open.nonce,
            key: open.key,
            state: SessionState::Live,
            purpose: open.purpose,
            exact: open.exact,
            opened: now,
            expires: now.plus_secs(u64::from(life)),
            ended: 0,
            lifetime_seconds: life,
            channel: open.channel,
            delivery: DeliveryState::Unknown,
            form: open.form,
            attempts: 0,
            max_attempts: open.max_attempts,
            sends: 1,
            last_send: now.floor_secs(),
            flags: Flags {
                known_device: open.known_device,
                decoy: open.decoy,
                custom: open.custom,
            },
            prefix: open.prefix,
            codes: smallvec![open.digest],
            memos: SmallVec::new(),
        }
    }

    /// Whether it is live and in time.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.state == SessionState::Live && !self.is_late(now)
    }

    /// Whether its time is over, or the clock stands before it began.
    pub(crate) fn is_late(&self, now: Timestamp) -> bool {
        now >= self.expires || now.plus_millis(CLOCK_SLACK_MILLIS) < self.opened
    }

    /// Ends it; an end is final.
    pub(crate) fn end(&mut self, state: SessionState, at: Timestamp) {
        if self.state == SessionState::Live {
            (self.state, self.ended) = (state, at.ceil_secs().max(1));
            self.codes.clear();
        }
    }

    /// Ends it if its time is over, so that its digest goes.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        if now >= self.expires {
            self.end(SessionState::Expired, self.expires);
        }
    }

    pub(crate) fn keep_until(&self) -> Timestamp {
        let ended = Timestamp::from_secs(u64::from(self.ended));
        let ends = if self.state == SessionState::Live {
            self.expires
        } else {
            ended
        };
        ends.plus_secs(RETENTION_SECONDS)
    }

    /// Charges one attempt and says whether it hit. Every code is compared, in constant
    /// time, whichever fits first.
    pub(crate) fn charge_and_compare(&mut self, guess: &Digest) -> bool {
        self.attempts = self.attempts.saturating_add(1);
        let hit = self
            .codes
            .iter()
            .fold(subtle::Choice::from(0), |hit, code| hit | code.same(guess));
        bool::from(hit) && !self.flags.decoy
    }

    pub(crate) const fn attempts_remaining(&self) -> u8 {
        match self.state {
            SessionState::Live => self.max_attempts.saturating_sub(self.attempts),
            _ => 0,
        }
    }

    /// The verdict of an earlier attempt of the same mark, within 60 seconds.
    pub(crate) fn recall(&self, mark: [u8; 8], now: Timestamp) -> Option<Verdict> {
        let memo = self
            .memos
            .iter()
            .find(|memo| memo.is_of(mark) && memo.is_fresh(now))?;
        Some(match memo.outcome {
            Outcome::Verified => Verdict::Verified {
                channel: self.channel,
            },
            Outcome::Wrong(0) => Verdict::Exhausted,
            Outcome::Wrong(attempts_remaining) => Verdict::WrongCode { attempts_remaining },
        })
    }

    pub(crate) fn remember(&mut self, mark: [u8; 8], outcome: Outcome, now: Timestamp) {
        self.memos.retain(|memo| memo.is_fresh(now));
        let (mark, at) = (cut(&mark), now.ceil_secs());
        self.memos.push(Memo { mark, at, outcome });
    }

    /// Puts a new code in, beside or in place of those before.
    pub(crate) fn renew(&mut self, digest: Digest, resend: ResendPolicy) {
        let kept = match resend {
            ResendPolicy::KeepLast(n) => usize::from(n.saturating_sub(1)),
            ResendPolicy::Rotate | ResendPolicy::Reuse => 0,
        };
        let dead = self.codes.len().saturating_sub(kept);
        self.codes.drain(..dead);
        self.codes.push(digest);
    }

    pub(crate) fn verdict_of_end(&self) -> Verdict {
        match self.state {
            SessionState::Verified => Verdict::AlreadyUsed,
            SessionState::Exhausted => Verdict::Exhausted,
            SessionState::Cancelled => Verdict::Cancelled,
            SessionState::Undeliverable => Verdict::Undeliverable,
            SessionState::Live | SessionState::Expired => Verdict::Expired,
        }
    }

    pub(crate) fn ticket(&self, cooldown_seconds: u32, max_sends: u8, now: Timestamp) -> Ticket {
        let next = self.next_send(cooldown_seconds);
        let resendable = self.sends < max_sends && next < self.expires;
        Ticket {
            nonce: self.nonce,
            expires_in: now.secs_until(self.expires),
            resend_after: resendable.then(|| now.secs_until(next)),
            attempts_remaining: self.attempts_remaining(),
            form: self.form,
            channel: self.channel,
            number: self.sends,
        }
    }

    /// From when on the next message of this session may leave.
    pub(crate) fn next_send(&self, cooldown_seconds: u32) -> Timestamp {
        Timestamp::from_secs(u64::from(self.last_send)).plus_secs(u64::from(cooldown_seconds))
    }

    /// As its owner sees it: out of time, or of another life of the store, is expired,
    /// whether that was written or not.
    pub(crate) fn view(&self, now: Timestamp, same_life: bool) -> SessionView {
        let mut seen = self.clone();
        seen.settle(now);
        if !same_life {
            seen.end(SessionState::Expired, now);
        }
        SessionView {
            nonce: seen.nonce,
            key: seen.key,
            state: seen.state,
            channel: seen.channel,
            delivery: seen.delivery,
            form: seen.form,
            opened_at: seen.opened,
            expires_at: seen.expires,
            attempts_remaining: seen.attempts_remaining(),
            sends: seen.sends,
            decoy: seen.flags.decoy,
            custom: seen.flags.custom,
            known_device: seen.flags.known_device,
        }
    }
}

impl Memo {
    fn is_of(&self, mark: [u8; 8]) -> bool {
        mark.starts_with(&self.mark)
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        now <= Timestamp::from_secs(u64::from(self.at)).plus_secs(MEMO_SECONDS)
    }
}
