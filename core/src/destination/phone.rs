//! Phone numbers in E.164.

use std::fmt;

use super::DestinationError;
use crate::typed::{decimal_digit, is_hyphen, is_space};

/// A phone number in E.164 (ITU-T): `+` and 7 to 15 digits, the first not zero.
///
/// One number has one form, by which it is both counted and called. What people write
/// beside it is taken where it can mean one thing only: spaces, hyphens, dots and
/// brackets, digits of any script, `00` for `+`, and a `tel:` before the `+`. Refused
/// are national forms, extensions, letters, and the zero that a national form begins
/// with: `+44 (0)20 …` and `+44 020 …` would each be another budget for the line of
/// `+44 20 …`. Where a zero is dialled after the country code (Italy, for one), it stays.
///
/// Countries in which one line has two numbers in E.164 (Mexico's old `+52 1 …`, say)
/// are not known here: both are counted on their own.
///
/// ```
/// use countersign::PhoneNumber;
/// assert_eq!(PhoneNumber::parse("0047 (123) 45-678")?.as_str(), "+4712345678");
/// assert!(PhoneNumber::parse("+44 (0)20 7946 0000").is_err());
/// # Ok::<(), countersign::DestinationError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

const MIN_DIGITS: usize = 7;
const MAX_DIGITS: usize = 15;
const MAX_BYTES: usize = 254;

impl PhoneNumber {
    /// Reads one phone number.
    ///
    /// # Errors
    /// [`DestinationError`] for anything else, and for what could be read in two ways.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        if text.len() > MAX_BYTES {
            return Err(DestinationError::TooLong);
        }
        let (is_uri, rest) = strip_scheme(text);
        let written = Written::read(rest)?;
        if written.digits.is_empty() && !written.plus {
            return Err(DestinationError::Empty);
        }
        let digits = match written.digits.strip_prefix("00") {
            Some(digits) if !written.plus && !is_uri => digits,
            _ if written.plus => written.digits.as_str(),
            _ => return Err(DestinationError::NotE164),
        };
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) || digits.starts_with('0') {
            return Err(DestinationError::NotE164);
        }
        if has_trunk_zero(digits) {
            return Err(DestinationError::TrunkZero);
        }
        Ok(Self(format!("+{digits}")))
    }

    /// The number: `+` and digits. Never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first three characters and the last two; of the shortest number, three of
    /// seven digits stay hidden.
    pub(super) fn masked(&self) -> String {
        let last = self.0.len() - 2;
        let hide = |(n, character)| if n < 3 || n >= last { character } else { '•' };
        self.0.chars().enumerate().map(hide).collect()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

/// What is left of a number once the characters between its digits are gone.
#[derive(Default)]
struct Written {
    plus: bool,
    digits: String,
}

impl Written {
    fn read(text: &str) -> Result<Self, DestinationError> {
        let mut written = Self::default();
        let mut bracket = None;
        for character in text.chars() {
            match character {
                '+' | '\u{ff0b}' if written.plus || !written.digits.is_empty() => {
                    return Err(DestinationError::NotOne);
                }
                '+' | '\u{ff0b}' => written.plus = true,
                '(' if bracket.is_none() => bracket = Some(written.digits.len()),
                ')' => written.close(bracket.take())?,
                ',' | ';' => return Err(DestinationError::NotOne),
                '.' => {}
                _ if is_space(character) || is_hyphen(character) => {}
                _ => written.push(character)?,
            }
        }
        if bracket.is_some() {
            Err(DestinationError::NotE164)
        } else {
            Ok(written)
        }
    }

    /// Closes the bracket that was opened before the digit number `opened`. A zero at
    /// its head, after other digits, is dialled or not: nobody can tell.
    fn close(&self, opened: Option<usize>) -> Result<(), DestinationError> {
        let opened = opened.ok_or(DestinationError::NotE164)?;
        let group = self.digits.get(opened..).unwrap_or_default();
        match group.as_bytes().first() {
            None => Err(DestinationError::NotE164),
            Some(b'0') if opened > 0 => Err(DestinationError::TrunkZero),
            Some(_) => Ok(()),
        }
    }

    fn push(&mut self, character: char) -> Result<(), DestinationError> {
        let value = decimal_digit(character).ok_or(DestinationError::Character)?;
        self.digits.push(char::from(b'0' + value));
        Ok(())
    }
}

/// Takes `tel:` away (RFC 3966, in any case), and tells whether it was there.
fn strip_scheme(text: &str) -> (bool, &str) {
    match text.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => (true, rest),
        _ => (false, text),
    }
}

/// Country codes after which a zero belongs to the number: Italy, Côte d'Ivoire, Burkina
/// Faso, Benin, Gabon, Congo, Rwanda, San Marino, satellite networks and Tajikistan.
/// Everywhere else it is the prefix of the national form.
const ZERO_IS_DIALLED: [&str; 10] = [
    "39", "225", "226", "229", "241", "242", "250", "378", "881", "992",
];

fn has_trunk_zero(digits: &str) -> bool {
    let (code, national) = digits.split_at(country_code_length(digits.as_bytes()));
    national.starts_with('0') && !ZERO_IS_DIALLED.contains(&code)
}

