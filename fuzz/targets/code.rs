//! Codes as people type them, and as callers choose them: what is accepted has the promised
//! form, is written in one way, and is what a check compares.
#![no_main]

use countersign::{
    Alphabet, Channel, CheckRequest, Code, Destination, Guess, MAX_CODE_LENGTH, MIN_CODE_LENGTH,
    SendRequest, Tenant, Verdict,
};
use countersign_fuzz::{Desk, ready};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(code) = Code::from_custom(text) {
        assert_eq!(
            code.reveal(),
            text,
            "a custom code is taken as it is written"
        );
        assert_eq!(usize::from(code.form().length()), text.len());
        assert!(is_of(text, code.form().alphabet()));
        assert!(Guess::parse(text).is_ok(), "a code can be typed");
    }
    let guess = Guess::parse(text);
    if let Ok(guess) = &guess {
        assert!((MIN_CODE_LENGTH..=MAX_CODE_LENGTH).contains(&guess.length()));
    }
    if !text.is_ascii() {
        return;
    }
    let normal = normal_form(text);
    assert_eq!(guess.is_ok(), normal.is_some(), "{normal:?}");
    if let Some(normal) = normal {
        assert_one_form(text, &normal);
    }
});

/// What an ASCII text is read as; none for what no policy could have issued.
fn normal_form(text: &str) -> Option<String> {
    let separator = |c: char| matches!(c, ' ' | '-' | '\t' | '\n' | '\r');
    let kept: String = text.chars().filter(|c| !separator(*c)).collect();
    let normal = kept.to_ascii_uppercase();
    let length = usize::from(MIN_CODE_LENGTH)..=usize::from(MAX_CODE_LENGTH);
    let fits = is_of(&normal, Alphabet::Digits) || is_of(&normal, Alphabet::Alphanumeric);
    (text.len() <= 32 && length.contains(&normal.len()) && fits).then_some(normal)
}

fn is_of(text: &str, alphabet: Alphabet) -> bool {
    text.bytes().all(|byte| alphabet.symbols().contains(&byte))
}

/// The typed text verifies the code of its normal form, and no other code.
fn assert_one_form(typed: &str, normal: &str) {
    let again = Guess::parse(normal).expect("a normal form is its own");
    assert_eq!(usize::from(again.length()), normal.len());
    assert!(matches!(judged(normal, typed), Verdict::Verified { .. }));
    let first = normal.as_bytes()[0];
    let other = if first == b'3' { "4" } else { "3" };
    let other = format!("{other}{}", &normal[1..]);
    let verdict = judged(&other, typed);
    assert!(!verdict.is_verified(), "another code is wrong: {verdict:?}");
}

fn judged(code: &str, typed: &str) -> Verdict {
    let desk = Desk::new();
    let tenant = Tenant::new("acme").expect("a name");
    let to = Destination::parse(Channel::Email, "a@example.com").expect("an address");
    let mut request = SendRequest::new(&tenant, Channel::Email, &to);
    request.custom_code = Some(Code::from_custom(code).expect("a normal form is a code"));
    let sent = ready(desk.verifier.send(&request)).expect("a first send");
    let id = sent.session_id.to_string();
    ready(desk.verifier.check(&CheckRequest::new(&tenant, &id, typed))).expect("a guess")
}
