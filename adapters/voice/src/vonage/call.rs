//! The body of one call.

use countersign::Message;
use serde_json::{Value, json};

/// Seconds for which a phone rings at most: most voice mailboxes answer after that. (Vonage
/// takes 1 to 120.)
const RINGING: u64 = 25;
/// Seconds that a call takes at most: the text, twice as slow as it is spoken.
const LENGTH: u64 = 120;

/// The call as JSON. The text says the code twice by itself, so `loop` stays at one.
pub(super) fn json(
    message: &Message<'_>,
    from: &str,
    language: &str,
    text: &str,
    event_url: Option<&str>,
) -> Value {
    let phone = |number: &str| json!({"type": "phone", "number": number.trim_start_matches('+')});
    let mut call = json!({
        "to": [phone(message.destination.exact())],
        "from": phone(from),
        "ncco": [{"action": "talk", "text": text, "language": language, "loop": 1}],
        // Whoever picks up after that would hear a code that is no longer good.
        "ringing_timer": RINGING.min(message.expires_in).max(1),
        "length_timer": LENGTH,
    });
    if let (Some(url), Some(token)) = (event_url, message.report_token) {
        call["event_url"] = json!([format!("{url}?token={token}")]);
        call["event_method"] = json!("POST");
    }
    call
}

#[cfg(test)]
mod tests {
    use countersign::{Channel, Code, Destination};

    use super::*;

    fn call(change: impl FnOnce(&mut Message<'_>)) -> Value {
        let to = Destination::parse(Channel::Voice, "+4790000001").unwrap();
        let code = Code::from_custom("012345").unwrap();
        let mut message = Message::new(&to, Channel::Voice, &code);
        change(&mut message);
        let url = Some("https://example.com/r");
        json(&message, "+15005550006", "nb-NO", "0, 1", url)
    }

    #[test]
    fn a_call_has_the_fields_of_the_reference() {
        let expected = json!({
            "to": [{"type": "phone", "number": "4790000001"}],
            "from": {"type": "phone", "number": "15005550006"},
            "ncco": [{"action": "talk", "text": "0, 1", "language": "nb-NO", "loop": 1}],
            "ringing_timer": 25,
            "length_timer": 120,
        });
        assert_eq!(call(|_| ()), expected);
        let reported = call(|message| message.report_token = Some("rep_1"));
        assert_eq!(
            reported["event_url"],
            json!(["https://example.com/r?token=rep_1"])
        );
        assert_eq!(reported["event_method"], "POST");
    }

    #[test]
    fn a_phone_does_not_ring_longer_than_the_code_lives() {
        for (seconds, expected) in [(0, 1), (7, 7), (25, 25), (600, 25)] {
            let call = call(|message| message.expires_in = seconds);
            assert_eq!(call["ringing_timer"], expected);
        }
    }
}
