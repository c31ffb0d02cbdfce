//! How long every SMS is, and what stands behind it.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use countersign::{Channel, Code, Destination, Message};
use countersign_messages::Messages;

const HASH: &str = "FA+9qCX9VSu";

/// Brands of 32 units, the most that is allowed, each in letters that take other room.
fn longest_brands() -> Vec<String> {
    ["W", "€", "ø", "م", "验", "क"]
        .iter()
        .map(|letter| letter.repeat(32))
        .chain(["😀".repeat(16), "Søn & Ło".repeat(4)])
        .collect()
}

/// Codes that policies make: the shortest and the longest of each alphabet.
const CODES: [&str; 4] = ["0123", "0123456789", "ACDE", "ACDEFGHJKM"];

/// The default alphabet's letters and signs that ASCII does not have.
const BEYOND_ASCII: [u32; 39] = [
    0xa1, 0xa3, 0xa4, 0xa5, 0xa7, 0xbf, 0xc4, 0xc5, 0xc6, 0xc7, 0xc9, 0xd1, 0xd6, 0xd8, 0xdc, 0xdf,
    0xe0, 0xe4, 0xe5, 0xe6, 0xe8, 0xe9, 0xec, 0xf1, 0xf2, 0xf6, 0xf8, 0xf9, 0xfc, 0x393, 0x394,
    0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9,
];

