//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1).

/// Announces a character of the extension table.
pub const ESCAPE: u8 = 0x1b;

/// The default alphabet: a character's place is its septet. At 0x1B stands the escape,
/// which no text can hold.
pub(super) const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', // 0x00
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\x1b', 'Æ', 'æ', 'ß', 'É', // 0x10
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', // 0x20
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', // 0x30
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', // 0x40
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', // 0x50
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', // 0x60
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à', // 0x70
];

/// The extension table: what follows the escape.
pub(super) const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// A character in septets, each in an octet of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard has one table and one extension of it"
)]
pub enum Septets {
    /// A character of the default alphabet.
    One(u8),
    /// One of the extension table, after the [`ESCAPE`].
    Escaped(u8),
}

impl Septets {
    /// How many septets: 1 or 2.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Escaped(_) => 2,
        }
    }
}

/// A character's septets, if it has any.
#[must_use]
pub fn septets(character: char) -> Option<Septets> {
    // Letters, digits and most signs stand where ASCII has them.
    if character.is_ascii_alphanumeric() || character == ' ' {
        return u8::try_from(character).ok().map(Septets::One);
    }
    let place = |c: &char| *c == character && character != '\x1b';
    if let Some(found) = DEFAULT.iter().position(place) {
        return u8::try_from(found).ok().map(Septets::One);
    }
    let found = EXTENSION.iter().find(|(_, known)| *known == character);
    found.map(|(septet, _)| Septets::Escaped(*septet))
}
