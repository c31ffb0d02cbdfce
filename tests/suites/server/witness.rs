//! Sees every response of the run and every code that was sent, and fails the test in
//! which one shows up in the other.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

#[derive(Default)]
struct Witness {
    words: HashSet<String>,
    codes: HashSet<String>,
}

static WITNESS: Mutex<Option<Witness>> = Mutex::new(None);

/// Shorter codes would be found among lengths and years.
const SHORTEST: usize = 6;

/// Takes note of a whole response: its headers and its body.
pub(crate) fn response(text: &str) {
    with(|witness| {
        for word in words(text) {
            assert!(
                !witness.codes.contains(word),
                "a code is in a response: {text}"
            );
            if !witness.words.contains(word) {
                witness.words.insert(word.to_owned());
            }
        }
    });
}

/// Takes note of a code that a person was sent.
pub(crate) fn code(code: &str) {
    if code.len() < SHORTEST {
        return;
    }
    with(|witness| {
        assert!(
            !witness.words.contains(code),
            "a code was in an earlier response"
        );
        witness.codes.insert(code.to_owned());
    });
}

/// How many words and codes were compared so far.
pub(crate) fn seen() -> (usize, usize) {
    with(|witness| (witness.words.len(), witness.codes.len()))
}

fn with<T>(look: impl FnOnce(&mut Witness) -> T) -> T {
    let mut guard = WITNESS.lock().unwrap_or_else(PoisonError::into_inner);
    look(guard.get_or_insert_with(Witness::default))
}

/// The runs of letters and digits that may be a code; the digits after a decimal point
/// are none, or the sums in the metrics would match by chance.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|piece| !is_fraction(piece))
        .flat_map(|piece| piece.split('.'))
        .filter(|word| (SHORTEST..=10).contains(&word.len()))
}

fn is_fraction(piece: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    piece
        .split_once('.')
        .is_some_and(|(whole, part)| digits(whole) && digits(part))
}

#[test]
fn the_witness_finds_a_code_and_ignores_fractions() {
    let found: Vec<_> = words(r#"{"code":"482913","at":0.123456,"x":"is 739201."}"#).collect();
    assert_eq!(found, ["482913", "739201"]);
}

#[test]
#[should_panic(expected = "a code was in an earlier response")]
fn the_witness_fails_when_a_code_was_shown_before_it_was_known() {
    response("x: ZZZZ999999");
    code("ZZZZ999999");
}

#[test]
#[should_panic(expected = "a code is in a response")]
fn the_witness_fails_when_a_response_shows_a_known_code() {
    code("ZZZZ888888");
    response(r#"{"hint":"ZZZZ888888"}"#);
}
