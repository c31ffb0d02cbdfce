//! Email addresses: nothing that ends a command or a header is ever in one, the exact form is
//! read as itself, and one person has one canonical form.
#![no_main]

use countersign::{Channel, Destination, EmailAddress};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let read = EmailAddress::parse(text);
    let by_email = Destination::parse(Channel::Email, text);
    assert_eq!(by_email, read.clone().map(Destination::Email));
    let (Ok(address), Ok(destination)) = (read, by_email) else {
        return;
    };
    let (exact, canonical) = (address.exact(), address.canonical());
    for form in [exact, canonical] {
        let graphic = form.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(graphic && form.len() <= 254, "{form:?}");
        assert!(!form.contains([
            '"', '<', '>', '(', ')', ',', ';', ':', '\\', '[', ']', '%', '!'
        ]));
        assert_eq!(form.matches('@').count(), 1);
    }
    assert!(exact.eq_ignore_ascii_case(text), "nothing is left out");
    assert_eq!(canonical, canonical.to_ascii_lowercase());
    assert_eq!(EmailAddress::parse(exact).as_ref(), Ok(&address));
    assert_eq!(Destination::parse_any(exact).as_ref(), Ok(&destination));
    // A canonical form need not be an address (`a.+b@` is counted as `a.@`), but where it is
    // one it counts as itself.
    if let Ok(again) = EmailAddress::parse(canonical) {
        assert_eq!(again.canonical(), canonical);
    }
    assert!(!format!("{address:?}{destination:?}{}", destination.masked()).contains(exact));
});
