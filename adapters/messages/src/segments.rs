//! How many short messages a text takes, and which alphabet.
//!
//! ```
//! use countersign_messages::segments::{Encoding, segments};
//!
//! let price = segments("Your code: 123456. 5 €");
//! assert_eq!(price.encoding, Encoding::Gsm7);
//! assert_eq!((price.units, price.parts), (23, 1)); // the euro sign counts twice
//! assert_eq!(segments("code 123456 ✓").encoding, Encoding::Ucs2);
//! ```

mod gsm7;

pub use gsm7::{ESCAPE, Septets, septets};

/// The alphabet of a short message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard has no third alphabet for text, and whoever carries one must know all"
)]
pub enum Encoding {
    /// The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038, 6.2.1).
    /// A unit is a septet; a character of the extension table takes two.
    Gsm7,
    /// UCS-2, in fact UTF-16. A unit is 16 bits; a character beyond U+FFFF takes two.
    Ucs2,
}

impl Encoding {
    /// GSM-7 where every character has a place in it, else UCS-2.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) {
            Self::Gsm7
        } else {
            Self::Ucs2
        }
    }

    /// How many units a character of a text in this alphabet takes.
    #[must_use]
    pub fn width(self, character: char) -> usize {
        match self {
            Self::Gsm7 => septets(character).map_or(0, Septets::count),
            Self::Ucs2 => character.len_utf16(),
        }
    }

    /// How many units a message of one part may have (3GPP TS 23.040: 140 octets).
    #[must_use]
    pub const fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// How many units each of several parts may have, beside the six octets by which
    /// the phone puts them together.
    #[must_use]
    pub const fn of_several(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// What a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segments {
    /// The alphabet that the text needs.
    pub encoding: Encoding,
    /// Its length, in septets or in units of 16 bits.
    pub units: usize,
    /// How many short messages it takes, which is what operators charge for. An empty
    /// text takes one.
    pub parts: usize,
}

/// Counts what `text` takes.
///
/// A character is never cut in two, so that a pair of units that would lie across a
/// boundary goes to the next part as a whole.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let encoding = Encoding::of(text);
    let (mut units, mut parts, mut in_last) = (0, 1, 0);
    for width in text.chars().map(|c| encoding.width(c)) {
        units += width;
        in_last += width;
        if in_last > encoding.of_several() {
            parts += 1;
            in_last = width;
        }
    }
    Segments {
        encoding,
        units,
        parts: if units <= encoding.alone() { 1 } else { parts },
    }
}

#[cfg(test)]
mod tests;
