//! What people type: digits of any script, and what they put between them.

/// The value of a Unicode decimal digit (general category Nd): `７`, `٧` and `७` are 7.
///
/// Superscripts, circled digits and Roman numerals are of other categories, and none.
pub(crate) fn decimal_digit(character: char) -> Option<u8> {
    let point = u32::from(character);
    let run = DIGIT_ZEROS
        .partition_point(|zero| *zero <= point)
        .checked_sub(1)?;
    let value = point.checked_sub(*DIGIT_ZEROS.get(run)?)?;
    u8::try_from(value).ok().filter(|value| *value < 10)
}

/// Whether this is a space that can be seen (general category Zs), as spreadsheets,
/// keyboards and French typography have several.
pub(crate) const fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Whether this is a hyphen, a dash or the minus sign, of ordinary or full width.
pub(crate) const fn is_hyphen(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}

/// The first of each run of ten characters that Unicode 18 calls decimal digits; the
/// runs are always complete and in order. A table of our own, since the standard
/// library's `is_numeric` takes in what has no digit's value.
const DIGIT_ZEROS: &[u32] = &[
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450,
    0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50,
    0x11D50, 0x11DA0, 0x11DE0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0,
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950,
    0x1FBF0,
];

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Every character with a value, as `HEX=DIGIT` lines in order, hashed: the same was
    /// computed from Python's `unicodedata2` 18.0.0, which knows 770 of them.
    #[test]
    fn the_table_of_digits_is_unicodes() {
        let mut hash = Sha256::new();
        let mut found = 0;
        for character in '\0'..=char::MAX {
            if let Some(value) = decimal_digit(character) {
                hash.update(format!("{:X}={value}\n", u32::from(character)));
                found += 1;
            }
        }
        assert_eq!(found, 770);
        let hash = hash
            .finalize()
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(
            hash,
            "a31f0de705b1259094c474731f2d7380ed86bed242763bcb48377fe601bc679f"
        );
    }

    #[test]
    fn what_merely_looks_like_a_digit_is_none() {
        for character in [
            '²', '⁵', '①', '½', 'Ⅷ', '一', '〇', '፩', 'l', 'O', '\u{200b}', '/', ':',
        ] {
            assert_eq!(decimal_digit(character), None, "{character:?}");
        }
    }

    #[test]
    fn spaces_and_hyphens_are_told_from_what_cannot_be_seen() {
        for character in [' ', '\u{a0}', '\u{2009}', '\u{202f}', '\u{3000}'] {
            assert!(is_space(character), "{character:?}");
        }
        for character in ['-', '\u{2011}', '–', '—', '−', '\u{ff0d}'] {
            assert!(is_hyphen(character), "{character:?}");
        }
        for character in [
            '\u{200b}', '\u{200f}', '\u{ad}', '\u{feff}', '\u{2028}', '_', '~',
        ] {
            assert!(
                !is_space(character) && !is_hyphen(character),
                "{character:?}"
            );
        }
    }
}
