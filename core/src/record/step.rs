//! Steps and effects: atomic changes of one record, and what they found, as plain data.

use crate::clock::Timestamp;
use crate::code::{Alphabet, CodeForm};
use crate::destination::Channel;
use crate::digest::Digest;
use crate::error::LimitName;
use crate::keys::{KeyId, Kind, Tag};
use crate::policy::{LaneLimits, ResendPolicy};
use crate::record::RecordKey;
use crate::record::charge::Charge;
use crate::record::view::{Inspection, SessionView};
use crate::session_id::Nonce;
use crate::verdict::Verdict;

/// One atomic change of one record.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Step {
    /// Whose record it must be: of the tenant, for destinations.
    pub tag: Tag,
    /// The time to decide by; none means the store's clock.
    pub at: Option<Timestamp>,
    /// What to do.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "plain data, built by verifiers and suites"
)]
pub enum Action {
    /// Opens a session, if the gate allows one.
    Open(Open),
    /// What [`Action::Open`] would find, without any change: the session of this nonce, a
    /// refusal, or nothing in its way.
    PeekOpen(Open),
    /// Judges a guess.
    Check(Check),
    /// Charges another message of a live session and replaces or adds its code.
    Resend(Resend),
    /// The same refusals as [`Action::Resend`], without any change.
    PeekResend(Resend),
    /// Ends a live session.
    Cancel(Nonce),
    /// Notes what became of a message, if it is the session's last one.
    Outcome(Posted, DeliveryOutcome),
    /// The same, as a provider reports it: whose record it is, the seal of the report's
    /// token says, so the step's own tag is not asked.
    Report(Posted, DeliveryOutcome),
    /// Hands a message that nothing took to another channel, if its session still waits for it.
    Turn(Posted, Channel),
    /// Looks at a session.
    Look(Nonce),
    /// Forgets failures, sends and locks of both lanes; sessions stay.
    Reset,
    /// Looks at everything, for the operator.
    Inspect(LaneLimits, LaneLimits),
    /// Charges the record of what it is held against, if that allows.
    Charge(Charge),
    /// The same refusal as [`Action::Charge`], without any change.
    PeekCharge(Charge),
    /// Gives a charge back, if it is still known by its operation id.
    Refund(Charge),
    /// Forgets what was charged to a record of this kind: events or conversion, never spend.
    Forget(Kind),
    /// Looks at what was spent today.
    LookSpend,
    /// Counts an approval of a message to this prefix.
    CountApproval,
    /// Begins a request with an idempotency key.
    Begin(Begin),
    /// Keeps the answer (at most 64 bytes) of the request that began with this nonce.
    Finish(Nonce, Vec<u8>),
    /// Ends the lease (until this time) of the request that began with this nonce, if it still
    /// is that lease. After the first lease nothing of the request is kept; after a later one its
    /// nonce is, so that the next try finds what an earlier one opened.
    Release(Nonce, Timestamp),
}

impl Action {
    /// The kind of record that the action is about.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Charge(charge) | Self::PeekCharge(charge) | Self::Refund(charge) => {
                charge.against.kind()
            }
            Self::Forget(kind) => *kind,
            Self::LookSpend => Kind::Spend,
            Self::CountApproval => Kind::Conversion,
            Self::Begin(_) | Self::Finish(..) | Self::Release(..) => Kind::Idempotency,
            _ => Kind::Destination,
        }
    }
}

/// A session to open.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Open {
    /// Its nonce; if a session of this nonce is there, that one is answered.
    pub nonce: Nonce,
    /// The key its digest is made with.
    pub key: KeyId,
    /// Its purpose.
    pub purpose: Tag,
    /// The exact form of the destination, and the binding.
    pub exact: Tag,
    /// How the code travels.
    pub channel: Channel,
    /// Form of the code.
    pub form: CodeForm,
    /// Digest of the code.
    pub digest: Digest,
    /// Seconds for which the code is good.
    pub lifetime_seconds: u32,
    /// Seconds for which the session can live, resends included.
    pub ceiling_seconds: u32,
    /// Guesses in all.
    pub max_attempts: u8,
    /// Messages in all.
    pub max_sends: u8,
    /// Seconds between two messages.
    pub cooldown_seconds: u32,
    /// Limits of its lane.
    pub limits: LaneLimits,
    /// Whether it belongs to the known devices' lane.
    pub known_device: bool,
    /// Whether it can never succeed.
    pub decoy: bool,
    /// Whether the caller chose the code.
    pub custom: bool,
    /// A session to end in the same step.
    pub replaces: Option<Nonce>,
    /// Where its approval is to be counted: the record of its prefix's conversion.
    pub prefix: Option<RecordKey>,
}

/// Which forms a guess fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Fit {
    /// Characters in the guess.
    pub length: u8,
    /// Whether they are all digits.
    pub digits: bool,
    /// Whether they are all of [`Alphabet::Alphanumeric`].
    pub alphanumeric: bool,
}

impl Fit {
    /// Whether a code of `form` could look like this.
    #[must_use]
    pub const fn fits(self, form: CodeForm) -> bool {
        let alphabet = match form.alphabet() {
            Alphabet::Digits => self.digits,
            Alphabet::Alphanumeric => self.alphanumeric,
        };
        alphabet && self.length == form.length()
    }
}

