//! How many short messages a text takes: what an operator charges for.

/// The GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1), without the letters, digits
/// and the space that it shares with ASCII.
const GSM7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// Its extension table: each takes two places.
const GSM7_EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How many short messages a text takes.
///
/// Of several, a character may be carried over to the next where it would be cut in two;
/// that is left out here, where it only matters whether there are fewer.
pub(crate) fn parts(text: &str) -> usize {
    let septets: Option<usize> = text.chars().map(septets).sum();
    let (units, alone, of_several) = match septets {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if units <= alone {
        1
    } else {
        units.div_ceil(of_several)
    }
}

fn septets(character: char) -> Option<usize> {
    if character == ' ' || character.is_ascii_alphanumeric() || GSM7.contains(character) {
        Some(1)
    } else {
        GSM7_EXTENSION.contains(character).then_some(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_128_places_with_the_escape() {
        assert_eq!(GSM7.chars().count() + 26 + 26 + 10 + 1 + 1, 128);
        assert_eq!(GSM7_EXTENSION.chars().count(), 10);
        for (text, expected) in [("Ç", Some(1)), ("ç", None), ("€", Some(2)), ("`", None)] {
            assert_eq!(text.chars().map(septets).sum::<Option<usize>>(), expected);
        }
    }

    #[test]
    fn parts_begin_where_the_standard_says() {
        for (unit, alone, of_several) in [
            ("a", 160, 153),
            ("€", 80, 76),
            ("م", 70, 67),
            ("😀", 35, 33),
        ] {
            assert_eq!(parts(&unit.repeat(alone)), 1, "{unit}");
            assert_eq!(parts(&unit.repeat(alone + 1)), 2, "{unit}");
            assert_eq!(parts(&unit.repeat(2 * of_several)), 2, "{unit}");
        }
        assert_eq!(parts(&"a".repeat(307)), 3);
        assert_eq!(parts(""), 1);
    }
}
