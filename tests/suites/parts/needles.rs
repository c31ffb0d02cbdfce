//! Known secrets, looked for in bytes: as text and in every spelling that is no more than
//! another alphabet.

use std::collections::{HashMap, HashSet};

/// No spelling is shorter, or chance would find it.
const SHORTEST: usize = 8;

/// Secrets in their spellings, by the first bytes of each.
pub(crate) struct Needles {
    /// Which starts there are, by a hash of 24 bits: most places are passed by this alone.
    begins: Vec<u64>,
    by_start: HashMap<[u8; SHORTEST], Vec<Needle>>,
    pub(crate) secrets: usize,
    pub(crate) spellings: usize,
}

struct Needle {
    spelling: &'static str,
    secret: String,
    bytes: Vec<u8>,
}

impl Needles {
    /// The secrets as text: plain, UTF-16, hexadecimal and base 64.
    pub(crate) fn texts<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self::spelt(secrets, texts)
    }

    /// The secrets that are numbers, packed: in eight bytes, or a digit a byte.
    pub(crate) fn numbers<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self::spelt(secrets, numbers)
    }

    fn spelt<'a>(
        secrets: impl IntoIterator<Item = &'a str>,
        spell: impl Fn(&str) -> Vec<(&'static str, Vec<u8>)>,
    ) -> Self {
        let mut needles = Self {
            begins: vec![0; 1 << 18],
            by_start: HashMap::new(),
            secrets: 0,
            spellings: 0,
        };
        for secret in secrets {
            needles.secrets += 1;
            for (spelling, bytes) in spell(secret) {
                let start = bytes.first_chunk().expect("long enough");
                let (word, bit) = begin(*start);
                needles.begins[word] |= bit;
                let needle = Needle {
                    spelling,
                    secret: secret.to_owned(),
                    bytes: bytes.clone(),
                };
                needles.by_start.entry(*start).or_default().push(needle);
                needles.spellings += 1;
            }
        }
        needles
    }

    /// Every secret that is in these bytes, with its spelling and where.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        self.found_anew(bytes, &[])
    }

    /// The same, without spellings that were in other bytes before anybody knew the secret.
    /// Eight bytes of a number are met by chance, in files that are full of small ones.
    pub(crate) fn found_anew(&self, bytes: &[u8], before: &[u8]) -> Vec<String> {
        let by_chance = self.places_in(before).into_iter();
        let by_chance: HashSet<_> = by_chance.map(|(needle, _)| &needle.bytes).collect();
        let mut found = self.places_in(bytes);
        found.retain(|(needle, _)| !by_chance.contains(&needle.bytes));
        let told = |(needle, at): (&Needle, usize)| {
            format!("{} as {} at {at}", needle.secret, needle.spelling)
        };
        found.into_iter().map(told).collect()
    }

    fn places_in(&self, bytes: &[u8]) -> Vec<(&Needle, usize)> {
        let mut found = Vec::new();
        for (at, start) in bytes.windows(SHORTEST).enumerate() {
            let start = start.first_chunk::<SHORTEST>().expect("a window");
            let (word, bit) = begin(*start);
            if self.begins[word] & bit == 0 {
                continue;
            }
            for needle in self.by_start.get(start).into_iter().flatten() {
                if bytes[at..].starts_with(&needle.bytes) {
                    found.push((needle, at));
                }
            }
        }
        found
    }

    /// Panics unless every spelling is found where it was planted: a search that finds
    /// nothing must be one that could have.
    pub(crate) fn assert_they_would_be_found(&self) {
        let mut planted = b"something before".to_vec();
        let mut expected = HashSet::new();
        for needle in self.by_start.values().flatten() {
            expected.insert((needle.spelling, needle.secret.clone(), planted.len()));
            planted.extend(&needle.bytes);
            planted.extend(b"|something between|");
        }
        let found: HashSet<_> = self.found_in(&planted).into_iter().collect();
        for (spelling, secret, at) in &expected {
            let wanted = format!("{secret} as {spelling} at {at}");
            assert!(found.contains(&wanted), "not seen: {wanted}");
        }
    }
}

/// The word and the bit of a start. Of its bytes all count: numbers begin with zeros, as
/// most of what is in a file does.
fn begin(start: [u8; SHORTEST]) -> (usize, u64) {
    let mixed = u64::from_be_bytes(start).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let number = usize::try_from(mixed).expect("24 bits");
    (number / 64, 1 << (number % 64))
}

fn texts(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let plain = secret.as_bytes();
    let wide = |order: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(order).collect();
    let hex = |upper: bool| {
        let digits = plain
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let digits = if upper { digits.to_uppercase() } else { digits };
        digits.into_bytes()
    };
    let mut spellings = vec![
        ("text", plain.to_vec()),
        ("UTF-16, little-endian", wide(u16::to_le_bytes)),
        ("UTF-16, big-endian", wide(u16::to_be_bytes)),
        ("hexadecimal", hex(false)),
        ("base 64", base64(plain, 0)),
        ("base 64 after a byte", base64(plain, 1)),
        ("base 64 after two bytes", base64(plain, 2)),
    ];
    if hex(true) != hex(false) {
        spellings.push(("capital hexadecimal", hex(true)));
    }
    spellings
}

fn numbers(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let digits = secret.trim_start_matches('+');
    let number: u64 = digits.parse().expect("a number");
    let each = digits.bytes().map(|digit| digit - b'0').collect();
    let mut spellings = vec![
        ("a digit a byte", each),
        ("a packed code", packed(digits).to_be_bytes().to_vec()),
    ];
    // Smaller ones are mostly zeros, which are everywhere.
    if number >= 1_000_000_000 {
        spellings.push(("a big-endian number", number.to_be_bytes().to_vec()));
        spellings.push(("a little-endian number", number.to_le_bytes().to_vec()));
    }
    spellings
}

/// A code as the core packs it before it is hashed: its length, then its digits in base 36.
pub(crate) fn packed(digits: &str) -> u64 {
    let number = digits.bytes().fold(0_u64, |number, digit| {
        number.wrapping_mul(36) + u64::from(digit - b'0')
    });
    (digits.len() as u64) << 56 | number
}

/// The symbols that only `bytes` decide when so many others stand before them.
fn base64(bytes: &[u8], before: usize) -> Vec<u8> {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut padded = vec![0; before];
    padded.extend(bytes);
    let first = (before * 8).div_ceil(6);
    let symbols = padded.len() * 8 / 6;
    let bit = |n: usize| padded[n / 8] >> (7 - n % 8) & 1;
    let symbol = |n: usize| (0..6).fold(0, |value, at| value << 1 | bit(n * 6 + at));
    (first..symbols)
        .map(|n| SYMBOLS[usize::from(symbol(n))])
        .collect()
}

#[test]
fn base_64_is_what_others_write() {
    // Python's base64: b64encode(b"Xhello world"), b64encode(b"hello world!").
    assert_eq!(base64(b"hello world!", 0), b"aGVsbG8gd29ybGQh");
    assert_eq!(base64(b"hello world", 1), b"hlbGxvIHdvcmxk");
}
