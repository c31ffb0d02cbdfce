//! What can be seen of a record: no digest, no destination.

use crate::clock::Timestamp;
use crate::code::CodeForm;
use crate::destination::Channel;
use crate::keys::KeyId;
use crate::session_id::Nonce;

/// Where a session stands. It moves only from `Live` to one of the others, never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new state must not compile until it is handled"
)]
pub enum SessionState {
    /// Open: its code can be checked.
    Live,
    /// Approved.
    Verified,
    /// Out of attempts.
    Exhausted,
    /// Out of time.
    Expired,
    /// Cancelled or replaced.
    Cancelled,
    /// Its message could not be delivered.
    Undeliverable,
}

impl SessionState {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Verified => "verified",
            Self::Exhausted => "exhausted",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Undeliverable => "undeliverable",
        }
    }
}

/// What is known of a session's last message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new state must not compile until it is handled"
)]
pub enum DeliveryState {
    /// On its way, or lost in a crash.
    Unknown,
    /// A provider took it.
    Accepted,
    /// It failed.
    Failed,
    /// A receipt says that it arrived.
    Delivered,
}

impl DeliveryState {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
        }
    }
}

/// A session, as its owner may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionView {
    /// Which session.
    pub nonce: Nonce,
    pub(crate) key: KeyId,
    /// Where it stands.
    pub state: SessionState,
    /// How its last message travelled.
    pub channel: Channel,
    /// What became of it.
    pub delivery: DeliveryState,
    /// Form of its code.
    pub form: CodeForm,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Until when its code is good.
    pub expires_at: Timestamp,
    /// Guesses left; zero once it has ended.
    pub attempts_remaining: u8,
    /// Messages so far.
    pub sends: u8,
    /// Whether it can never succeed.
    pub decoy: bool,
    /// Whether the caller chose the code.
    pub custom: bool,
    /// Whether it belongs to the known devices' lane.
    pub known_device: bool,
}

impl SessionView {
    /// The `status` that the HTTP API gives.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match (self.state, self.delivery) {
            (SessionState::Live, DeliveryState::Delivered) => "delivered",
            (SessionState::Live, DeliveryState::Failed)
            | (SessionState::Exhausted | SessionState::Undeliverable, _) => "failed",
            (SessionState::Live, _) => "pending",
            (SessionState::Verified, _) => "verified",
            (SessionState::Expired, _) => "expired",
            (SessionState::Cancelled, _) => "cancelled",
        }
    }
}

/// One lane of a destination's gate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneView {
    /// Sends left in the shorter and in the longer window.
    pub sends_left: [u16; 2],
    /// Failed guesses left in the shorter and in the longer window.
    pub failures_left: [u16; 2],
    /// Failed guesses since the last success.
    pub streak: u16,
    /// Whether it is locked until a reset.
    pub locked: bool,
    /// Seconds until the next send is allowed; zero if one is.
    pub next_send_in: u64,
    /// Seconds until the next guess is allowed; zero if one is.
    pub next_check_in: u64,
}

/// All that is known of a destination, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The lane of everybody.
    pub open: LaneView,
    /// The lane of known devices.
    pub known_device: LaneView,
    /// Sessions that are live or still readable, the oldest first.
    pub sessions: Vec<SessionView>,
}
