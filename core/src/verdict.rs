//! What a check found. A wrong code is a verdict, never an error.

use crate::destination::Channel;

/// The outcome of a check.
///
/// Exhaustive on purpose: a new verdict should break its callers, so that nobody
/// takes an unknown outcome for an approval. Only [`Verdict::Verified`] is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new verdict must not compile until it is handled"
)]
#[must_use = "a check that nobody looks at approves nothing"]
pub enum Verdict {
    /// The code was right, in time and for the first time.
    Verified {
        /// The channel by which the code had travelled.
        channel: Channel,
    },
    /// The code was wrong and has been charged.
    WrongCode {
        /// Guesses left in this session, at least one.
        attempts_remaining: u8,
    },
    /// The session's attempts are used up; this guess may have been the last of them.
    Exhausted,
    /// The guess has another length or alphabet than this session's code. Not charged.
    Malformed {
        /// Guesses left in this session.
        attempts_remaining: u8,
    },
    /// The session's time is over, or its store forgot writes since it was opened.
    Expired,
    /// The session was approved before.
    AlreadyUsed,
    /// The session was cancelled, or replaced by another.
    Cancelled,
    /// No message could be delivered for this session.
    Undeliverable,
    /// Too many wrong codes for this destination lately. Not charged.
    Throttled {
        /// Seconds until a guess is taken again.
        retry_after: u64,
        /// Guesses left in this session.
        attempts_remaining: u8,
    },
    /// Too many wrong codes in a row for this destination: closed until an operator's
    /// reset. Not charged.
    Locked {
        /// Guesses left in this session.
        attempts_remaining: u8,
    },
    /// No such session for this tenant and purpose.
    Unknown,
}

impl Verdict {
    /// That of a wrong code after which so many guesses are left.
    pub(crate) const fn wrong(attempts_remaining: u8) -> Self {
        match attempts_remaining {
            0 => Self::Exhausted,
            _ => Self::WrongCode { attempts_remaining },
        }
    }

    /// Whether this is an approval.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        matches!(self, Self::Verified { .. })
    }

    /// The stable name that the HTTP API gives as `reason`; `verified` for an approval.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::WrongCode { .. } => "wrong_code",
            Self::Exhausted => "too_many_attempts",
            Self::Malformed { .. } => "malformed",
            Self::Expired => "expired",
            Self::AlreadyUsed => "already_used",
            Self::Cancelled => "cancelled",
            Self::Undeliverable => "undeliverable",
            Self::Throttled { .. } => "throttled",
            Self::Locked { .. } => "locked",
            Self::Unknown => "unknown",
        }
    }

    /// Guesses left in the session; zero once it has ended.
    #[must_use]
    pub const fn attempts_remaining(&self) -> u8 {
        match self {
            Self::WrongCode { attempts_remaining }
            | Self::Malformed { attempts_remaining }
            | Self::Throttled {
                attempts_remaining, ..
            }
            | Self::Locked { attempts_remaining } => *attempts_remaining,
            _ => 0,
        }
    }
}
