//! One-time codes: their form, and how they are drawn.

mod guess;
#[cfg(test)]
mod tests;

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use self::guess::Guess;
use crate::error::{InvalidCode, RandomUnavailable};
use crate::random::{Randomness, SystemRandom};

/// The characters that a code is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alphabet {
    /// `0` to `9`, the first digit too.
    Digits,
    /// Upper-case letters and digits without look-alikes: no 0, O, 1, I, L, 2, Z, 5, S,
    /// 8, B, U or V. A character of these 23 holds 4.5 bits, a digit 3.3.
    Alphanumeric,
}

impl Alphabet {
    /// The characters, in ascending order.
    #[must_use]
    pub const fn symbols(self) -> &'static [u8] {
        match self {
            Self::Digits => b"0123456789",
            Self::Alphanumeric => b"34679ACDEFGHJKMNPQRTWXY",
        }
    }

    /// Whether this is one of its characters.
    pub(crate) const fn has(self, symbol: u8) -> bool {
        let place = symbol.wrapping_sub(b'0');
        place < 64 && self.set() >> place & 1 == 1
    }

    /// Its characters as bits, counted from the digit zero.
    const fn set(self) -> u64 {
        const fn bits(symbols: &[u8]) -> u64 {
            match symbols {
                [] => 0,
                [first, rest @ ..] => 1 << (*first - b'0') | bits(rest),
            }
        }
        const DIGITS: u64 = bits(Alphabet::Digits.symbols());
        const ALPHANUMERIC: u64 = bits(Alphabet::Alphanumeric.symbols());
        match self {
            Self::Digits => DIGITS,
            Self::Alphanumeric => ALPHANUMERIC,
        }
    }

    /// The stable name in the API: `digits` or `alphanumeric`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Alphanumeric => "alphanumeric",
        }
    }
}

/// The shortest code that any policy may issue, in characters.
pub const MIN_CODE_LENGTH: u8 = 4;
/// The longest code that any policy may issue, in characters.
pub const MAX_CODE_LENGTH: u8 = 10;

/// Length and alphabet of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeForm {
    length: u8,
    alphabet: Alphabet,
}

impl CodeForm {
    /// Six digits.
    pub const SIX_DIGITS: Self = Self {
        length: 6,
        alphabet: Alphabet::Digits,
    };

    /// A form of `length` characters (4 to 10) of `alphabet`.
    ///
    /// # Errors
    /// [`InvalidCode::Length`] outside these bounds.
    pub const fn new(length: u8, alphabet: Alphabet) -> Result<Self, InvalidCode> {
        if length < MIN_CODE_LENGTH || length > MAX_CODE_LENGTH {
            return Err(InvalidCode::Length);
        }
        Ok(Self { length, alphabet })
    }

    /// Characters in the code.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// What the characters are taken from.
    #[must_use]
    pub const fn alphabet(self) -> Alphabet {
        self.alphabet
    }
}

/// A secret code.
///
/// Withheld on purpose: `Display`, `Serialize`, `Deref`, `PartialEq` and `Clone`, so
/// that it is not printed, sent, compared in variable time or copied by accident. It
/// is wiped on drop.
///
/// ```
/// use countersign::{Code, CodeForm};
/// let code = Code::draw(CodeForm::SIX_DIGITS)?;
/// assert_eq!(code.reveal().len(), 6);
/// assert_eq!(format!("{code:?}"), "Code(redacted, 6 digits)");
/// # Ok::<(), countersign::RandomUnavailable>(())
/// ```
///
/// None of these compiles:
///
/// ```compile_fail
/// # use countersign::{Code, CodeForm};
/// # let code = Code::draw(CodeForm::SIX_DIGITS).unwrap();
/// let copy = code.clone();
/// ```
/// ```compile_fail
/// # use countersign::{Code, CodeForm};
/// # let code = Code::draw(CodeForm::SIX_DIGITS).unwrap();
/// println!("{code}");
/// ```
/// ```compile_fail
/// # use countersign::{Code, CodeForm};
/// # let code = Code::draw(CodeForm::SIX_DIGITS).unwrap();
/// # let other = Code::draw(CodeForm::SIX_DIGITS).unwrap();
/// let equal = code == other;
/// ```
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Code {
    text: [u8; MAX_CODE_LENGTH as usize],
    #[zeroize(skip)]
    form: CodeForm,
}

