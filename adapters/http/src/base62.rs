//! Numbers in base 62 (`0-9A-Za-z`), big-endian and of fixed width: one text each.

const SYMBOLS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// No symbol.
const NONE: u8 = u8::MAX;

/// What each byte stands for: a table, so that no branch hangs on what a key says.
const VALUES: [u8; 256] = {
    let (mut values, mut value) = ([NONE; 256], 0u8);
    while value < 62 {
        values[SYMBOLS[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Appends `bytes` as `width` symbols. The width must hold them: 11 for 8 bytes, 3 for
/// 2, 43 for 32, 6 for 4.
pub(crate) fn push(text: &mut String, bytes: &[u8], width: usize) {
    let mut number = zeroize::Zeroizing::new(bytes.to_vec());
    let mut symbols = zeroize::Zeroizing::new(vec![b'0'; width]);
    for symbol in symbols.iter_mut().rev() {
        let mut rest = 0u32;
        for byte in number.iter_mut() {
            let value = rest << 8 | u32::from(*byte);
            // The rest is below 62, so the quotient is below 256.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *symbol = SYMBOLS[rest as usize];
    }
    text.extend(symbols.iter().map(|symbol| char::from(*symbol)));
}

/// The `N` bytes that `text` stands for; none unless `push` could have written it.
pub(crate) fn read<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut number = [0u8; N];
    for symbol in text {
        let value = VALUES[usize::from(*symbol)];
        if value == NONE {
            return None;
        }
        let mut carry = u32::from(value);
        for byte in number.iter_mut().rev() {
            let value = u32::from(*byte) * 62 + carry;
            *byte = (value & 0xff) as u8;
            carry = value >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8], width: usize) -> String {
        let mut text = String::new();
        push(&mut text, bytes, width);
        text
    }

    #[test]
    fn every_number_has_one_text() {
        assert_eq!(written(&[0; 8], 11), "00000000000");
        assert_eq!(written(&[0, 61], 3), "00z");
        assert_eq!(written(&[0, 62], 3), "010");
        for bytes in [[0u8; 8], [255; 8], *b"\0\x01\x02\x03\xfe\xfd\x80\x7f"] {
            let text = written(&bytes, 11);
            assert_eq!(text.len(), 11);
            assert_eq!(read::<8>(text.as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn the_widths_in_use_hold_the_largest_numbers() {
        assert_eq!(
            read::<32>(written(&[255; 32], 43).as_bytes()),
            Some([255; 32])
        );
        assert_eq!(read::<4>(written(&[255; 4], 6).as_bytes()), Some([255; 4]));
        assert_eq!(read::<2>(written(&[255; 2], 3).as_bytes()), Some([255; 2]));
    }

    #[test]
    fn what_is_too_large_or_no_symbol_is_refused() {
        assert_eq!(read::<8>(b"zzzzzzzzzzz"), None);
        assert_eq!(read::<2>(b"0-0"), None);
    }
}
