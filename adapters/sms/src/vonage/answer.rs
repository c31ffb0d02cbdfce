//! What the SMS API answers: status 200, and a status of its own for every part.

use std::time::Duration;

use countersign::{DeliverError, Permanent, Receipt};
use countersign_provider::Answer;
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    messages: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    status: String,
    #[serde(rename = "message-id")]
    id: Option<String>,
}

/// A receipt with the id of the first part, or why there is none.
pub(super) fn read(answer: &Answer) -> Result<Receipt, DeliverError> {
    if !answer.is_success() {
        return Err(answer.failure());
    }
    match answer.json::<Body>() {
        Some(body) => parts(&body.messages, answer.pause()),
        // It was taken by somebody who does not speak this API, or the rest was lost.
        None => Err(DeliverError::transient().may_have_left()),
    }
}

fn parts(parts: &[Part], pause: Duration) -> Result<Receipt, DeliverError> {
    let Some(first) = parts.first() else {
        return Err(DeliverError::transient().may_have_left());
    };
    let Some(failed) = parts.iter().find(|part| part.status != "0") else {
        let receipt = Receipt::new("vonage");
        let id = first.id.as_deref();
        return Ok(id.map_or(receipt.clone(), |id| receipt.with_reference(id)));
    };
    let failure = failure(&failed.status, pause);
    // Another message would come beside the parts that were taken.
    let some_left = parts.iter().any(|part| part.status == "0");
    Err(if some_left {
        failure.may_have_left()
    } else {
        failure
    })
}

/// "SMS API error codes" in the guide "Troubleshooting SMS".
fn failure(status: &str, pause: Duration) -> DeliverError {
    let permanent = DeliverError::permanent;
    match status {
        // Throttled; too many connections.
        "1" | "10" => DeliverError::throttled(pause),
        // An error inside, after the message was read.
        "5" => DeliverError::transient().may_have_left(),
        // Credentials; account barred; no credit; not for HTTP; signature; sender; both
        // ways to log in.
        "4" | "8" | "9" | "11" | "14" | "15" | "32" => permanent(Permanent::Unauthorised),
        // The number is barred.
        "7" => permanent(Permanent::Blocked),
        // The number is de-activated.
        "33" => permanent(Permanent::InvalidDestination),
        // The rest is about this message on this route: among them 6, which says that there
        // is none to the number, and 29, a number that is not on an account's trial list.
        // Another provider may do better.
        _ => permanent(Permanent::Refused),
    }
}

#[cfg(test)]
mod tests {
    use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};

    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);

    fn said(statuses: &[&str]) -> Result<Receipt, DeliverError> {
        let part = |status: &&str| Part {
            status: (*status).to_owned(),
            id: (*status == "0").then(|| "0A0000000123ABCD1".to_owned()),
        };
        let all: Vec<_> = statuses.iter().map(part).collect();
        parts(&all, PAUSE)
    }

    #[test]
    fn a_message_is_taken_when_all_its_parts_are() {
        let taken = Receipt::new("vonage").with_reference("0A0000000123ABCD1");
        assert_eq!(said(&["0"]), Ok(taken.clone()));
        assert_eq!(said(&["0", "0"]), Ok(taken));
        let refused = DeliverError::permanent(Refused);
        assert_eq!(said(&["2", "2"]), Err(refused));
        assert_eq!(said(&["0", "2"]), Err(refused.may_have_left()));
        let throttled = DeliverError::throttled(PAUSE);
        assert_eq!(said(&["1", "0"]), Err(throttled.may_have_left()));
        assert_eq!(said(&[]), Err(DeliverError::transient().may_have_left()));
    }

    #[test]
    fn a_status_says_whose_fault_it_is() {
        for (status, reason) in [
            ("1", None),
            ("2", Some(Refused)),
            ("3", Some(Refused)),
            ("4", Some(Unauthorised)),
            ("5", None),
            ("6", Some(Refused)),
            ("7", Some(Blocked)),
            ("8", Some(Unauthorised)),
            ("9", Some(Unauthorised)),
            ("10", None),
            ("11", Some(Unauthorised)),
            ("12", Some(Refused)),
            ("14", Some(Unauthorised)),
            ("15", Some(Unauthorised)),
            ("22", Some(Refused)),
            ("23", Some(Refused)),
            ("29", Some(Refused)),
            ("32", Some(Unauthorised)),
            ("33", Some(InvalidDestination)),
            ("", Some(Refused)),
            ("00", Some(Refused)),
        ] {
            let failure = failure(status, PAUSE);
            assert_eq!(failure.reason(), reason, "{status}");
            let pause = ["1", "10"].contains(&status).then_some(PAUSE);
            assert_eq!(failure.retry_after(), pause, "{status}");
            assert_eq!(failure.left_possibly(), status == "5", "{status}");
        }
    }
}
