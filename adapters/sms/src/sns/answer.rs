//! What SNS answers, in XML.

use std::time::Duration;

use countersign::{DeliverError, Permanent, Receipt};
use countersign_provider::Answer;

/// The pause after a throttled request: AWS names none.
const PAUSE: Duration = Duration::from_secs(5);

/// A receipt with the message's id, or why there is none.
pub(super) fn read(answer: &Answer) -> Result<Receipt, DeliverError> {
    let receipt = Receipt::new("sns");
    let body = std::str::from_utf8(&answer.body).unwrap_or_default();
    if answer.is_success() {
        let id = only(body, "PublishResponse", "MessageId");
        return Ok(id.map_or(receipt.clone(), |id| receipt.with_reference(id)));
    }
    let code = only(body, "ErrorResponse", "Code");
    let said = code.and_then(|code| meaning(code, body, answer.retry_after));
    Err(said.unwrap_or_else(|| answer.failure()))
}

/// Whether it is the answer to `GetSMSAttributes`.
pub(super) fn shows_settings(answer: &Answer) -> bool {
    let body = std::str::from_utf8(&answer.body).unwrap_or_default();
    answer.is_success() && only(body, "GetSMSAttributesResponse", "RequestId").is_some()
}

/// Whether the signature was taken, and the key may not do what it asked for.
pub(super) fn forbids(answer: &Answer) -> bool {
    let body = std::str::from_utf8(&answer.body).unwrap_or_default();
    let code = only(body, "ErrorResponse", "Code").unwrap_or_default();
    let code = code.strip_suffix("Exception").unwrap_or(code);
    !answer.is_success() && matches!(code, "AccessDenied" | "AuthorizationError")
}

/// What an error's code says; none if it is not a known one.
fn meaning(code: &str, body: &str, pause: Option<Duration>) -> Option<DeliverError> {
    Some(match code.strip_suffix("Exception").unwrap_or(code) {
        "Throttling" | "Throttled" | "RequestThrottled" | "TooManyRequests" => {
            DeliverError::throttled(pause.unwrap_or(PAUSE))
        }
        "OptedOut" => DeliverError::permanent(Permanent::Blocked),
        "InvalidParameter"
        | "InvalidParameterValue"
        | "ParameterValueInvalid"
        | "Validation"
        | "ValidationError" => DeliverError::permanent(invalid(body)),
        code if UNAUTHORISED.contains(&code) => DeliverError::permanent(Permanent::Unauthorised),
        "ServiceUnavailable" => DeliverError::transient(),
        // Something broke after the request was read.
        "InternalError" | "InternalFailure" => DeliverError::transient().may_have_left(),
        _ => return None,
    })
}

/// The errors of `Publish` and those that are common to all actions ("Publish" and "Common
/// errors", SNS API reference) which say that we, not the message, are refused. Some come
/// with status 400.
const UNAUTHORISED: [&str; 15] = [
    "AccessDenied",
    "AuthorizationError",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
    "UserNotAuthorized",
];

/// One code stands for every parameter; only the sentence beside it tells the number from
/// the rest, which is the same in every message. It is looked at and not passed on.
fn invalid(body: &str) -> Permanent {
    let about = only(body, "ErrorResponse", "Message").unwrap_or_default();
    if about.contains("PhoneNumber") {
        Permanent::InvalidDestination
    } else {
        Permanent::Refused
    }
}

