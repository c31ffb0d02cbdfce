//! Reports that come back.

use countersign::{Callback, DeliveryOutcome, Report, ReportReader, Unsigned};
use serde::Deserialize;

use crate::secrets::Secrets;
use crate::signature;

/// The longest `report_token` there is, in bytes.
const LONGEST_TOKEN: usize = 64;

/// Reads the receiver's reports, signed with the deliverer's own secrets. Made by
/// [`Webhook::reports`](crate::Webhook::reports).
#[derive(Clone, Debug)]
pub struct WebhookReports {
    secrets: Secrets,
}

#[derive(Deserialize)]
struct Body {
    token: String,
    outcome: String,
}

impl WebhookReports {
    pub(crate) const fn of(secrets: Secrets) -> Self {
        Self { secrets }
    }
}

impl ReportReader for WebhookReports {
    /// A signed body of another form, or with another outcome, says nothing.
    fn read(&self, callback: &Callback<'_>, now: u64) -> Result<Option<Report>, Unsigned> {
        signature::verify(&self.secrets, callback, now)?;
        Ok(serde_json::from_slice(callback.body).ok().and_then(report))
    }
}

fn report(body: Body) -> Option<Report> {
    let outcome = match body.outcome.as_str() {
        "delivered" => DeliveryOutcome::Delivered,
        "failed" => DeliveryOutcome::Failed,
        "undeliverable" => DeliveryOutcome::Undeliverable,
        _ => return None,
    };
    let token = body.token;
    (1..=LONGEST_TOKEN)
        .contains(&token.len())
        .then_some(Report { token, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn reader() -> WebhookReports {
        let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
        WebhookReports::of(Secrets::read([secret].into_iter()).unwrap())
    }

    fn read(body: &str, signed: &str) -> Result<Option<Report>, Unsigned> {
        let reader = reader();
        let signature = signature::sign(&reader.secrets, "msg_1", NOW, signed.as_bytes());
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", "1700000000"),
            ("webhook-signature", &signature),
        ];
        let callback = Callback {
            url: "https://example.com/callback",
            headers: &headers,
            body: body.as_bytes(),
        };
        reader.read(&callback, NOW)
    }

    #[test]
    fn a_signed_report_is_read() {
        for (outcome, expected) in [
            ("delivered", Some(DeliveryOutcome::Delivered)),
            ("failed", Some(DeliveryOutcome::Failed)),
            ("undeliverable", Some(DeliveryOutcome::Undeliverable)),
            ("accepted", None),
            ("", None),
        ] {
            let body = format!(r#"{{"token": "tok_1", "outcome": "{outcome}"}}"#);
            let expected = expected.map(|outcome| Report {
                token: "tok_1".to_owned(),
                outcome,
            });
            assert_eq!(read(&body, &body), Ok(expected), "{outcome}");
        }
        let long = format!(r#"{{"token": "{}", "outcome": "failed"}}"#, "t".repeat(65));
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"token": "", "outcome": "failed"}"#,
            &long,
        ] {
            assert_eq!(read(body, body), Ok(None), "{body}");
        }
    }

    #[test]
    fn a70_what_is_not_signed_changes_nothing() {
        let body = r#"{"token": "tok_1", "outcome": "delivered"}"#;
        let failed = r#"{"token": "tok_1", "outcome": "failed"}"#;
        assert_eq!(read(body, failed), Err(Unsigned::new()));
        let callback = Callback {
            url: "https://example.com/callback",
            headers: &[],
            body: body.as_bytes(),
        };
        assert_eq!(reader().read(&callback, NOW), Err(Unsigned::new()));
    }
}
