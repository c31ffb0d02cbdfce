//! What Twilio's error codes mean.

use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};
use countersign::{DeliverError, Permanent};
use serde::Deserialize;

use crate::answer::Answer;

/// What a failed request means for its message: by the code in the body where it is known,
/// else by the status. After an error of the server the status alone counts, for it tells
/// whether the message may have left.
pub(super) fn failure(answer: &Answer) -> DeliverError {
    let refused = (400..500).contains(&answer.status);
    match answer.json::<Refusal>() {
        Some(Refusal { code }) if refused && is_throttle(code) => {
            DeliverError::throttled(answer.pause())
        }
        Some(Refusal { code }) if refused => {
            reason(code).map_or_else(|| answer.failure(), DeliverError::permanent)
        }
        _ => answer.failure(),
    }
}

#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

/// Too many requests (20429), messages a second (14107, 30022), or messages that wait
/// (21611, 30001).
const fn is_throttle(code: u32) -> bool {
    matches!(code, 20429 | 14107 | 21611 | 30001 | 30022)
}

/// Why a message failed for good, by the code; none for codes that say nothing about it.
///
/// Only what is wrong with every message is [`Unauthorised`], for a breaker opens on it. So
/// a sender that cannot reach this destination (21606, 21612, 21659: another country's
/// short code, no route for this sender) is [`Refused`]: another provider may reach it.
pub(super) const fn reason(code: u32) -> Option<Permanent> {
    Some(match code {
        // Not a number, nobody's, no subscriber, or a short code.
        21211 | 21214 | 21217 | 21265 | 21401 | 21421 | 30005
        // A landline, or what takes no SMS.
        | 21614 | 21635 | 30006 => InvalidDestination,
        // The person unsubscribed, the number is blocked, or Twilio suspects pumped traffic.
        21610 | 30004 | 30450 => Blocked,
        // Credentials, and an account that is closed, suspended or not there.
        10001 | 20003 | 20005 | 20006 | 20008 | 20404 | 30002
        // A sender that is missing, not ours, or not verified; a messaging service that is
        // not there or has no sender.
        | 21210 | 21212 | 21213 | 21601 | 21603 | 21660 | 21701 | 21703 | 21704 | 21705 => {
            Unauthorised
        }
        // Regions that the account has not enabled, and trial accounts' strangers.
        21203 | 21215 | 21216 | 21219 | 21408 | 21608
        // Senders that do not reach this destination.
        | 21266 | 21606 | 21612 | 21659
        // Parameters, and content that a carrier filtered.
        | 21201 | 21602 | 21604 | 21617 | 30007 | 30034 => Refused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Blocked, InvalidDestination, Refused, Unauthorised, failure};
    use crate::answer::Answer;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after: None,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_code_says_more_than_its_status() {
        for (status, code, expected) in [
            (400, 21211, InvalidDestination),
            (400, 21614, InvalidDestination),
            (400, 21635, InvalidDestination),
            (400, 21610, Blocked),
            (403, 21610, Blocked),
            (400, 21408, Refused),
            (403, 21408, Refused),
            (400, 21612, Refused),
            (400, 21606, Refused),
            (400, 21212, Unauthorised),
            (401, 20003, Unauthorised),
            (404, 20404, Unauthorised),
            (400, 99999, Refused),
            (403, 99999, Unauthorised),
        ] {
            let body = format!("{{\"code\":{code},\"message\":\"x\",\"status\":{status}}}");
            let error = failure(&answer(status, &body));
            assert_eq!(error.reason(), Some(expected), "{status} {code}");
            assert!(!error.left_possibly());
        }
    }

    #[test]
    fn throttling_is_told_by_code_or_status() {
        for (status, code) in [(429, 20429), (400, 14107), (400, 21611), (429, 1)] {
            let mut answer = answer(status, &format!("{{\"code\":{code}}}"));
            answer.retry_after = Some(Duration::from_secs(9));
            let pause = failure(&answer).retry_after();
            assert_eq!(pause, Some(Duration::from_secs(9)), "{status} {code}");
        }
    }

    #[test]
    fn after_an_error_of_the_server_the_status_counts() {
        for body in ["{\"code\":21211}", "{\"code\":20500}", "<html>", ""] {
            let error = failure(&answer(500, body));
            assert!(error.is_transient() && error.left_possibly(), "{body}");
            let error = failure(&answer(503, body));
            assert!(error.is_transient() && !error.left_possibly(), "{body}");
        }
    }

    #[test]
    fn what_is_no_error_of_twilios_is_read_by_its_status() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            "{\"code\":\"21211\"}",
            "{\"code\":-1}",
        ] {
            assert_eq!(
                failure(&answer(400, body)).reason(),
                Some(Refused),
                "{body}"
            );
        }
    }
}
