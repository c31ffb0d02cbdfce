//! The calls: name, method, path, scopes and fields of each, in one table.

use crate::activate::ACTIVATE;
use crate::caller::Scope;
use crate::fields::{self, Field};

/// One of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Send,
    Start,
    Check,
    Resend,
    Status,
    Cancel,
    Reset,
    Destination,
    Activate,
}

impl Call {
    pub(crate) const ALL: [Self; 9] = [
        Self::Send,
        Self::Start,
        Self::Check,
        Self::Resend,
        Self::Status,
        Self::Cancel,
        Self::Reset,
        Self::Destination,
        Self::Activate,
    ];

    /// Its name in logs and metrics, and its `operationId`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Start => "start",
            Self::Check => "check",
            Self::Resend => "resend",
            Self::Status => "status",
            Self::Cancel => "cancel",
            Self::Reset => "reset",
            Self::Destination => "destination",
            Self::Activate => "activate",
        }
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Send => "/v1/verify/send",
            Self::Start => "/v1/verify/start",
            Self::Check => "/v1/verify/check",
            Self::Resend => "/v1/verify/resend",
            Self::Status => "/v1/verify/status/{session_id}",
            Self::Cancel => "/v1/verify/sessions/{session_id}",
            Self::Reset => "/v1/verify/reset",
            Self::Destination => "/v1/verify/destination",
            Self::Activate => ACTIVATE,
        }
    }

    /// The method, in lower case.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Status | Self::Destination => "get",
            Self::Cancel => "delete",
            _ => "post",
        }
    }

    /// One of these is enough; none where no API key is asked for.
    pub(crate) const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Send | Self::Start | Self::Resend | Self::Cancel => &[Scope::Send],
            Self::Check => &[Scope::Check],
            Self::Status => &[Scope::Send, Scope::Check],
            Self::Reset | Self::Destination => &[Scope::Admin],
            Self::Activate => &[],
        }
    }

    /// What its body may have; none where no body is read.
    pub(crate) const fn fields(self) -> Option<&'static [Field]> {
        match self {
            Self::Send => Some(fields::SEND),
            Self::Start => Some(fields::START),
            Self::Check => Some(fields::CHECK),
            Self::Resend => Some(fields::RESEND),
            Self::Reset => Some(fields::RESET),
            Self::Status | Self::Cancel | Self::Destination | Self::Activate => None,
        }
    }

    pub(crate) const fn summary(self) -> &'static str {
        match self {
            Self::Send => "Send a code",
            Self::Start => "Send a code (the longer form)",
            Self::Check => "Check a code",
            Self::Resend => "Send another message of a live session",
            Self::Status => "Look at a session",
            Self::Cancel => "End a live session",
            Self::Reset => "Forget failures, sends and locks of a destination",
            Self::Destination => "Look at a destination",
            Self::Activate => "Obtain the first API key, once",
        }
    }

    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Send | Self::Start => {
                "Opens a session and sends its code by `channel`. The code is never in an answer."
            }
            Self::Check => {
                "Judges a code: once, in time, within the allowed attempts. A wrong code is an \
                 answer with `status` `failed`, not an error."
            }
            Self::Resend => {
                "The destination is given again, exactly as it was sent to. Attempts are kept."
            }
            Self::Status => "Ended sessions stay readable for 15 minutes.",
            Self::Cancel => "Answers how the session now stands; an ended one stays as it is.",
            Self::Reset => "For operators. Its sessions stay.",
            Self::Destination => {
                "For operators: sends and failures left, locks, and sessions with their state."
            }
            Self::Activate => {
                "With the dashboard's JWT. The key is shown once; later calls answer 409."
            }
        }
    }
}