/// A guess to judge.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Check {
    /// Which session.
    pub nonce: Nonce,
    /// The purpose that the caller expects.
    pub purpose: Tag,
    /// Which forms the guess fits.
    pub fit: Fit,
    /// Digest of the guess, made with the session's key.
    pub digest: Digest,
    /// Recognises a repetition of this attempt.
    pub attempt: Option<[u8; 8]>,
    /// Limits of the open lane.
    pub limits: LaneLimits,
    /// Limits of the known devices' lane.
    pub device_limits: LaneLimits,
}

/// Another message of a live session.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Resend {
    /// Which session.
    pub nonce: Nonce,
    /// The purpose that the caller expects.
    pub purpose: Tag,
    /// The exact form of the destination, and the binding: must be the session's own.
    pub exact: Tag,
    /// How the code travels now.
    pub channel: Channel,
    /// Digest of the code to send.
    pub digest: Digest,
    /// What becomes of the codes before.
    pub resend: ResendPolicy,
    /// Ceiling of the new channel, from the opening on, in seconds.
    pub ceiling_seconds: u32,
    /// Seconds between two messages.
    pub cooldown_seconds: u32,
    /// Messages in all.
    pub max_sends: u8,
    /// Limits of the open lane.
    pub limits: LaneLimits,
    /// Limits of the known devices' lane.
    pub device_limits: LaneLimits,
}

/// One message of a session: another one has another number, or travels otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Posted {
    /// Which session.
    pub nonce: Nonce,
    /// Its number among the session's messages; the first is 1.
    pub number: u8,
    /// How it travels.
    pub channel: Channel,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "plain data, built by verifiers and suites"
)]
pub enum DeliveryOutcome {
    /// A provider took it.
    Accepted,
    /// It failed, and a resend may succeed.
    Failed,
    /// It failed for good: the session ends as undeliverable.
    Undeliverable,
    /// A receipt says that it arrived.
    Delivered,
}

/// The beginning of a request with an idempotency key.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Begin {
    /// What the request asks for: a hash of all of it.
    pub fingerprint: [u8; 16],
    /// The nonce for its session, unless an earlier try drew one.
    pub nonce: Nonce,
}

/// What a step found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what is not handled must not compile"
)]
#[must_use]
pub enum Effect {
    /// A message may leave.
    Granted(Ticket),
    /// The session of this nonce had been opened before: no message may leave for it.
    Existing(Ticket),
    /// Nothing may leave, and nothing was charged; in a dry run, it would have been so.
    Refused(Refusal),
    /// A guess was judged.
    Verdict(Verdict),
    /// A guess was right, and its approval is to be counted for a prefix: told once, while
    /// a repetition of the same attempt is told [`Verdict::Verified`].
    Approved {
        /// How the code had travelled.
        channel: Channel,
        /// The record of its prefix's conversion.
        prefix: RecordKey,
    },
    /// A session as it now is; none if there is no such session.
    Session(Option<SessionView>),
    /// Everything about a destination.
    Inspection(Box<Inspection>),
    /// A request with an idempotency key may go on, or not.
    Idempotency(IdempotencyEffect),
    /// So much was spent today, in millionths of the currency.
    Spent(u64),
    /// Done, with nothing to say.
    Done,
}

impl Effect {
    /// Whether it approves a guess. A store that tells late what it found must ask this
    /// before it does.
    #[must_use]
    pub const fn is_approval(&self) -> bool {
        matches!(
            self,
            Self::Approved { .. } | Self::Verdict(Verdict::Verified { .. })
        )
    }
}

/// What a caller learns of a session into which a message may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct Ticket {
    /// Which session.
    pub nonce: Nonce,
    /// The key that its id and its digests are made with.
    pub key: KeyId,
    /// Seconds for which the code is good.
    pub expires_in: u64,
    /// Seconds until it can be resent; none when it cannot be any more.
    pub resend_after: Option<u64>,
    /// Guesses left.
    pub attempts_remaining: u8,
    /// Form of the code.
    pub form: CodeForm,
    /// How its last message travels.
    pub channel: Channel,
    /// That message's number among the session's; the first is 1.
    pub number: u8,
}

/// Why no message may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what is not handled must not compile"
)]
pub enum Refusal {
    /// A limit is reached.
    Throttled {
        /// Which.
        limit: LimitName,
        /// Seconds until it may be tried again.
        retry_after: u64,
    },
    /// The destination is locked until reset.
    Locked,
    /// No live session of this nonce, purpose, destination and binding.
    NotLive,
}

/// How a request with an idempotency key may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what is not handled must not compile"
)]
pub enum IdempotencyEffect {
    /// Go on.
    Proceed {
        /// With this nonce: drawn now, or by a try that never ended or was refused.
        nonce: Nonce,
        /// Until when nobody else may.
        leased_until: Timestamp,
    },
    /// Another try is at work.
    InProgress {
        /// Seconds until its lease ends.
        retry_after: u64,
    },
    /// The key was used for something else.
    Mismatch,
    /// It was answered before.
    Answered(Vec<u8>),
}
