//! Errors: every one says what was wrong and what to do, and none shows a secret.

use thiserror::Error;

use crate::deliver::DeliverError;
use crate::destination::Channel;
use crate::number_plan::Unserved;
use crate::session_id::SessionId;

/// The operating system gave no randomness; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the operating system gives no randomness")]
#[non_exhaustive]
pub struct RandomUnavailable;

/// Not a session id that anybody could have been given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a session id: `sess_` and 23 characters are expected")]
#[non_exhaustive]
pub struct InvalidSessionId;

/// Not a code that any policy could have issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCode {
    /// Shorter than 4 or longer than 10 characters.
    #[error("a code has 4 to 10 characters")]
    Length,
    /// A character that no code has.
    #[error("a code has digits, or upper-case letters and digits")]
    Alphabet,
}

/// Why a key ring could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A secret is shorter than 32 bytes.
    #[error(
        "a secret has {bytes} bytes, at least 32 are needed: make one with `countersign secret new`"
    )]
    TooShort {
        /// Its length in bytes.
        bytes: usize,
    },
    /// There is no master secret.
    #[error("no master secret is given")]
    NoMaster,
    /// Two master secrets share an id.
    #[error("two master secrets have the same id: replace the newer one by a fresh secret")]
    Alike,
    /// No randomness for a new one.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
}

/// A store could not do what was asked.
///
/// A store builds the first two itself where it has an error to give as the `source`, and
/// by [`unavailable`](Self::unavailable) and [`indeterminate`](Self::indeterminate) where
/// it has none. The reason is shown to operators and logged: it names no value and no key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing was written: the store is unreachable, full, read-only or busy.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// What the store said, without values.
        reason: String,
        /// The error behind it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The write may or may not have happened: take it as charged and not approved.
    #[error("the store's answer was lost: {reason}")]
    Indeterminate {
        /// What happened, without values.
        reason: String,
        /// The error behind it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Others changed the record again and again; nothing was written.
    #[error("the record is too busy: nothing was changed, try again")]
    Contended,
    /// The value is not what its key promises. It is never used.
    #[error("a stored value is corrupt: {0}")]
    Corrupt(#[from] CorruptRecord),
    /// This store does not have the operation.
    #[error("this store cannot {0}")]
    Unsupported(&'static str),
}

impl StoreError {
    /// [`StoreError::Unavailable`] for `reason`.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            source: None,
        }
    }

    /// [`StoreError::Indeterminate`] for `reason`.
    pub fn indeterminate(reason: impl Into<String>) -> Self {
        Self::Indeterminate {
            reason: reason.into(),
            source: None,
        }
    }

    /// The same for somebody else whom it met, without its source.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Unavailable { reason, .. } => Self::unavailable(reason.clone()),
            Self::Indeterminate { reason, .. } => Self::indeterminate(reason.clone()),
            Self::Contended => Self::Contended,
            Self::Corrupt(corrupt) => Self::Corrupt(*corrupt),
            Self::Unsupported(operation) => Self::Unsupported(operation),
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Indeterminate { .. } | Self::Contended
        )
    }
}

/// Why stored bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CorruptRecord {
    /// Written by a newer release.
    #[error("version {0} is not known to this release")]
    Version(u8),
    /// Another kind or another tenant than the key promises.
    #[error("it is another record than its key promises")]
    Foreign,
    /// Cut short, too long, or out of range.
    #[error("its encoding is not canonical")]
    Encoding,
}

/// Which limit refused, by the name that the API shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitName {
    /// Sends to this destination in a window.
    DestinationSends,
    /// Live sessions of this destination.
    LiveSessions,
    /// The pause between two messages of one session.
    ResendCooldown,
    /// Messages in one session.
    SessionSends,
    /// Sends of one source address.
    SourceSends,
    /// Sends of one source network (IPv6 /48).
    NetworkSends,
    /// Checks of one source address.
    SourceChecks,
    /// Sends of one tenant.
    TenantSends,
    /// Sends to one prefix of phone numbers.
    PrefixSends,
    /// Messages to one prefix of which too few were answered by an approval.
    PrefixConversion,
    /// What one tenant may spend in a day.
    TenantSpend,
    /// What all tenants together may spend in a day.
    TotalSpend,
}

