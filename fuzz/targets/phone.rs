//! Phone numbers: one number has one form, which is read as itself and shown to nobody.
#![no_main]

use countersign::{Channel, Destination, PhoneNumber};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let read = PhoneNumber::parse(text);
    let by_sms = Destination::parse(Channel::Sms, text);
    assert_eq!(by_sms, read.clone().map(Destination::Phone));
    assert_eq!(Destination::parse(Channel::Voice, text), by_sms);
    let (Ok(number), Ok(destination)) = (read, by_sms) else {
        return;
    };
    let form = number.as_str();
    assert!(is_e164(form), "{form}");
    assert_eq!(
        PhoneNumber::parse(form).as_ref(),
        Ok(&number),
        "a form of its own"
    );
    assert_eq!(Destination::parse_any(form).as_ref(), Ok(&destination));
    assert_eq!((destination.exact(), destination.canonical()), (form, form));
    assert!(!format!("{number:?}{destination:?}{}", destination.masked()).contains(form));
});

/// `+` and 7 to 15 digits, the first not zero.
fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}
