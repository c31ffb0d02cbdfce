//! What the receiver answered.

use countersign::{DeliverError, Permanent, Receipt};
use countersign_provider::Answer;
use serde::Deserialize;

#[derive(Deserialize)]
struct Taken {
    reference: String,
}

#[derive(Deserialize)]
struct NotTaken {
    error: String,
}

/// A receipt, or why there is none.
pub(crate) fn read(answer: &Answer) -> Result<Receipt, DeliverError> {
    if answer.is_success() {
        let receipt = Receipt::new("webhook");
        return Ok(match answer.json::<Taken>() {
            Some(taken) => receipt.with_reference(&taken.reference),
            None => receipt,
        });
    }
    let said = answer.json::<NotTaken>().map(|body| body.error);
    let reason = reason(answer.status, said.as_deref());
    Err(reason.map_or_else(|| answer.failure(), DeliverError::permanent))
}

/// What the status and the body's one word say beyond the status' usual meaning.
fn reason(status: u16, said: Option<&str>) -> Option<Permanent> {
    match (status, said) {
        (401 | 403 | 429, _) => None,
        (400..=499, Some("invalid_destination")) => Some(Permanent::InvalidDestination),
        (400..=499, Some("blocked")) => Some(Permanent::Blocked),
        // The receiver is not where it was: that is no fault of this message, and an
        // operator must look.
        (404 | 410, _) => Some(Permanent::Unauthorised),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::reason;
    use countersign::Permanent::{Blocked, InvalidDestination, Unauthorised};

    #[test]
    fn a_word_says_more_than_a_status_where_the_message_is_meant() {
        for (status, said, expected) in [
            (400, Some("invalid_destination"), Some(InvalidDestination)),
            (422, Some("invalid_destination"), Some(InvalidDestination)),
            (410, Some("invalid_destination"), Some(InvalidDestination)),
            (422, Some("blocked"), Some(Blocked)),
            (422, Some("other"), None),
            (422, None, None),
            (404, None, Some(Unauthorised)),
            (410, Some("other"), Some(Unauthorised)),
            (401, Some("blocked"), None),
            (403, Some("invalid_destination"), None),
            (429, Some("blocked"), None),
            (500, Some("blocked"), None),
            (302, Some("blocked"), None),
        ] {
            assert_eq!(reason(status, said), expected, "{status} {said:?}");
        }
    }
}
