//! How long the message centre may try: no longer than the code is good.

use rusmpp::types::EmptyOrFullCOctetString;

/// No message centre keeps a message for longer, and the format has two digits for days.
const MAX_SECONDS: u64 = 30 * 86_400;

/// A relative time of `seconds` in SMPP's form, `YYMMDDhhmmss000R` (3.4, 7.1.1.1).
pub(super) fn relative(seconds: u64) -> EmptyOrFullCOctetString<17> {
    let text = written(seconds) + "\0";
    // Sixteen characters and the terminator: it always fits.
    EmptyOrFullCOctetString::from_vec(text.into_bytes())
        .unwrap_or_else(|_| EmptyOrFullCOctetString::null())
}

fn written(seconds: u64) -> String {
    let seconds = seconds.min(MAX_SECONDS);
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    format!("0000{days:02}{hours:02}{minutes:02}{seconds:02}000R")
}

#[cfg(test)]
mod tests {
    use super::{relative, written};

    #[test]
    fn seconds_become_a_relative_time() {
        for (seconds, expected) in [
            (1, "000000000001000R"),
            (59, "000000000059000R"),
            (60, "000000000100000R"),
            (300, "000000000500000R"),
            (3599, "000000005959000R"),
            (3600, "000000010000000R"),
            (90_061, "000001010101000R"),
            (u64::MAX, "000030000000000R"),
        ] {
            assert_eq!(written(seconds), expected);
            assert_eq!(relative(seconds).len(), 17);
        }
    }
}
