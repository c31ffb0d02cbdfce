use super::gsm7::{DEFAULT, EXTENSION};
use super::{ESCAPE, Encoding, Segments, Septets, segments, septets};

fn counted(text: &str) -> (Encoding, usize, usize) {
    let Segments {
        encoding,
        units,
        parts,
    } = segments(text);
    (encoding, units, parts)
}

#[test]
fn all_128_septets_and_the_extension_table_are_read_as_they_stand() {
    let mut seen = std::collections::HashSet::new();
    for (place, character) in DEFAULT.into_iter().enumerate() {
        let place = u8::try_from(place).unwrap();
        let expected = (place != ESCAPE).then_some(Septets::One(place));
        assert_eq!(septets(character), expected, "{place:#x}");
        assert!(seen.insert(character), "{character:?} stands twice");
    }
    for (place, character) in EXTENSION {
        assert_eq!(septets(character), Some(Septets::Escaped(place)));
        assert!(seen.insert(character), "{character:?} stands twice");
    }
    assert_eq!(seen.len(), 138);
}

#[test]
fn the_septets_are_those_of_the_standard() {
    // What ASCII and the alphabet have in common stands at the same place.
    let same = (0x20..=0x5a).chain(0x61..=0x7a);
    for ascii in same.filter(|b| !matches!(b, 0x24 | 0x40)) {
        assert_eq!(septets(char::from(ascii)), Some(Septets::One(ascii)));
    }
    for (character, septet) in [
        ('@', 0x00),
        ('£', 0x01),
        ('$', 0x02),
        ('é', 0x05),
        ('Ç', 0x09),
        ('\n', 0x0a),
        ('Ø', 0x0b),
        ('ø', 0x0c),
        ('\r', 0x0d),
        ('Å', 0x0e),
        ('å', 0x0f),
        ('Δ', 0x10),
        ('_', 0x11),
        ('Ξ', 0x1a),
        ('Æ', 0x1c),
        ('æ', 0x1d),
        ('ß', 0x1e),
        ('É', 0x1f),
        ('¤', 0x24),
        ('¡', 0x40),
        ('Ä', 0x5b),
        ('§', 0x5f),
        ('¿', 0x60),
        ('à', 0x7f),
    ] {
        assert_eq!(septets(character), Some(Septets::One(septet)));
    }
    assert_eq!(septets('€'), Some(Septets::Escaped(0x65)));
    assert_eq!(septets('\u{c}'), Some(Septets::Escaped(0x0a)));
}

#[test]
fn every_other_character_makes_it_ucs2() {
    let known = DEFAULT.iter().filter(|c| **c != '\u{1b}').count() + EXTENSION.len();
    let all = ('\0'..=char::MAX).filter(|c| segments(&c.to_string()).encoding == Encoding::Gsm7);
    assert_eq!(all.count(), known);
    for absent in ['ç', '`', '\t', '\u{1b}', '\u{a0}', '’', 'õ', 'Я', '😀'] {
        assert_eq!(segments(&absent.to_string()).encoding, Encoding::Ucs2);
    }
}

#[test]
fn gsm7_has_its_boundaries_at_160_and_153() {
    for (units, parts) in [
        (0, 1),
        (1, 1),
        (153, 1),
        (154, 1),
        (160, 1),
        (161, 2),
        (306, 2),
        (307, 3),
        (459, 3),
        (460, 4),
    ] {
        assert_eq!(counted(&"a".repeat(units)), (Encoding::Gsm7, units, parts));
    }
}

#[test]
fn ucs2_has_its_boundaries_at_70_and_67() {
    for (units, parts) in [
        (1, 1),
        (67, 1),
        (68, 1),
        (70, 1),
        (71, 2),
        (134, 2),
        (135, 3),
        (201, 3),
        (202, 4),
    ] {
        assert_eq!(counted(&"я".repeat(units)), (Encoding::Ucs2, units, parts));
    }
}

#[test]
fn the_euro_sign_counts_twice_and_is_never_cut() {
    assert_eq!(counted(&"€".repeat(80)), (Encoding::Gsm7, 160, 1));
    assert_eq!(counted(&"€".repeat(81)), (Encoding::Gsm7, 162, 2));
    // 152 + 2: the pair would lie across the boundary of the first part.
    let text = format!("{}€{}", "a".repeat(152), "b".repeat(152));
    assert_eq!(counted(&text), (Encoding::Gsm7, 306, 3));
}

#[test]
fn surrogates_count_twice_and_are_never_cut() {
    assert_eq!(counted(&"😀".repeat(35)), (Encoding::Ucs2, 70, 1));
    assert_eq!(counted(&"😀".repeat(36)), (Encoding::Ucs2, 72, 2));
    let text = format!("{}😀{}", "я".repeat(66), "ю".repeat(10));
    assert_eq!(counted(&text), (Encoding::Ucs2, 78, 2));
}
