//! Session ids: one text for each, and everything else refused.
#![no_main]

use countersign::SessionId;
use libfuzzer_sys::fuzz_target;

const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fuzz_target!(|text: &str| {
    let read = text.parse::<SessionId>();
    assert_eq!(read.is_ok(), is_id(text));
    if let Ok(id) = read {
        assert_eq!(id.to_string(), text, "an id is written as it was read");
        assert_eq!(format!("{id:?}"), text);
    }
});

/// `sess_` and 23 symbols, of which the last has four bits only.
fn is_id(text: &str) -> bool {
    let Some(symbols) = text.strip_prefix("sess_") else {
        return false;
    };
    let values: Option<Vec<usize>> = symbols
        .bytes()
        .map(|byte| SYMBOLS.iter().position(|symbol| *symbol == byte))
        .collect();
    values.is_some_and(|values| values.len() == 23 && values[22] % 4 == 0)
}
