//! Guesses: codes as people type them.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Alphabet, MAX_CODE_LENGTH, MIN_CODE_LENGTH, pack};
use crate::error::InvalidCode;
use crate::record::Fit;
use crate::typed::{decimal_digit, is_hyphen, is_space};

/// A code as a person typed it, normalised: spaces and hyphens gone, every Unicode
/// decimal digit as ASCII, ASCII letters in upper case.
///
/// Withheld like [`Code`](super::Code)'s: a right guess is the code.
///
/// ```
/// use countersign::Guess;
/// assert_eq!(Guess::parse(" 123-456\n")?.length(), 6);
/// assert_eq!(Guess::parse("١٢٣ ٤٥٦")?.length(), 6);
/// assert!(Guess::parse("one two").is_err());
/// # Ok::<(), countersign::InvalidCode>(())
/// ```
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Guess {
    pub(super) text: [u8; MAX_CODE_LENGTH as usize],
    pub(super) length: u8,
}

/// Characters that are read at most, separators included: three times the longest code.
/// Whoever sends megabytes is refused at the 33rd character.
const MAX_TYPED: usize = 32;

impl Guess {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// [`InvalidCode`] for what no policy could have issued: empty, shorter than 4 or
    /// longer than 10 characters, more than 32 with spaces and hyphens, or not of one
    /// alphabet.
    pub fn parse(typed: &str) -> Result<Self, InvalidCode> {
        let mut guess = Self {
            text: [0; MAX_CODE_LENGTH as usize],
            length: 0,
        };
        if guess.take_plain(typed.as_bytes()) {
            return Ok(guess);
        }
        for (read, character) in typed.chars().enumerate() {
            if read == MAX_TYPED {
                return Err(InvalidCode::Length);
            }
            if is_separator(character) {
                continue;
            }
            let symbol = fold(character).ok_or(InvalidCode::Alphabet)?;
            let slot = guess
                .text
                .get_mut(usize::from(guess.length))
                .ok_or(InvalidCode::Length)?;
            *slot = symbol;
            guess.length += 1;
        }
        if guess.length < MIN_CODE_LENGTH {
            return Err(InvalidCode::Length);
        }
        let fit = guess.fit();
        if fit.digits || fit.alphanumeric {
            Ok(guess)
        } else {
            Err(InvalidCode::Alphabet)
        }
    }

    /// Takes what most people type: digits alone, which need no table. Says whether it did.
    fn take_plain(&mut self, typed: &[u8]) -> bool {
        let (Ok(length), Some(text)) =
            (u8::try_from(typed.len()), self.text.get_mut(..typed.len()))
        else {
            return false;
        };
        if length < MIN_CODE_LENGTH || !typed.iter().all(u8::is_ascii_digit) {
            return false;
        }
        text.copy_from_slice(typed);
        self.length = length;
        true
    }

    /// Characters in the guess.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// Which forms of code it could be.
    pub(crate) fn fit(&self) -> Fit {
        let all_of =
            |alphabet: Alphabet| self.as_bytes().iter().all(|symbol| alphabet.has(*symbol));
        Fit {
            length: self.length,
            digits: all_of(Alphabet::Digits),
            alphanumeric: all_of(Alphabet::Alphanumeric),
        }
    }

    pub(crate) fn packed(&self) -> u64 {
        pack(self.as_bytes())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.length)]
    }
}

impl fmt::Debug for Guess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guess(redacted, {})", self.length)
    }
}

/// What people put between the characters, or paste along with them.
const fn is_separator(character: char) -> bool {
    is_space(character) || is_hyphen(character) || matches!(character, '\t' | '\n' | '\r')
}

fn fold(character: char) -> Option<u8> {
    match character {
        'A'..='Z' | 'a'..='z' => u8::try_from(character.to_ascii_uppercase()).ok(),
        _ => decimal_digit(character).map(|value| b'0' + value),
    }
}
