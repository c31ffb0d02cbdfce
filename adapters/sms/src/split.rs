//! A text in parts, in the octets of its alphabet.

use countersign_messages::segments::{ESCAPE, Encoding, Septets, segments, septets};
use zeroize::Zeroizing;

/// A text ready to be carried: it may hold a code, so its octets are wiped on drop.
pub(crate) struct Parts {
    pub(crate) encoding: Encoding,
    /// At least one; several need the header that tells their order.
    pub(crate) octets: Vec<Zeroizing<Vec<u8>>>,
}

/// Cuts a text into as many parts as [`segments`] counts. A septet has an octet of its
/// own, as SMPP carries the default alphabet; UCS-2 is big-endian.
pub(crate) fn split(text: &str) -> Parts {
    let encoding = Encoding::of(text);
    let longest = match segments(text).parts {
        1 => encoding.alone(),
        _ => encoding.of_several(),
    };
    let (mut octets, mut last, mut in_last) = (Vec::new(), part(), 0);
    for character in text.chars() {
        let width = encoding.width(character);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_into_as_many_parts_as_are_counted() {
        for (unit, alone, of_several) in [
            ("a", 160, 153),
            ("€", 80, 76),
            ("я", 70, 67),
            ("😀", 35, 33),
        ] {
            for (units, parts) in [
                (0, 1),
                (alone, 1),
                (alone + 1, 2),
                (2 * of_several, 2),
                (2 * of_several + 1, 3),
                (3 * of_several, 3),
                (3 * of_several + 1, 4),
            ] {
                let text = unit.repeat(units);
                assert_eq!(split(&text).octets.len(), parts, "{units} of {unit}");
                assert_eq!(segments(&text).parts, parts, "{units} of {unit}");
            }
        }
    }

    #[test]
    fn a_pair_of_units_is_never_cut() {
        // 152 + 2: the pair would lie across the boundary of the first part.
        let euro = split(&format!("{}€{}", "a".repeat(152), "b".repeat(152))).octets;
        let lengths: Vec<_> = euro.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [152, 153, 1]);
        assert_eq!(euro[1][..2], [ESCAPE, 0x65]);
        let smile = split(&format!("{}😀{}", "я".repeat(66), "ю".repeat(10))).octets;
        let lengths: Vec<_> = smile.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [132, 24]);
        assert_eq!(smile[1][..4], [0xd8, 0x3d, 0xde, 0x00]);
    }

    #[test]
    fn the_parts_together_are_the_text() {
        let texts = [
            String::new(),
            ('\0'..='\u{2fff}')
                .filter(|c| septets(*c).is_some())
                .collect(),
            "{[€]}".repeat(77),
            "Код 123456 😀".repeat(23),
        ];
        for text in texts {
            let parts = split(&text);
            let mut read = String::new();
            for part in &parts.octets {
                read += &decoded(parts.encoding, part);
            }
            assert_eq!(read, text);
            assert_eq!(parts.octets.len(), segments(&text).parts);
        }
    }

    /// Each part alone must be readable: nothing is cut in two.
    fn decoded(encoding: Encoding, part: &[u8]) -> String {
        if encoding == Encoding::Ucs2 {
            let units = part
                .chunks(2)
                .map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            return String::from_utf16(&units.collect::<Vec<_>>()).unwrap();
        }
        let mut octets = part.iter();
        let mut text = String::new();
        while let Some(octet) = octets.next() {
            text.push(if *octet == ESCAPE {
                let escaped = octets.next().expect("the escape does not end a part");
                character(Septets::Escaped(*escaped))
            } else {
                character(Septets::One(*octet))
            });
        }
        text
    }

    fn character(place: Septets) -> char {
        let has = |c: &char| septets(*c) == Some(place);
        ('\0'..=char::MAX)
            .find(has)
            .expect("a place of the alphabet")
    }
}