/// Units and parts, counted here for themselves: by 3GPP TS 23.038, the characters of the
/// default alphabet as Unicode points, and those of its extension.
fn counted(text: &str) -> (usize, usize) {
    let gsm = |c: char| match u32::from(c) {
        0x0a | 0x0d | 0x20..=0x5a | 0x5f | 0x61..=0x7a => Some(1),
        point if BEYOND_ASCII.contains(&point) => Some(1),
        0x0c | 0x5b..=0x5e | 0x7b..=0x7e | 0x20ac => Some(2),
        _ => None,
    };
    let septets = text.chars().map(gsm).sum::<Option<usize>>();
    let (units, alone, of_several) = match septets {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    let parts = if units <= alone {
        1
    } else {
        units.div_ceil(of_several)
    };
    (units, parts)
}

/// What `messages` sends for these values.
fn sms(
    messages: &Messages,
    locale: &str,
    (code, minutes): (&str, u64),
    (hash, origin): (Option<&str>, Option<&str>),
) -> String {
    let to = Destination::parse(Channel::Sms, "+4712345678").unwrap();
    let code = Code::from_custom(code).unwrap();
    let mut message = Message::new(&to, Channel::Sms, &code);
    message.locale = Some(locale);
    message.expires_in = minutes * 60;
    message.app_hash = hash;
    message.origin = origin;
    messages.sms(&message).unwrap()
}

#[test]
fn every_sms_is_one_message_at_the_longest_brand_code_and_lifetime() {
    let mut measured = 0;
    for brand in longest_brands() {
        let messages = Messages::new(&brand, None).unwrap();
        assert!(messages.long_sms().is_empty(), "{:?}", messages.long_sms());
        for locale in messages.locales() {
            for code in CODES {
                for minutes in 1..=10 {
                    let text = sms(&messages, locale, (code, minutes), (None, None));
                    assert_eq!(counted(&text).1, 1, "{locale}: {text}");
                    assert!(text.starts_with(&format!("{brand}: {code}")), "{text}");
                    measured += 1;
                }
            }
        }
    }
    assert_eq!(measured, 8 * 15 * 4 * 10);
}

#[test]
fn the_full_text_has_room_for_six_digits_and_a_brand_of_eleven_letters() {
    let messages = Messages::new("Example Inc", None).unwrap();
    for locale in messages.locales() {
        let texts: Vec<String> = (1..=10)
            .map(|minutes| sms(&messages, locale, ("123456", minutes), (None, None)))
            .collect();
        for text in &texts {
            assert_eq!(counted(text).1, 1, "{locale}: {text}");
        }
        // The short text would be the same for all lifetimes.
        let different: std::collections::HashSet<_> = texts.iter().collect();
        assert_eq!(different.len(), 10, "{locale}: {texts:?}");
    }
}

#[test]
fn an_app_hash_leaves_the_message_within_140_bytes() {
    for brand in [
        "Example Inc",
        "W-W-W-W-W-W-W-WW",
        "متجر النخيل الأ",
        "示例商店示例商店",
    ] {
        let messages = Messages::new(brand, None).unwrap();
        for locale in messages.locales() {
            for code in CODES {
                let text = sms(&messages, locale, (code, 10), (Some(HASH), None));
                assert!(text.ends_with(&format!("\n{HASH}")), "{text}");
                assert!(text.len() <= 140, "{locale}: {} bytes: {text}", text.len());
                assert_eq!(counted(&text).1, 1, "{locale}: {text}");
            }
        }
    }
}

#[test]
fn an_origin_is_the_last_line_in_its_exact_form() {
    let messages = Messages::new("Example", None).unwrap();
    for locale in messages.locales() {
        let origin = Some("login.Example.com");
        let text = sms(&messages, locale, ("012345", 5), (None, origin));
        let (words, last) = text.rsplit_once('\n').unwrap();
        assert_eq!(last, "@login.example.com #012345");
        assert!(words.ends_with('\n') && words.starts_with("Example: 012345"));
        assert_eq!(counted(&text).1, 1, "{locale}: {text}");

        // With both, the hash has its own line before it.
        let both = (Some(HASH), Some("example.com"));
        let text = sms(&messages, locale, ("012345", 5), both);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(&lines[1..], [HASH, "@example.com #012345"]);
        assert!(text.len() <= 140, "{locale}: {} bytes: {text}", text.len());
        assert_eq!(counted(&text).1, 1, "{locale}: {text}");
    }
}

#[test]
fn a41_an_origin_or_hash_of_another_form_is_left_out() {
    let messages = Messages::new("Example", None).unwrap();
    let plain = sms(&messages, "en", ("012345", 5), (None, None));
    for origin in [
        "evil.example/a b",
        "https://evil.example",
        "evil.example:443",
        "a\n@evil",
        "",
    ] {
        let text = sms(&messages, "en", ("012345", 5), (None, Some(origin)));
        assert_eq!(text, plain, "{origin:?}");
    }
    for hash in ["http://evil", "FA+9qCX9VS", "FA+9qCX9VSu=", "FA 9qCX9VSu"] {
        let text = sms(&messages, "en", ("012345", 5), (Some(hash), None));
        assert_eq!(text, plain, "{hash:?}");
    }
}

#[test]
fn the_short_text_takes_over_only_where_it_saves_a_message() {
    let messages = Messages::new("Example", None).unwrap();
    let full = "Example: 012345 es tu código. Válido 5 minutos. No lo compartas.";
    assert_eq!(sms(&messages, "es", ("012345", 5), (None, None)), full);
    let with_origin = sms(&messages, "es", ("012345", 5), (None, Some("example.com")));
    assert_eq!(
        with_origin,
        "Example: 012345. No lo compartas.\n\n@example.com #012345"
    );
    // Nothing makes one message of it, and the full text costs no more than the short one.
    let long = format!("{0}.{0}.{0}.com", "a".repeat(63));
    let text = sms(&messages, "en", ("012345", 5), (None, Some(&long)));
    assert!(
        text.contains("is your code") && counted(&text).1 == 2,
        "{text}"
    );
}

#[test]
fn a_text_of_ones_own_is_never_replaced_by_a_short_one_that_is_not() {
    let long = format!("{{{{ code }}}} {}", "x".repeat(170));
    for (short, expected_parts) in [(None, 2), (Some("{{ code }} own"), 1)] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("en")).unwrap();
        std::fs::write(dir.path().join("en/sms.text.j2"), &long).unwrap();
        if let Some(short) = short {
            std::fs::write(dir.path().join("en/sms.short.j2"), short).unwrap();
        }
        let messages = Messages::new("Example", Some(dir.path())).unwrap();
        let text = sms(&messages, "en", ("012345", 5), (None, None));
        assert_eq!(counted(&text).1, expected_parts, "{text}");
        assert!(!text.contains("Example"));
        let long_ones: &[(&str, usize)] = if short.is_some() { &[] } else { &[("en", 2)] };
        assert_eq!(messages.long_sms(), long_ones);
    }
}