/// The text of the one element of this name in a document with this root. Text that a
/// sender could influence stands escaped in such a document, so an element is one; where
/// there are two, or anything but text inside, nothing is believed.
fn only<'a>(body: &'a str, root: &str, name: &str) -> Option<&'a str> {
    let document = match body.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>")?.1,
        None => body,
    };
    let rest = document
        .trim_start()
        .strip_prefix('<')?
        .strip_prefix(root)?;
    let open = rest.find('>')?;
    if !(rest.starts_with('>') || rest.starts_with(' ')) || document.contains("<!") {
        return None;
    }
    let inside = rest[open + 1..]
        .trim_end()
        .strip_suffix(&format!("</{root}>"))?;
    let (_, after) = inside.split_once(&format!("<{name}>"))?;
    let (text, after) = after.split_once(&format!("</{name}>"))?;
    let alone = !text.contains('<') && !after.contains(&format!("<{name}>"));
    alone.then(|| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};

    const NAMESPACE: &str = r#"xmlns="http://sns.amazonaws.com/doc/2010-03-31/""#;

    #[test]
    fn the_reader_believes_one_element_of_one_document() {
        let code = |body: &str| only(body, "ErrorResponse", "Code").map(str::to_owned);
        let error = "<Error><Code>Throttled</Code></Error>";
        for body in [
            format!("<ErrorResponse>{error}</ErrorResponse>"),
            format!("<ErrorResponse {NAMESPACE}>\n{error}\n</ErrorResponse>\n"),
            format!("<?xml version=\"1.0\"?>\n<ErrorResponse>{error}</ErrorResponse>"),
        ] {
            assert_eq!(code(&body).as_deref(), Some("Throttled"), "{body}");
        }
        for body in [
            String::new(),
            error.to_owned(),
            format!("<ErrorResponse>{error}"),
            format!("<ErrorResponses>{error}</ErrorResponse>"),
            format!("<html>{error}</html>"),
            format!("<ErrorResponse>{error}{error}</ErrorResponse>"),
            "<ErrorResponse><Code>a<b/></Code></ErrorResponse>".to_owned(),
            "<ErrorResponse><Code>Throttled</ErrorResponse>".to_owned(),
            format!("<ErrorResponse><!-- {error} --></ErrorResponse>"),
            format!("<ErrorResponse><![CDATA[{error}]]></ErrorResponse>"),
            "<ErrorResponse><!DOCTYPE x><Code>x</Code></ErrorResponse>".to_owned(),
            "<?xml".to_owned(),
            "<ErrorResponse".to_owned(),
        ] {
            assert_eq!(code(&body), None, "{body}");
        }
    }

    #[test]
    fn only_the_sentence_tells_a_number_from_the_rest() {
        let said = |text: &str| {
            let message = format!("<Error><Message>{text}</Message></Error>");
            invalid(&format!("<ErrorResponse>{message}</ErrorResponse>"))
        };
        assert_eq!(
            said("Invalid parameter: PhoneNumber Reason: x is not valid to publish to"),
            InvalidDestination
        );
        assert_eq!(said("Invalid parameter: MessageAttributes"), Refused);
        assert_eq!(invalid(""), Refused);
    }

    #[test]
    fn a_code_says_whose_fault_it_is() {
        let pause = Duration::from_secs(9);
        let said = |code: &str| meaning(code, "", Some(pause));
        for code in [
            "Throttling",
            "ThrottlingException",
            "Throttled",
            "ThrottledException",
        ] {
            assert_eq!(said(code), Some(DeliverError::throttled(pause)), "{code}");
        }
        let unnamed = Some(DeliverError::throttled(PAUSE));
        assert_eq!(meaning("Throttled", "", None), unnamed);
        for (code, reason) in [
            ("OptedOut", Blocked),
            ("OptedOutException", Blocked),
            ("InvalidParameter", Refused),
            ("InvalidParameterException", Refused),
            ("ParameterValueInvalid", Refused),
            ("ValidationException", Refused),
            ("AuthorizationError", Unauthorised),
            ("AuthorizationErrorException", Unauthorised),
            ("InvalidClientTokenId", Unauthorised),
            ("SignatureDoesNotMatch", Unauthorised),
            ("ExpiredTokenException", Unauthorised),
            ("RequestExpired", Unauthorised),
        ] {
            assert_eq!(said(code), Some(DeliverError::permanent(reason)), "{code}");
        }
        let broke = Some(DeliverError::transient().may_have_left());
        assert_eq!(said("InternalError"), broke);
        assert_eq!(said("ServiceUnavailable"), Some(DeliverError::transient()));
        for code in ["", "Exception", "throttled", "EndpointDisabled"] {
            assert_eq!(said(code), None, "{code}");
        }
    }
}
