//! What people write around and between the digits of a number.

use countersign::DestinationError;
use rlibphonenumber::PhoneNumberUtil;

const MAX_BYTES: usize = 254;

/// A number without the characters between its digits.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Spelling {
    /// Whether it began with `+`.
    pub(crate) plus: bool,
    /// Whether it began with `tel:`.
    pub(crate) uri: bool,
    /// The digits, in ASCII.
    pub(crate) digits: String,
    /// Where in `digits` the zero of `+44 (0)20 …` stands: dialled, or not.
    pub(crate) optional_zero: Option<usize>,
}

impl Spelling {
    /// Reads spaces, hyphens, dots and brackets, digits of any script and `tel:`.
    ///
    /// The same characters pass as in core's `PhoneNumber::parse`; its rules about zeros
    /// do not hold here, since a plan knows which numbers exist.
    pub(crate) fn read(library: &PhoneNumberUtil, text: &str) -> Result<Self, DestinationError> {
        if text.len() > MAX_BYTES {
            return Err(DestinationError::TooLong);
        }
        let mut spelling = Self::default();
        let rest = match text.split_at_checked(4) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => {
                spelling.uri = true;
                rest
            }
            _ => text,
        };
        let mut bracket = None;
        for character in rest.chars() {
            match character {
                '+' | '\u{ff0b}' if spelling.plus || !spelling.digits.is_empty() => {
                    return Err(DestinationError::NotOne);
                }
                '+' | '\u{ff0b}' => spelling.plus = true,
                '(' if bracket.is_none() => bracket = Some(spelling.digits.len()),
                ')' => spelling.close(bracket.take())?,
                ',' | ';' => return Err(DestinationError::NotOne),
                '.' => {}
                _ if is_space(character) || is_hyphen(character) => {}
                _ => spelling.push(library, character)?,
            }
        }
        if bracket.is_some() {
            return Err(DestinationError::NotE164);
        }
        match (spelling.plus, spelling.digits.is_empty()) {
            (false, true) => Err(DestinationError::Empty),
            (true, true) => Err(DestinationError::NotE164),
            _ => Ok(spelling),
        }
    }

    /// The digits as they stand, and without the zero that may not be dialled.
    pub(crate) fn forms(&self) -> Vec<String> {
        let mut forms = vec![self.digits.clone()];
        if let Some(place) = self.optional_zero {
            let mut shorter = self.digits.clone();
            shorter.remove(place);
            forms.push(shorter);
        }
        forms
    }

    /// Closes the bracket that was opened before the digit number `opened`.
    fn close(&mut self, opened: Option<usize>) -> Result<(), DestinationError> {
        let opened = opened.ok_or(DestinationError::NotE164)?;
        match self.digits.as_bytes().get(opened) {
            None => return Err(DestinationError::NotE164),
            Some(b'0') if opened > 0 => {
                if self.optional_zero.replace(opened).is_some() {
                    return Err(DestinationError::TrunkZero);
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn push(&mut self, library: &PhoneNumberUtil, character: char) -> Result<(), DestinationError> {
        if character.is_ascii_digit() {
            self.digits.push(character);
            return Ok(());
        }
        let folded = if character.is_ascii() {
            String::new()
        } else {
            library.normalize_digits_only(character.encode_utf8(&mut [0; 4]))
        };
        if folded.len() != 1 {
            return Err(DestinationError::Character);
        }
        self.digits.push_str(&folded);
        Ok(())
    }
}

/// A space that can be seen (general category Zs).
const fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// A hyphen, a dash or the minus sign, of ordinary or full width.
const fn is_hyphen(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}