impl LimitName {
    /// The stable name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DestinationSends => "destination_sends",
            Self::LiveSessions => "live_sessions",
            Self::ResendCooldown => "resend_cooldown",
            Self::SessionSends => "session_sends",
            Self::SourceSends => "source_sends",
            Self::NetworkSends => "network_sends",
            Self::SourceChecks => "source_checks",
            Self::TenantSends => "tenant_sends",
            Self::PrefixSends => "prefix_sends",
            Self::PrefixConversion => "prefix_conversion",
            Self::TenantSpend => "tenant_spend",
            Self::TotalSpend => "total_spend",
        }
    }
}

/// Why nothing was sent, or whether something may have been.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// A limit is reached; nothing was charged.
    #[error("limit {} is reached, try again in {retry_after} s", limit.as_str())]
    Throttled {
        /// Which one.
        limit: LimitName,
        /// Seconds until it may be tried again.
        retry_after: u64,
    },
    /// The destination is locked after too many wrong codes in a row, until an operator's reset.
    #[error("the destination is locked until an operator resets it")]
    Locked,
    /// No deliverer for this channel.
    #[error("no deliverer is configured for channel {}", .0.name())]
    NoDeliverer(Channel),
    /// The destination does not go with the channel.
    #[error("this destination cannot be reached by channel {}", .0.name())]
    WrongChannel(Channel),
    /// Nothing is sent to this number; nothing was charged.
    #[error(transparent)]
    Unserved(#[from] Unserved),
    /// An option is outside its range.
    #[error("option {option}: {problem}")]
    Option {
        /// Its name in the API.
        option: &'static str,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// The custom code is none.
    #[error("option custom_code: {0}")]
    CustomCode(InvalidCode),
    /// The same idempotency key is being worked on; try again in a moment.
    #[error("a request with this idempotency key is being worked on")]
    IdempotencyInProgress {
        /// Seconds until the lease of the other request ends.
        retry_after: u64,
    },
    /// The same idempotency key was used with another body.
    #[error("this idempotency key was used with another request")]
    IdempotencyMismatch,
    /// No session that could be resent: unknown, ended, or another destination.
    #[error("no live session of this destination has this id")]
    NotLive,
    /// The session is stored and charged, the message was not taken.
    #[error("the message was not delivered: {error}")]
    Delivery {
        /// The session, which may be resent if `retryable`.
        session_id: SessionId,
        /// Whether a resend makes sense.
        retryable: bool,
        /// What the deliverer said.
        #[source]
        error: DeliverError,
    },
    /// No randomness for a code.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    /// The store failed; nothing was sent.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why it could not be told whether a code is right. Never an approval.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// Not a code that any policy could have issued; nothing was charged.
    #[error(transparent)]
    Code(#[from] InvalidCode),
    /// An option is outside its range.
    #[error("option {option}: {problem}")]
    Option {
        /// Its name in the API.
        option: &'static str,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// Too many checks of one source; nothing was charged to the session.
    #[error("limit {} is reached, try again in {retry_after} s", limit.as_str())]
    Throttled {
        /// Which one.
        limit: LimitName,
        /// Seconds until it may be tried again.
        retry_after: u64,
    },
    /// The store failed. The guess may have been charged; nothing was approved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a verifier could not be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The policy makes no sense.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The store failed the start-up probe: it would let guesses or codes through.
    #[error("the store is not atomic: {0}")]
    Probe(&'static str),
    /// The store serves another deployment's keys.
    #[error("the store was used with another pseudonym key: every limit would be forgotten")]
    ForeignStore,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("policy.{field} = {value}: {problem}")]
#[non_exhaustive]
pub struct PolicyError {
    /// The field, by its name in the configuration.
    pub field: &'static str,
    /// What it was set to.
    pub value: u64,
    /// What is wrong, and what would be right.
    pub problem: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later_is_transient_and_nothing_else() {
        assert!(StoreError::unavailable("down").is_transient());
        assert!(StoreError::indeterminate("cut").is_transient());
        assert!(StoreError::Contended.is_transient());
        assert!(!StoreError::Unsupported("scan").is_transient());
        assert!(!StoreError::Corrupt(CorruptRecord::Foreign).is_transient());
    }
}
