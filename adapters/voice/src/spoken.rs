//! Codes as they are spoken.

use countersign::Code;

/// The text with the code taken apart where a template left it in one piece, so that it is
/// read sign by sign, with a pause at every comma, and not as a number.
pub(crate) fn spoken(text: &str, code: &Code) -> String {
    let code = code.reveal();
    let signs: Vec<String> = code.chars().map(String::from).collect();
    text.replace(code, &signs.join(", "))
}

#[cfg(test)]
mod tests {
    use countersign::Code;

    use super::spoken;

    #[test]
    fn a_code_in_one_piece_is_taken_apart() {
        let code = Code::from_custom("ACDE").unwrap();
        for (text, expected) in [
            ("Code: ACDE. ACDE!", "Code: A, C, D, E. A, C, D, E!"),
            ("Code: A, C, D, E.", "Code: A, C, D, E."),
            ("", ""),
        ] {
            assert_eq!(spoken(text, &code), expected);
        }
    }
}