/// Digits of the country code. Codes are a prefix code, of which the first two digits
/// tell the length (ITU-T E.164, list of assigned country codes).
fn country_code_length(digits: &[u8]) -> usize {
    match digits {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, DestinationError> {
        PhoneNumber::parse(text).map(|number| number.0)
    }

    #[test]
    fn a_text_has_at_most_254_bytes() {
        let spaced = |bytes: usize| format!("{:>bytes$}", "+4712345678");
        assert_eq!(read(&spaced(254)), Ok("+4712345678".to_owned()));
        assert_eq!(read(&spaced(255)), Err(DestinationError::TooLong));
    }

    #[test]
    fn a44_every_spelling_of_a_number_is_one() {
        for text in [
            "+4712345678",
            "004712345678",
            "+47 12 34 56 78",
            "+47-12-34-56-78",
            "+47.12.34.56.78",
            "(+47) 12345678",
            "+47 (123) 45 678",
            "(0047) 12345678",
            "+(47)12345678",
            "tel:+4712345678",
            "TEL:+47-12-34-56-78",
            "＋４７１２３４５６７８",
            "+٤٧١٢٣٤٥٦٧٨",
            "+47\u{a0}12\u{202f}34\u{2009}56 78",
            "+47–12345678",
            " +4712345678 ",
            "00 47 12345678",
            "+ 47 12345678",
        ] {
            assert_eq!(read(text), Ok("+4712345678".to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a44_what_can_be_read_in_two_ways_is_refused() {
        use DestinationError::{Character, Empty, NotE164, NotOne, TooLong, TrunkZero};
        for (text, error) in [
            ("+44 (0)20 7946 0000", TrunkZero),
            ("+44(0) 20 7946 0000", TrunkZero),
            ("+44 (020) 7946 0000", TrunkZero),
            ("+44 020 7946 0000", TrunkZero),
            ("004402079460000", TrunkZero),
            ("+4702345678", TrunkZero),
            ("+39 (06) 1234567", TrunkZero),
            ("4712345678", NotE164),
            ("12345678", NotE164),
            ("020 7946 0000", NotE164),
            ("011 47 12345678", NotE164),
            ("tel:12345678", NotE164),
            ("tel:004712345678", NotE164),
            ("+004712345678", NotE164),
            ("+0712345678", NotE164),
            ("00004712345678", NotE164),
            ("+123456", NotE164),
            ("+1234567890123456", NotE164),
            ("+", NotE164),
            ("00", NotE164),
            ("+47 12345678)", NotE164),
            ("+47 (12345678", NotE164),
            ("+47 () 12345678", NotE164),
            ("+47 ((12)) 345678", Character),
            ("+47 12345678x12", Character),
            ("+47 12345678 ext. 12", Character),
            ("+47 12345678#12", Character),
            ("+47 12345678*", Character),
            ("+47 12345678/79", Character),
            ("+1 800 FLOWERS", Character),
            ("tel:+47%2012345678", Character),
            ("sip:+4712345678", Character),
            ("user@example.com", Character),
            ("+4712345678;ext=12", NotOne),
            ("tel:+4712345678;phone-context=example.com", NotOne),
            ("+4712345678,,12", NotOne),
            ("++4712345678", NotOne),
            ("47+12345678", NotOne),
            ("+47 12345678 +47 87654321", NotOne),
            ("", Empty),
            ("   ", Empty),
            ("tel:", Empty),
            (&format!("+47{}12345678", " ".repeat(300)), TooLong),
        ] {
            assert_eq!(read(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a44_what_cannot_be_seen_is_refused() {
        for character in [
            '\r', '\n', '\0', '\t', '\u{200b}', '\u{200e}', '\u{202a}', '\u{202c}', '\u{feff}',
            '\u{ad}', '\u{2028}', '⁴', '①',
        ] {
            for text in [
                format!("{character}+4712345678"),
                format!("+471234{character}5678"),
            ] {
                assert_eq!(read(&text), Err(DestinationError::Character), "{text:?}");
            }
        }
    }

    #[test]
    fn a44_a_canonical_number_is_its_own_canonical_form() {
        for text in [
            "+1234567",
            "+123456789012345",
            "+390612345678",
            "+2250123456789",
        ] {
            assert_eq!(read(text), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_zero_is_refused_after_every_country_code_that_has_none() {
        for (code, length) in [
            ("1", 1),
            ("7", 1),
            ("20", 2),
            ("27", 2),
            ("33", 2),
            ("44", 2),
            ("49", 2),
            ("55", 2),
            ("65", 2),
            ("81", 2),
            ("86", 2),
            ("98", 2),
            ("212", 3),
            ("351", 3),
            ("421", 3),
            ("501", 3),
            ("590", 3),
            ("670", 3),
            ("800", 3),
            ("852", 3),
            ("880", 3),
            ("971", 3),
            ("998", 3),
        ] {
            assert_eq!(country_code_length(code.as_bytes()), length, "{code}");
            assert_eq!(
                read(&format!("+{code}01234567")),
                Err(DestinationError::TrunkZero)
            );
            assert!(read(&format!("+{code}21034567")).is_ok(), "{code}");
        }
        for code in ZERO_IS_DIALLED {
            assert_eq!(country_code_length(code.as_bytes()), code.len());
            assert!(read(&format!("+{code}01234567")).is_ok(), "{code}");
        }
    }

    #[test]
    fn masks_keep_three_characters_in_front_and_two_behind() {
        for (text, masked) in [
            ("+1234567", "+12•••67"),
            ("+4712345678", "+47••••••78"),
            ("+123456789012345", "+12•••••••••••45"),
        ] {
            let number = PhoneNumber::parse(text).unwrap();
            assert_eq!(number.masked(), masked);
            assert_eq!(format!("{number:?}"), format!("PhoneNumber({masked})"));
        }
    }
}
