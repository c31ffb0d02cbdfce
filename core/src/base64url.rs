//! The alphabet of ids and tokens: base64url (RFC 4648, section 5) without padding, read
//! strictly, so that one value has one text.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The symbols of `bytes`: four for each three, the last one padded with zero bits.
pub(crate) fn encode<const BYTES: usize, const SYMBOLS: usize>(
    bytes: &[u8; BYTES],
) -> [u8; SYMBOLS] {
    const { assert!(SYMBOLS == symbols(BYTES)) };
    let mut text = [0u8; SYMBOLS];
    for (n, symbol) in text.iter_mut().enumerate() {
        *symbol = ALPHABET[usize::from(six_bits(bytes, n))];
    }
    text
}

/// The bytes of `text`; none unless it is exactly what [`encode`] gives.
pub(crate) fn decode<const BYTES: usize, const SYMBOLS: usize>(text: &[u8]) -> Option<[u8; BYTES]> {
    const { assert!(SYMBOLS == symbols(BYTES)) };
    let text: &[u8; SYMBOLS] = text.try_into().ok()?;
    let mut bytes = [0u8; BYTES];
    let (fours, rest) = text.as_chunks::<4>();
    let (threes, last) = bytes.as_chunks_mut::<3>();
    let mut seen = 0;
    for (four, three) in fours.iter().zip(threes) {
        let bits = bits_of(*four);
        seen |= bits;
        three.copy_from_slice(&bits.to_be_bytes()[1..]);
    }
    // Two or three symbols for one or two bytes; what is over must be zero.
    let mut four = [ALPHABET[0]; 4];
    four[..rest.len()].copy_from_slice(rest);
    let bits = bits_of(four);
    let over = bits & 0xff_ffff >> (8 * last.len());
    last.copy_from_slice(&bits.to_be_bytes()[1..=last.len()]);
    ((seen | bits) & NO_SYMBOL == 0 && over == 0).then_some(bytes)
}

const fn symbols(bytes: usize) -> usize {
    (bytes * 8).div_ceil(6)
}

/// The n-th group of six bits, those beyond the end zero.
fn six_bits(bytes: &[u8], n: usize) -> u8 {
    let bit = n * 6;
    let high = u16::from(bytes[bit / 8]) << 8;
    let low = bytes.get(bit / 8 + 1).map_or(0, |byte| u16::from(*byte));
    ((high | low) >> (10 - bit % 8) & 0x3f) as u8
}

/// The 24 bits of four symbols, or more than these where one is none.
fn bits_of(four: [u8; 4]) -> u32 {
    let value = |place: usize| PLACED[place][usize::from(four[place])];
    value(0) | value(1) | value(2) | value(3)
}

/// A bit beyond all that four symbols have.
const NO_SYMBOL: u32 = 1 << 24;

/// The value of each symbol at each of four places: looked up without a branch or a shift.
static PLACED: [[u32; 256]; 4] = {
    let mut placed = [[NO_SYMBOL; 256]; 4];
    let mut value = 0;
    while value < 64 {
        let symbol = ALPHABET[value as usize] as usize;
        let mut place = 0;
        while place < 4 {
            placed[place][symbol] = value << (18 - 6 * place);
            place += 1;
        }
        value += 1;
    }
    placed
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `base64.urlsafe_b64encode`.
    #[test]
    fn texts_are_known() {
        assert_eq!(&encode::<3, 4>(&[0xfb, 0xff, 0xfe]), b"-__-");
        assert_eq!(&encode::<2, 3>(&[0x00, 0x01]), b"AAE");
        assert_eq!(&encode::<1, 2>(&[0xff]), b"_w");
        assert_eq!(decode::<3, 4>(b"-__-"), Some([0xfb, 0xff, 0xfe]));
        assert_eq!(decode::<2, 3>(b"AAE"), Some([0x00, 0x01]));
    }

    #[test]
    fn one_value_has_one_text() {
        assert_eq!(decode::<1, 2>(b"_w"), Some([0xff]));
        for text in [&b"_x"[..], b"_", b"_w=", b"_w ", b"", b"+w", b"/w"] {
            assert_eq!(decode::<1, 2>(text), None, "{text:?}");
        }
    }

    #[test]
    fn no_symbol_of_another_alphabet_is_read_wherever_it_stands_and_however_many_they_are() {
        for one in 0..7 {
            for other in 0..7 {
                let mut text = *b"AAAAAAA";
                assert_eq!(decode::<5, 7>(&text), Some([0; 5]));
                (text[one], text[other]) = (b'+', b'+');
                assert_eq!(decode::<5, 7>(&text), None, "{one} {other}");
            }
        }
    }
}
