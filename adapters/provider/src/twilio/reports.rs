//! What Twilio says later about a message or a call.

use std::fmt;

use countersign::{Callback, DeliveryOutcome, Permanent, Report, ReportReader, Unsigned};
use ring::hmac::Key;

use super::form::{self, Fields};
use super::{error_code, signature};
use crate::credential::Credential;

/// Reads Twilio's status callbacks, of messages and of calls alike.
///
/// The signature covers the address, and with it the report token, and every form field.
/// It carries no time: whoever has seen a callback can send it again, and says what has
/// been said before. `now` is not used.
pub struct Reports {
    keys: Vec<Key>,
}

impl Reports {
    /// A reader that takes what any of these auth tokens signed: one, or two while the
    /// account changes from its primary to its secondary one.
    #[must_use]
    pub fn new(auth_tokens: impl IntoIterator<Item = Credential>) -> Self {
        let keys = auth_tokens.into_iter().map(|token| signature::key(&token));
        Self {
            keys: keys.collect(),
        }
    }
}

impl ReportReader for Reports {
    fn read(&self, callback: &Callback<'_>, _now: u64) -> Result<Option<Report>, Unsigned> {
        let fields = form::read(callback.body);
        if !signature::is_valid(&self.keys, callback, &fields) {
            return Err(Unsigned::new());
        }
        let report = |token| outcome(&fields).map(|outcome| Report { token, outcome });
        Ok(token(callback.url).and_then(report))
    }
}

/// The report token that our address for callbacks carried.
fn token(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let fields = form::read(query.as_bytes());
    form::one(&fields, "token").map(str::to_owned)
}

/// The outcome, where the status is the last one. A call that was taken counts as
/// delivered: whether somebody listened is nothing that Twilio knows.
fn outcome(fields: &Fields) -> Option<DeliveryOutcome> {
    if let Some(status) = form::one(fields, "MessageStatus") {
        return match status {
            "delivered" | "read" => Some(DeliveryOutcome::Delivered),
            "undelivered" | "failed" | "canceled" => Some(failed(fields)),
            _ => None,
        };
    }
    match form::one(fields, "CallStatus")? {
        "completed" => Some(DeliveryOutcome::Delivered),
        "busy" | "no-answer" | "failed" | "canceled" => Some(DeliveryOutcome::Failed),
        _ => None,
    }
}

/// Whether another message may arrive: not where the destination itself is the reason.
fn failed(fields: &Fields) -> DeliveryOutcome {
    let code = form::one(fields, "ErrorCode").and_then(|code| code.parse().ok());
    match code.and_then(error_code::reason) {
        Some(Permanent::InvalidDestination | Permanent::Blocked) => DeliveryOutcome::Undeliverable,
        _ => DeliveryOutcome::Failed,
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{outcome, token};
    use crate::twilio::form;
    use countersign::DeliveryOutcome::{Delivered, Failed, Undeliverable};

    #[test]
    fn only_last_words_are_outcomes() {
        for (body, expected) in [
            ("MessageStatus=delivered", Some(Delivered)),
            ("MessageStatus=queued", None),
            ("MessageStatus=accepted", None),
            ("MessageStatus=sending", None),
            ("MessageStatus=sent", None),
            ("MessageStatus=failed", Some(Failed)),
            ("MessageStatus=undelivered&ErrorCode=30003", Some(Failed)),
            (
                "MessageStatus=undelivered&ErrorCode=30004",
                Some(Undeliverable),
            ),
            (
                "MessageStatus=undelivered&ErrorCode=30005",
                Some(Undeliverable),
            ),
            (
                "MessageStatus=undelivered&ErrorCode=30006",
                Some(Undeliverable),
            ),
            ("MessageStatus=undelivered&ErrorCode=30007", Some(Failed)),
            ("MessageStatus=undelivered&ErrorCode=30008", Some(Failed)),
            ("MessageStatus=failed&ErrorCode=x", Some(Failed)),
            ("MessageStatus=delivered&MessageStatus=failed", None),
            ("MessageStatus=DELIVERED", None),
            ("CallStatus=completed", Some(Delivered)),
            ("CallStatus=busy", Some(Failed)),
            ("CallStatus=no-answer", Some(Failed)),
            ("CallStatus=failed", Some(Failed)),
            ("CallStatus=canceled", Some(Failed)),
            ("CallStatus=ringing", None),
            ("CallStatus=in-progress", None),
            ("", None),
        ] {
            assert_eq!(outcome(&form::read(body.as_bytes())), expected, "{body}");
        }
    }

    #[test]
    fn the_token_is_the_addresss_own() {
        let url = "https://example.com/reports/twilio";
        assert_eq!(
            token(&format!("{url}?token=rep_1")).as_deref(),
            Some("rep_1")
        );
        for query in ["", "?", "?other=1", "?token=a&token=b"] {
            assert_eq!(token(&format!("{url}{query}")), None, "{query}");
        }
    }
}
