//! A text in parts, in the octets of its alphabet.

use zeroize::Zeroizing;

use super::gsm7::{ESCAPE, Septets, septets};
use super::{Encoding, encoding, segments, width};

/// A text ready to be carried: it may hold a code, so its octets are wiped on drop.
pub(crate) struct Parts {
    pub(crate) encoding: Encoding,
    /// At least one; several need the header that tells their order.
    pub(crate) octets: Vec<Zeroizing<Vec<u8>>>,
}

/// Cuts a text into as many parts as [`segments`] counts. A septet has an octet of its
/// own, as SMPP carries the default alphabet; UCS-2 is big-endian.
pub(crate) fn split(text: &str) -> Parts {
    let encoding = encoding(text);
    let longest = match segments(text).parts {
        1 => encoding.alone(),
        _ => encoding.of_several(),
    };
    let (mut octets, mut last, mut in_last) = (Vec::new(), part(), 0);
    for character in text.chars() {
        let width = width(encoding, character);
        if in_last + width > longest {
            octets.push(std::mem::replace(&mut last, part()));
            in_last = 0;
        }
        in_last += width;
        push(encoding, character, &mut last);
    }
    octets.push(last);
    Parts { encoding, octets }
}

/// Room for the longest part, so that no half-filled copy is left behind unwiped.
fn part() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(160))
}

fn push(encoding: Encoding, character: char, octets: &mut Vec<u8>) {
    match encoding {
        Encoding::Gsm7 => match septets(character) {
            Some(Septets::One(septet)) => octets.push(septet),
            Some(Septets::Escaped(septet)) => octets.extend([ESCAPE, septet]),
            // Not reached: the alphabet was chosen because it has every character.
            None => {}
        },
        Encoding::Ucs2 => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                octets.extend(unit.to_be_bytes());
            }
        }
    }
}
