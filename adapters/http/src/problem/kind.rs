//! Everything that can be wrong: one row each.

/// What sort of problem it is: a stable `type`, a status and a title each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    Malformed,
    Timeout,
    Invalid,
    Unauthorised,
    Forbidden,
    Locked,
    NoRoute,
    NoMethod,
    UnknownSession,
    InProgress,
    Activated,
    TooLarge,
    NotJson,
    IdempotencyMismatch,
    ChannelUnavailable,
    Unserved,
    Throttled,
    Internal,
    Undelivered,
    Busy,
    Unavailable,
    Indeterminate,
}

struct Row {
    kind: ProblemKind,
    status: u16,
    name: &'static str,
    title: &'static str,
    advice: &'static str,
}

/// In the order of the kinds.
const ROWS: [Row; 22] = [
    Row {
        kind: ProblemKind::Malformed,
        status: 400,
        name: "malformed",
        title: "The body is not JSON",
        advice: "Send one JSON object.",
    },
    Row {
        kind: ProblemKind::Timeout,
        status: 408,
        name: "timeout",
        title: "The request took too long",
        advice: "It was not read and answered within the server's bound. What was begun may still be done: repeat the call with the same `attempt_id` or `Idempotency-Key`.",
    },
    Row {
        kind: ProblemKind::Invalid,
        status: 422,
        name: "invalid",
        title: "A field is not as documented",
        advice: "`field` names it. Nothing was sent or charged.",
    },
    Row {
        kind: ProblemKind::Unauthorised,
        status: 401,
        name: "unauthorised",
        title: "Not authenticated",
        advice: "Send a valid key in `X-API-Key`, or a valid token where one is asked for.",
    },
    Row {
        kind: ProblemKind::Forbidden,
        status: 403,
        name: "forbidden",
        title: "Not allowed",
        advice: "Use a key with the scope that `detail` names.",
    },
    Row {
        kind: ProblemKind::Locked,
        status: 403,
        name: "locked",
        title: "The destination is locked",
        advice: "Too many wrong codes in a row. An operator unlocks it with `reset`; a known device may still send.",
    },
    Row {
        kind: ProblemKind::NoRoute,
        status: 404,
        name: "no-route",
        title: "No such call",
        advice: "See the list of calls.",
    },
    Row {
        kind: ProblemKind::NoMethod,
        status: 405,
        name: "no-method",
        title: "No such method",
        advice: "The header `Allow` lists the methods.",
    },
    Row {
        kind: ProblemKind::UnknownSession,
        status: 404,
        name: "unknown-session",
        title: "No such session",
        advice: "The id never was, is another tenant's or another purpose's; for a resend also: the session has ended or belongs to another destination. With `field` `replaces`: that session is not of this destination.",
    },
    Row {
        kind: ProblemKind::InProgress,
        status: 409,
        name: "in-progress",
        title: "The same request is being worked on",
        advice: "Repeat it with the same `Idempotency-Key` after `retry_after` seconds.",
    },
    Row {
        kind: ProblemKind::Activated,
        status: 409,
        name: "activated",
        title: "Already activated",
        advice: "The key was shown once. Rotate: create another key, then revoke the old one.",
    },
    Row {
        kind: ProblemKind::TooLarge,
        status: 413,
        name: "too-large",
        title: "The body is too large",
        advice: "Send at most 16 KiB.",
    },
    Row {
        kind: ProblemKind::NotJson,
        status: 415,
        name: "not-json",
        title: "The body is not JSON",
        advice: "Send `Content-Type: application/json`.",
    },
    Row {
        kind: ProblemKind::IdempotencyMismatch,
        status: 422,
        name: "idempotency-mismatch",
        title: "The idempotency key was used with another request",
        advice: "Use a fresh `Idempotency-Key` for each request.",
    },
    Row {
        kind: ProblemKind::ChannelUnavailable,
        status: 422,
        name: "channel-unavailable",
        title: "This channel is not configured",
        advice: "The operator has configured no deliverer for it. Nothing was sent or charged.",
    },
    Row {
        kind: ProblemKind::Unserved,
        status: 422,
        name: "unserved",
        title: "Nothing is sent to this number",
        advice: "`reason` says why: `invalid` (nobody can have it), `country` (not listed), `sort` (a sort of line that is not served) or `no_price` (one of the providers has no price for it). Nothing was sent or charged.",
    },
    Row {
        kind: ProblemKind::Throttled,
        status: 429,
        name: "throttled",
        title: "A limit is reached",
        advice: "`limit` names it; try again after `retry_after` seconds. Nothing was charged.",
    },
    Row {
        kind: ProblemKind::Internal,
        status: 500,
        name: "internal",
        title: "Something is wrong here",
        advice: "The operator finds the reason in the log, by `X-Request-Id`.",
    },
    Row {
        kind: ProblemKind::Undelivered,
        status: 502,
        name: "undelivered",
        title: "The message was not delivered",
        advice: "The session `session_id` exists and its send is charged. If `retryable`, resend it.",
    },
    Row {
        kind: ProblemKind::Busy,
        status: 503,
        name: "busy",
        title: "The server is busy",
        advice: "Too many requests are under way. Nothing was read or charged. Try again after `retry_after` seconds.",
    },
    Row {
        kind: ProblemKind::Unavailable,
        status: 503,
        name: "unavailable",
        title: "Not available now",
        advice: "Nothing was sent or approved. Try again after `retry_after` seconds.",
    },
    Row {
        kind: ProblemKind::Indeterminate,
        status: 503,
        name: "indeterminate",
        title: "The outcome is not known",
        advice: "The store's answer was lost. A guess may have been charged; nothing was approved. Repeat the call with the same `attempt_id` or `Idempotency-Key`.",
    },
];

impl ProblemKind {
    /// Every kind, in the order of its status or nearly so.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.kind)
    }

    pub(crate) const fn status(self) -> u16 {
        self.row().status
    }

    /// The end of its `type`; also its name in the log.
    pub(crate) const fn name(self) -> &'static str {
        self.row().name
    }

    pub(crate) const fn title(self) -> &'static str {
        self.row().title
    }

    /// What to do about it, for the page.
    pub(crate) const fn advice(self) -> &'static str {
        self.row().advice
    }

    pub(crate) fn uri(self) -> String {
        format!("urn:countersign:problem:{}", self.name())
    }

    const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row_and_name() {
        for (n, row) in ROWS.iter().enumerate() {
            assert_eq!(row.kind as usize, n, "{}", row.name);
            assert!(ROWS.iter().filter(|other| other.name == row.name).count() == 1);
        }
    }
}
