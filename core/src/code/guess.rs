//! Guesses: codes as people type them.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Alphabet, MAX_CODE_LENGTH, MIN_CODE_LENGTH, append, with_length};
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
    /// Its characters in base 36.
    number: u64,
    pub(super) length: u8,
    digits: bool,
    alphanumeric: bool,
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
    #[inline]
    pub fn parse(typed: &str) -> Result<Self, InvalidCode> {
        match Self::plain(typed.as_bytes()) {
            Some(guess) => Ok(guess),
            None => Self::written(typed),
        }
    }

    /// With separators, letters, or the digits of another script.
    #[inline(never)]
    fn written(typed: &str) -> Result<Self, InvalidCode> {
        let mut guess = Self::empty();
        for (read, character) in typed.chars().enumerate() {
            if read == MAX_TYPED {
                return Err(InvalidCode::Length);
            }
            if is_separator(character) {
                continue;
            }
            let symbol = fold(character).ok_or(InvalidCode::Alphabet)?;
            if !guess.push(symbol) {
                return Err(InvalidCode::Length);
            }
        }
        if guess.length < MIN_CODE_LENGTH {
            return Err(InvalidCode::Length);
        }
        if guess.digits || guess.alphanumeric {
            Ok(guess)
        } else {
            Err(InvalidCode::Alphabet)
        }
    }

    const fn empty() -> Self {
        Self {
            number: 0,
            length: 0,
            digits: true,
            alphanumeric: true,
        }
    }

    /// What most people type: digits alone, which need no table of scripts.
    #[inline]
    fn plain(typed: &[u8]) -> Option<Self> {
        let length = u8::try_from(typed.len()).ok()?;
        if !(MIN_CODE_LENGTH..=MAX_CODE_LENGTH).contains(&length) {
            return None;
        }
        let (mut number, mut seen) = (0u64, 0u64);
        for symbol in typed {
            let digit = symbol.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = append(number, *symbol);
            seen |= 1 << digit;
        }
        Some(Self {
            number,
            length,
            digits: true,
            alphanumeric: seen & !Alphabet::Alphanumeric.set() == 0,
        })
    }

    /// Adds a character, and says whether there was room.
    fn push(&mut self, symbol: u8) -> bool {
        if self.length == MAX_CODE_LENGTH {
            return false;
        }
        self.length += 1;
        self.number = append(self.number, symbol);
        self.digits &= Alphabet::Digits.has(symbol);
        self.alphanumeric &= Alphabet::Alphanumeric.has(symbol);
        true
    }

    /// Characters in the guess.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// Which forms of code it could be.
    pub(crate) const fn fit(&self) -> Fit {
        Fit {
            length: self.length,
            digits: self.digits,
            alphanumeric: self.alphanumeric,
        }
    }

    pub(crate) const fn packed(&self) -> u64 {
        with_length(self.number, self.length)
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