impl Code {
    /// Draws a code of `form`, every one equally likely.
    ///
    /// `ChaCha20` is seeded afresh from the operating system and dropped, so that no
    /// generator state outlives the call: neither a fork nor a restored snapshot of
    /// the machine can repeat it.
    ///
    /// # Errors
    /// [`RandomUnavailable`] when the operating system gives no randomness; there is
    /// no fallback.
    pub fn draw(form: CodeForm) -> Result<Self, RandomUnavailable> {
        Self::draw_from(form, &SystemRandom)
    }

    /// Draws a code of `form` by a seed from `source`: [`Code::draw`], for tests in which
    /// randomness fails.
    ///
    /// # Errors
    /// [`RandomUnavailable`] when the source gives none; there is no fallback.
    pub fn draw_from(form: CodeForm, source: &dyn Randomness) -> Result<Self, RandomUnavailable> {
        let mut seed = Zeroizing::new([0u8; 32]);
        source.fill(seed.as_mut())?;
        Ok(Self::from_seed(form, &seed))
    }

    /// The code of `form` that belongs to `seed`.
    pub(crate) fn from_seed(form: CodeForm, seed: &[u8; 32]) -> Self {
        let mut stream = ChaCha20Rng::from_seed(*seed);
        Self::from_words(form, || stream.next_u32())
    }

    /// Maps uniform 32-bit words to symbols by rejection: a word beyond the largest
    /// multiple of the alphabet's size is thrown away, since a remainder alone would
    /// favour the first symbols.
    fn from_words(form: CodeForm, mut word: impl FnMut() -> u32) -> Self {
        let symbols = form.alphabet.symbols();
        let size = u32::try_from(symbols.len()).unwrap_or(1);
        let limit = u32::MAX - (u32::MAX % size + 1) % size;
        let mut text = [0u8; MAX_CODE_LENGTH as usize];
        for slot in text.iter_mut().take(usize::from(form.length)) {
            let fair = loop {
                let drawn = word();
                if drawn <= limit {
                    break drawn % size;
                }
            };
            *slot = symbols[fair as usize];
        }
        Self { text, form }
    }

    /// Reads a code that a caller chose (`custom_code`), written exactly: no spaces,
    /// ASCII, upper case. What could be either is taken as digits.
    ///
    /// # Errors
    /// [`InvalidCode`] when it is not 4 to 10 characters of one alphabet.
    ///
    /// ```
    /// use countersign::Code;
    /// assert_eq!(Code::from_custom("004200")?.reveal(), "004200");
    /// assert!(Code::from_custom("00 42 00").is_err());
    /// # Ok::<(), countersign::InvalidCode>(())
    /// ```
    pub fn from_custom(text: &str) -> Result<Self, InvalidCode> {
        let guess = Guess::parse(text)?;
        let is_symbol = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        if !text.bytes().all(is_symbol) {
            return Err(InvalidCode::Alphabet);
        }
        let digits = guess.fit().digits;
        let alphabet = if digits {
            Alphabet::Digits
        } else {
            Alphabet::Alphanumeric
        };
        let mut code = Self {
            text: [0; MAX_CODE_LENGTH as usize],
            form: CodeForm::new(guess.length, alphabet)?,
        };
        // Nothing was left out, so it has as many characters as the guess.
        code.text[..text.len()].copy_from_slice(text.as_bytes());
        Ok(code)
    }

    /// The secret text, to be put into a message and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.form.length)]).unwrap_or_default()
    }

    /// Length and alphabet.
    #[must_use]
    pub const fn form(&self) -> CodeForm {
        self.form
    }

    /// The same code once more: for the caller's own, which outlives one try.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            text: self.text,
            form: self.form,
        }
    }

    pub(crate) fn packed(&self) -> u64 {
        let text = &self.text[..usize::from(self.form.length)];
        let number = text
            .iter()
            .fold(0, |number, symbol| append(number, *symbol));
        with_length(number, self.form.length)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Code(redacted, {} {})",
            self.form.length,
            self.form.alphabet.name()
        )
    }
}

/// A code of at most ten characters of 0–9 and A–Z as one number: its length in the top
/// byte, then the characters in base 36. Ten of them take 52 bits: nothing wraps.
const fn with_length(number: u64, length: u8) -> u64 {
    (length as u64) << 56 | number
}

/// The number with another character at its end.
#[inline]
const fn append(number: u64, symbol: u8) -> u64 {
    let value = if symbol.is_ascii_digit() {
        symbol - b'0'
    } else {
        symbol.wrapping_sub(b'A' - 10)
    };
    number.wrapping_mul(36).wrapping_add(value as u64)
}
