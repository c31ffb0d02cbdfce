//! A message centre's id of a message, however it is written.
//!
//! SMPP 3.4 leaves the form of ids open, and message centres are known to answer a submit
//! with a hexadecimal id and to write the same number in decimal into the receipt, or the
//! other way round, with or without leading zeros (see "id" in appendix B: decimal).

/// The form under which an id is kept.
pub(super) fn kept(id: &str) -> String {
    let lower = id.trim().to_ascii_lowercase();
    let short = lower.trim_start_matches('0');
    if short.is_empty() {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

/// The forms under which the message of a receipt may have been kept: as it is written
/// first, then as the decimal number in hexadecimal and the other way round.
pub(super) fn candidates(id: &str) -> Vec<String> {
    let written = kept(id);
    let mut all = vec![written.clone()];
    if let Ok(number) = written.parse::<u128>()
        && written.bytes().all(|b| b.is_ascii_digit())
    {
        all.push(format!("{number:x}"));
    }
    if let Ok(number) = u128::from_str_radix(&written, 16)
        && written.bytes().all(|b| b.is_ascii_hexdigit())
    {
        all.push(number.to_string());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{candidates, kept};

    #[test]
    fn an_id_is_found_in_hexadecimal_and_in_decimal() {
        for (answered, in_receipt) in [
            ("1A2B", "6699"),
            ("0001a2b", "6699"),
            ("6699", "1A2B"),
            ("6699", "0000001a2b"),
            ("0000006699", "6699"),
            ("abc-7", "ABC-7"),
            ("0", "000"),
            ("f".repeat(40).as_str(), &"F".repeat(40)),
            (
                "ffffffffffffffffffffffffffffffff",
                "340282366920938463463374607431768211455",
            ),
        ] {
            assert!(
                candidates(in_receipt).contains(&kept(answered)),
                "{answered} {in_receipt}"
            );
        }
    }

    #[test]
    fn another_id_is_not() {
        for (answered, in_receipt) in [
            ("1A2B", "6700"),
            ("abc-7", "abc-8"),
            ("10", "12"),
            ("1", ""),
        ] {
            assert!(
                !candidates(in_receipt).contains(&kept(answered)),
                "{answered} {in_receipt}"
            );
        }
        assert_eq!(candidates("100")[0], "100", "as it is written goes first");
    }
}
