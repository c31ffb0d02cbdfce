//! The fields of one message.

use countersign::Message;
use countersign_messages::segments::Encoding;

/// What `ttl` may be, in milliseconds: 20 seconds to 7 days.
const TTL: (u64, u64) = (20_000, 604_800_000);

/// Names and values, without those that say who we are. The report token travels as
/// `client-ref` (at most 100 characters), for a receipt is signed by its parameters, and
/// parameters of the callback's own address are not among them.
pub(super) fn of(
    message: &Message<'_>,
    from: &str,
    text: &str,
    callback: Option<&str>,
) -> Vec<(&'static str, String)> {
    let digits = |number: &str| number.trim_start_matches('+').to_owned();
    let ttl = message.expires_in.saturating_mul(1000).clamp(TTL.0, TTL.1);
    let mut fields = vec![
        ("from", digits(from)),
        ("to", digits(message.destination.exact())),
        ("text", text.to_owned()),
        // After that nobody delivers it: a code that is dead only confuses.
        ("ttl", ttl.to_string()),
    ];
    if Encoding::of(text) == Encoding::Ucs2 {
        fields.push(("type", "unicode".to_owned()));
    }
    if let Some(token) = message.report_token {
        fields.push(("client-ref", token.to_owned()));
        if let Some(callback) = callback {
            fields.push(("callback", callback.to_owned()));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use countersign::{Channel, Code, Destination};

    use super::*;

    fn fields(text: &str, change: impl FnOnce(&mut Message<'_>)) -> Vec<(&'static str, String)> {
        let to = Destination::parse(Channel::Sms, "+4790000001").unwrap();
        let code = Code::from_custom("012345").unwrap();
        let mut message = Message::new(&to, Channel::Sms, &code);
        change(&mut message);
        of(&message, "+4712345678", text, Some("https://example.com/r"))
    }

    #[test]
    fn numbers_have_no_plus_and_unicode_is_asked_for_where_it_is_needed() {
        let plain = fields("Kode: æøå € 012345", |_| ());
        let named = |name, value: &str| (name, value.to_owned());
        assert_eq!(
            plain,
            [
                named("from", "4712345678"),
                named("to", "4790000001"),
                named("text", "Kode: æøå € 012345"),
                named("ttl", "300000"),
            ]
        );
        let arabic = fields("رمزك 012345", |_| ());
        assert_eq!(arabic[4], named("type", "unicode"));
    }

    #[test]
    fn a_message_is_dropped_when_its_code_dies_within_vonages_bounds() {
        for (seconds, expected) in [
            (0, "20000"),
            (20, "20000"),
            (21, "21000"),
            (600, "600000"),
            (604_801, "604800000"),
            (u64::MAX, "604800000"),
        ] {
            let fields = fields("x", |message| message.expires_in = seconds);
            assert_eq!(fields[3], ("ttl", expected.to_owned()));
        }
    }

    #[test]
    fn reports_are_asked_for_where_they_are_read() {
        let fields = fields("x", |message| message.report_token = Some("rep_1"));
        assert_eq!(fields[4], ("client-ref", "rep_1".to_owned()));
        let callback = ("callback", "https://example.com/r".to_owned());
        assert_eq!(fields[5], callback);
        assert_eq!(fields.len(), 6);
    }
}
