//! One session inside a record: its codes, its attempts, its end.

mod change;

use crate::clock::Timestamp;
use crate::code::CodeForm;
use crate::destination::Channel;
use crate::digest::Digest;
use crate::keys::{KeyId, Tag};
use crate::record::RecordKey;
use crate::record::bytes::{self, Flags};
use crate::record::layout::session::{
    ATTEMPTS, BYTES, CHANNEL_AND_DELIVERY, CODES, ENDED, EXACT, EXPIRES, FLAGS, FORM, KEY,
    LAST_SEND, LIFETIME, MAX_ATTEMPTS, NONCE, OPENED, PURPOSE, SENDS, STATE,
};
use crate::record::layout::{CODE, MEMO, PREFIX, bytes_of_counted, counted, part, tail, time};
use crate::record::step::Ticket;
use crate::record::view::{DeliveryState, SessionState, SessionView};
use crate::session_id::Nonce;
use crate::verdict::Verdict;

pub(crate) use self::change::SessionMut;

const OPEN: u8 = bytes::of_state(SessionState::Live);

/// Ended sessions stay readable for so many seconds: 15 minutes.
pub(crate) const RETENTION_SECONDS: u64 = 15 * 60;
/// A repeated attempt id is recognised for so many seconds.
const MEMO_SECONDS: u64 = 60;
/// A clock that stands further before the opening than this, in milliseconds, is wrong.
const CLOCK_SLACK_MILLIS: u64 = 5000;

/// One verification of a destination, as it stands in the bytes of its record.
#[derive(Clone, Copy)]
pub(crate) struct Session<'r> {
    fields: &'r [u8; BYTES],
    /// Its codes, memos and prefix, and what follows the session.
    rest: &'r [u8],
}

/// An attempt that named itself, and its verdict.
#[derive(Clone, Copy)]
struct Memo {
    mark: [u8; 6],
    at: u32,
    outcome: Outcome,
}

/// What a charged attempt led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Verified,
    /// Wrong, with so many attempts left; none left is exhausted.
    Wrong(u8),
}

impl<'r> Session<'r> {
    /// The session that begins at `at`.
    #[inline]
    pub(crate) fn read(record: &'r [u8], at: usize) -> Self {
        Self {
            fields: part(record, at),
            rest: tail(record, at + BYTES),
        }
    }

    /// The bytes that it takes.
    #[inline]
    pub(crate) fn bytes(self) -> usize {
        let (_, has_prefix) = self.flags_and_prefix();
        let prefix = if has_prefix { PREFIX } else { 0 };
        let codes = self.bytes_of_codes();
        BYTES + codes + bytes_of_counted::<MEMO>(tail(self.rest, codes)) + prefix
    }

    #[inline]
    pub(crate) fn nonce(self) -> Nonce {
        Nonce(NONCE.get(self.fields))
    }

    #[inline]
    pub(crate) fn purpose(self) -> Tag {
        Tag(PURPOSE.get(self.fields))
    }

    /// Tells whether destination (in its exact form) and binding are the same as before.
    pub(crate) fn exact(self) -> Tag {
        Tag(EXACT.get(self.fields))
    }

    #[inline]
    pub(crate) fn state(self) -> SessionState {
        let [byte] = STATE.get(self.fields);
        bytes::state(byte).unwrap_or(SessionState::Expired)
    }

    /// Whether it has not ended; its time may be over.
    #[inline]
    pub(crate) fn is_open(self) -> bool {
        STATE.get(self.fields) == [OPEN]
    }

    pub(crate) fn opened(self) -> Timestamp {
        time(OPENED.get(self.fields))
    }

    #[inline]
    pub(crate) fn expires(self) -> Timestamp {
        time(EXPIRES.get(self.fields))
    }

    pub(crate) fn lifetime_seconds(self) -> u32 {
        let [a, b, c] = LIFETIME.get(self.fields);
        u32::from_be_bytes([0, a, b, c])
    }

    pub(crate) fn channel(self) -> Channel {
        self.channel_and_delivery().0
    }

    pub(crate) fn delivery(self) -> DeliveryState {
        self.channel_and_delivery().1
    }

    fn channel_and_delivery(self) -> (Channel, DeliveryState) {
        let [byte] = CHANNEL_AND_DELIVERY.get(self.fields);
        bytes::channel_and_delivery(byte).unwrap_or((Channel::Sms, DeliveryState::Unknown))
    }

    pub(crate) fn form(self) -> CodeForm {
        let [byte] = FORM.get(self.fields);
        bytes::form(byte).unwrap_or(CodeForm::SIX_DIGITS)
    }

    pub(crate) fn sends(self) -> u8 {
        let [sends] = SENDS.get(self.fields);
        sends
    }

    #[inline]
    pub(crate) fn flags(self) -> Flags {
        self.flags_and_prefix().0
    }

    #[inline]
    fn flags_and_prefix(self) -> (Flags, bool) {
        let [byte] = FLAGS.get(self.fields);
        bytes::known_flags(byte)
    }

    /// Where its approval is counted.
    pub(crate) fn prefix(self) -> Option<RecordKey> {
        let (_, has_prefix) = self.flags_and_prefix();
        let at = self.bytes().saturating_sub(BYTES + PREFIX);
        has_prefix.then(|| RecordKey::from_bytes(*part(self.rest, at)))
    }

