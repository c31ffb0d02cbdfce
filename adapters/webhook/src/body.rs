//! What is sent.

use countersign::{Channel, DeliverError, Message, Permanent};
use countersign_messages::Messages;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    channel: &'static str,
    to: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a str>,
    expires_in: u64,
    tenant: &'a str,
    purpose: &'a str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    report_token: Option<&'a str>,
}

/// The message as JSON.
pub(crate) fn encode(message: &Message<'_>, messages: &Messages) -> Result<Vec<u8>, DeliverError> {
    let refused = DeliverError::permanent(Permanent::Refused);
    let text = match message.channel {
        Channel::Sms => Some(messages.sms(message).map_err(|_| refused)?),
        Channel::Voice => Some(messages.voice(message).map_err(|_| refused)?),
        // An email is more than a text, and the receiver has templates of its own.
        _ => None,
    };
    let body = Body {
        r#type: "verification.code",
        channel: message.channel.name(),
        to: message.destination.exact(),
        code: message.code.reveal(),
        text,
        locale: message.locale,
        expires_in: message.expires_in,
        tenant: message.tenant,
        purpose: message.purpose,
        message_id: message.message_id,
        report_token: message.report_token,
    };
    serde_json::to_vec(&body).map_err(|_| refused)
}

#[cfg(test)]
mod tests {
    use countersign::{Code, Destination};
    use serde_json::{Value, json};

    use super::*;

    fn body(channel: Channel, to: &str, more: bool) -> Value {
        let messages = Messages::new("Example", None).unwrap();
        let code = Code::from_custom("918273").unwrap();
        let to = Destination::parse(channel, to).unwrap();
        let mut message = Message::new(&to, channel, &code);
        message.message_id = "0123456789abcdef";
        message.tenant = "acme";
        if more {
            message.locale = Some("nb-NO");
            message.report_token = Some("tok_1");
            message.purpose = "pay";
            message.expires_in = 120;
        }
        serde_json::from_slice(&encode(&message, &messages).unwrap()).unwrap()
    }

    #[test]
    fn an_email_has_no_text_and_what_is_unset_is_left_out() {
        let expected = json!({
            "type": "verification.code", "channel": "email", "to": "some.user@example.com",
            "code": "918273", "expires_in": 300, "tenant": "acme", "purpose": "verify",
            "message_id": "0123456789abcdef",
        });
        assert_eq!(
            body(Channel::Email, "some.user@example.com", false),
            expected
        );
    }

    #[test]
    fn sms_and_voice_have_their_text_in_the_persons_language() {
        let expected = json!({
            "type": "verification.code", "channel": "sms", "to": "+4712345678",
            "code": "918273", "expires_in": 120, "tenant": "acme", "purpose": "pay",
            "message_id": "0123456789abcdef", "locale": "nb-NO", "report_token": "tok_1",
        });
        let mut sms = body(Channel::Sms, "+4712345678", true);
        let text = sms.as_object_mut().unwrap().remove("text").unwrap();
        assert!(text.as_str().unwrap().contains("918273"), "{text}");
        assert_eq!(sms, expected);
        let spoken = body(Channel::Voice, "+4712345678", true);
        let text = spoken["text"].as_str().unwrap();
        assert_eq!(text.matches("9, 1, 8, 2, 7, 3").count(), 2, "{text}");
    }
}
