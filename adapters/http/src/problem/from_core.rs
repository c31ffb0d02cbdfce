//! What the engine refuses, as problems. No value of the caller's is among it.

use countersign::{CheckError, DeliverError, SendError, SessionId, StoreError, Unserved};

use crate::problem::{Problem, ProblemKind};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        crate::metrics::store_error(&error);
        // The store's own words are for the operator: they may name hosts and files.
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Indeterminate { .. } => {
                Self::new(ProblemKind::Indeterminate, "the store's answer was lost").after(1)
            }
            StoreError::Unavailable { .. } | StoreError::Contended => {
                Self::new(ProblemKind::Unavailable, "the store is not available").after(1)
            }
            _ => Self::new(ProblemKind::Internal, "a stored value cannot be used"),
        }
    }
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Throttled { limit, retry_after } => {
                Self::throttled(limit.as_str(), retry_after)
            }
            SendError::Locked => Self::new(
                ProblemKind::Locked,
                "the destination is locked until an operator's reset",
            ),
            SendError::NoDeliverer(channel) => Self::new(
                ProblemKind::ChannelUnavailable,
                format!("no deliverer is configured for channel {}", channel.name()),
            )
            .with("field", "channel"),
            SendError::WrongChannel(channel) => Self::invalid(
                "channel",
                format!(
                    "this destination cannot be reached by channel {}",
                    channel.name()
                ),
            ),
            SendError::Unserved(unserved) => not_served(&unserved),
            // A well-formed id that names no session is one more that is not found.
            SendError::Option {
                option: option @ "replaces",
                problem,
            } => Self::new(ProblemKind::UnknownSession, format!("`{option}` {problem}"))
                .with("field", option),
            SendError::Option { option, problem } => Self::invalid(option, problem),
            SendError::CustomCode(error) => Self::invalid("custom_code", error.to_string()),
            SendError::IdempotencyInProgress { retry_after } => Self::new(
                ProblemKind::InProgress,
                "a request with this key is being worked on",
            )
            .after(retry_after),
            SendError::IdempotencyMismatch => Self::new(
                ProblemKind::IdempotencyMismatch,
                "this idempotency key was used with another request",
            ),
            SendError::NotLive => Self::new(
                ProblemKind::UnknownSession,
                "no live session of this destination has this id",
            ),
            SendError::Delivery {
                session_id,
                retryable,
                error,
            } => undelivered(session_id, retryable, error),
            SendError::Random(_) => Self::new(
                ProblemKind::Unavailable,
                "there is no randomness for a code",
            )
            .after(1),
            SendError::Store(error) => error.into(),
            _ => Self::new(ProblemKind::Internal, "the send failed in an unknown way"),
        }
    }
}

impl From<CheckError> for Problem {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Code(error) => Self::invalid("code", error.to_string()),
            CheckError::Option { option, problem } => Self::invalid(option, problem),
            CheckError::Throttled { limit, retry_after } => {
                Self::throttled(limit.as_str(), retry_after)
            }
            CheckError::Store(error) => error.into(),
            _ => Self::new(ProblemKind::Internal, "the check failed in an unknown way"),
        }
    }
}

/// The country is the number's own; the number itself is not told.
fn not_served(unserved: &Unserved) -> Problem {
    let reason = match unserved {
        Unserved::Invalid => "invalid",
        Unserved::Country(_) => "country",
        Unserved::Sort(_) => "sort",
        Unserved::NoPrice(_) => "no_price",
        _ => "other",
    };
    Problem::new(ProblemKind::Unserved, unserved.to_string()).with("reason", reason)
}

fn undelivered(session_id: SessionId, retryable: bool, error: DeliverError) -> Problem {
    let problem = Problem::new(ProblemKind::Undelivered, error.to_string())
        .with("session_id", session_id.to_string())
        .with("retryable", retryable);
    match error.retry_after() {
        Some(pause) => problem.after(pause.as_secs()),
        None => problem,
    }
}