    /// The codes that work, the newest last; none once it has ended.
    #[inline]
    fn codes(self) -> &'r [[u8; CODE]] {
        let codes = self.rest.get(..self.bytes_of_codes());
        codes.unwrap_or_default().as_chunks().0
    }

    #[inline]
    fn bytes_of_codes(self) -> usize {
        let [count] = CODES.get(self.fields);
        usize::from(count) * CODE
    }

    #[inline]
    fn memos(self) -> &'r [[u8; MEMO]] {
        counted(tail(self.rest, self.bytes_of_codes()))
    }

    /// Whether it is live and in time.
    pub(crate) fn is_live(self, now: Timestamp) -> bool {
        self.is_open() && !self.is_late(now)
    }

    /// Whether its time is over, or the clock stands before it began.
    pub(crate) fn is_late(self, now: Timestamp) -> bool {
        now >= self.expires() || now.plus_millis(CLOCK_SLACK_MILLIS) < self.opened()
    }

    #[inline]
    pub(crate) fn keep_until(self) -> Timestamp {
        let ends = if self.is_open() {
            self.expires()
        } else {
            let ended = u32::from_be_bytes(ENDED.get(self.fields));
            Timestamp::from_secs(u64::from(ended))
        };
        ends.plus_secs(RETENTION_SECONDS)
    }

    /// Whether the guess is one of the codes. Every code is compared, in constant time,
    /// whichever fits first; a decoy has none.
    pub(crate) fn has_code(self, guess: &Digest) -> bool {
        let hit = self
            .codes()
            .iter()
            .fold(subtle::Choice::from(0), |hit, code| {
                hit | Digest(*code).same(guess)
            });
        bool::from(hit) && !self.flags().decoy
    }

    pub(crate) fn attempts_remaining(self) -> u8 {
        let ([used], [most]) = (ATTEMPTS.get(self.fields), MAX_ATTEMPTS.get(self.fields));
        if self.is_open() {
            most.saturating_sub(used)
        } else {
            0
        }
    }

    /// The verdict of an earlier attempt of the same mark, within 60 seconds.
    pub(crate) fn recall(self, mark: [u8; 8], now: Timestamp) -> Option<Verdict> {
        let memo = self
            .memos()
            .iter()
            .map(Memo::read)
            .find(|memo| mark.starts_with(&memo.mark) && memo.is_fresh(now))?;
        Some(match memo.outcome {
            // The write may have come late: nothing is told as right after its time.
            Outcome::Verified if now >= self.expires() => Verdict::Expired,
            Outcome::Verified => Verdict::Verified {
                channel: self.channel(),
            },
            Outcome::Wrong(left) => Verdict::wrong(left),
        })
    }

    pub(crate) fn verdict_of_end(self) -> Verdict {
        match self.state() {
            SessionState::Verified => Verdict::AlreadyUsed,
            SessionState::Exhausted => Verdict::Exhausted,
            SessionState::Cancelled => Verdict::Cancelled,
            SessionState::Undeliverable => Verdict::Undeliverable,
            SessionState::Live | SessionState::Expired => Verdict::Expired,
        }
    }

    /// As it is told to who opened it; of one that is over, only that.
    pub(crate) fn ticket(self, is_live: bool, resend_after: Option<u64>, now: Timestamp) -> Ticket {
        let [key] = KEY.get(self.fields);
        let (expires_in, attempts_remaining) = if is_live {
            (now.secs_until(self.expires()), self.attempts_remaining())
        } else {
            (0, 0)
        };
        Ticket {
            nonce: self.nonce(),
            key: KeyId(key),
            expires_in,
            resend_after: resend_after.filter(|_| is_live),
            attempts_remaining,
            form: self.form(),
            channel: self.channel(),
            number: self.sends(),
        }
    }

    /// From when on the next message of this session may leave.
    pub(crate) fn next_send(self, cooldown_seconds: u32) -> Timestamp {
        let last_send = u32::from_be_bytes(LAST_SEND.get(self.fields));
        Timestamp::from_secs(u64::from(last_send)).plus_secs(u64::from(cooldown_seconds))
    }

    /// As its owner sees it: out of time, or of another life of the store, is expired,
    /// whether that was written or not.
    pub(crate) fn view(self, now: Timestamp, same_life: bool) -> SessionView {
        let over = now >= self.expires() || !same_life;
        let expired = over && self.is_open();
        let flags = self.flags();
        let [key] = KEY.get(self.fields);
        SessionView {
            nonce: self.nonce(),
            key: KeyId(key),
            state: if expired {
                SessionState::Expired
            } else {
                self.state()
            },
            channel: self.channel(),
            delivery: self.delivery(),
            form: self.form(),
            opened_at: self.opened(),
            expires_at: self.expires(),
            attempts_remaining: if expired {
                0
            } else {
                self.attempts_remaining()
            },
            sends: self.sends(),
            decoy: flags.decoy,
            custom: flags.custom,
            known_device: flags.known_device,
        }
    }
}

impl Memo {
    #[inline]
    fn read(bytes: &[u8; MEMO]) -> Self {
        let [mark @ .., a, b, c, d, outcome] = *bytes;
        Self {
            mark,
            at: u32::from_be_bytes([a, b, c, d]),
            outcome: match outcome {
                u8::MAX => Outcome::Verified,
                left => Outcome::Wrong(left),
            },
        }
    }

    fn is_fresh(self, now: Timestamp) -> bool {
        now <= Timestamp::from_secs(u64::from(self.at)).plus_secs(MEMO_SECONDS)
    }

    fn to_bytes(self) -> [u8; MEMO] {
        let mut bytes = [0; MEMO];
        bytes[..6].copy_from_slice(&self.mark);
        bytes[6..10].copy_from_slice(&self.at.to_be_bytes());
        bytes[10] = match self.outcome {
            Outcome::Verified => u8::MAX,
            Outcome::Wrong(left) => left,
        };
        bytes
    }
}
