//! How phone numbers are read: one canonical form, or a refusal.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use countersign::DestinationError::{self, Character, Empty, NotE164, NotOne, TooLong, TrunkZero};
use countersign::{NumberPlan, PhoneNumber};
use countersign_numbers::{Numbers, NumbersConfig};
use proptest::prelude::*;

fn abroad() -> Numbers {
    Numbers::new(&NumbersConfig::new()).unwrap()
}

fn at_home(region: &str) -> Numbers {
    Numbers::new(&NumbersConfig::new().region(region)).unwrap()
}

fn read(numbers: &Numbers, text: &str) -> Result<String, DestinationError> {
    numbers.read(text).map(|number| number.as_str().to_owned())
}

/// Canonical forms, each with spellings that mean it wherever they are read.
const SPELLINGS: &[(&str, &[&str])] = &[
    (
        "+4740612345",
        &[
            "+4740612345",
            "004740612345",
            "+47 406 12 345",
            "+47-406-12-345",
            "+47.406.12.345",
            "(+47) 40612345",
            "+(47) 406 12 345",
            "00 47 406 12 345",
            "tel:+4740612345",
            "TEL:+47-406-12-345",
            "＋４７４０６１２３４５",
            "+٤٧٤٠٦١٢٣٤٥",
            "+४७४०६१२३४५",
            "+47\u{a0}406\u{202f}12\u{2009}345",
            "+47–40612345",
            " +4740612345 ",
        ],
    ),
    (
        "+442079460000",
        &[
            "+442079460000",
            "+44 (0)20 7946 0000",
            "+44(0) 20 7946 0000",
            "+44 (020) 7946 0000",
            "+44 020 7946 0000",
            "0044 (0)20 7946 0000",
            "tel:+44-20-7946-0000",
        ],
    ),
    // Italy dials its zero, but has none before mobiles.
    (
        "+390669812345",
        &["+390669812345", "+39 06 6981 2345", "+39 (0)6 6981 2345"],
    ),
    ("+393471234567", &["+393471234567", "+39 (0)347 1234567"]),
    // Mexico's mobiles had a 1 until 2019.
    (
        "+525512345678",
        &["+525512345678", "+52 1 55 1234 5678", "0052 1 5512345678"],
    ),
    // Argentina's mobiles have a 9 from abroad, a 15 at home.
    (
        "+5491123456789",
        &[
            "+5491123456789",
            "+54 9 11 2345-6789",
            "+54 11 15 2345-6789",
            "+54 (0)11 15 2345 6789",
        ],
    ),
    // Brazil's operator code belongs to a call, not to a number.
    (
        "+5511961234567",
        &[
            "+5511961234567",
            "+55 (11) 96123-4567",
            "+55 0 15 11 961234567",
        ],
    ),
    ("+74951234567", &["+74951234567", "+7 8 495 123 45 67"]),
    ("+3612345678", &["+3612345678", "+36 06 1 234 5678"]),
    (
        "+2250123456789",
        &["+2250123456789", "00225 01 23 45 67 89"],
    ),
];

#[test]
fn a44_every_spelling_of_a_number_is_one() {
    let numbers = abroad();
    for (canonical, spellings) in SPELLINGS {
        for spelling in *spellings {
            assert_eq!(
                read(&numbers, spelling),
                Ok((*canonical).to_owned()),
                "{spelling:?}"
            );
        }
    }
}

#[test]
fn a44_what_is_not_one_number_is_refused() {
    let numbers = abroad();
    let home = at_home("NO");
    for (text, error) in [
        ("+47 40612345x12", Character),
        ("+47 40612345 ext. 12", Character),
        ("+47 40612345#12", Character),
        ("+47 40612345*", Character),
        ("+47 40612345/46", Character),
        ("+1 800 FLOWERS", Character),
        ("tel:+47%2040612345", Character),
        ("sip:+4740612345", Character),
        ("user@example.com", Character),
        ("+4740612345\n", Character),
        ("\u{200b}+4740612345", Character),
        ("+474061234\u{2075}", Character),
        ("+4740612345;ext=12", NotOne),
        ("tel:+4740612345;phone-context=example.com", NotOne),
        ("+4740612345,,12", NotOne),
        ("++4740612345", NotOne),
        ("47+40612345", NotOne),
        ("+47 40612345 +47 40612346", NotOne),
        ("tel:40612345", NotE164),
        ("tel:004740612345", NotE164),
        ("+47 (40612345", NotE164),
        ("+47 40612345)", NotE164),
        ("+47 () 40612345", NotE164),
        ("+", NotE164),
        ("+47", NotE164),
        ("00", NotE164),
        ("+1234567890123456", NotE164),
        ("+0712345678", NotE164),
        ("00004740612345", NotE164),
        // Neither with nor without this zero there is such a number.
        ("+47 (0) 12345678", TrunkZero),
        ("+47 (0) (0) 40612345", TrunkZero),
        ("+4702345678", TrunkZero),
        ("", Empty),
        ("  ", Empty),
        ("tel:", Empty),
        (&format!("+47{}40612345", " ".repeat(300)), TooLong),
    ] {
        assert_eq!(read(&numbers, text), Err(error), "{text:?}");
        assert_eq!(read(&home, text), Err(error), "{text:?} at home");
    }
}

/// Countries, canonical forms, and spellings that mean them in that country.
const AT_HOME: &[(&str, &str, &[&str])] = &[
    (
        "NO",
        "+4740612345",
        &[
            "40612345",
            "406 12 345",
            "4740612345",
            "47 40612345",
            "004740612345",
        ],
    ),
    ("NO", "+46701234567", &["+46701234567", "0046 70 123 45 67"]),
    (
        "GB",
        "+447911123456",
        &[
            "07911 123456",
            "7911123456",
            "447911123456",
            "44 (0)7911 123456",
        ],
    ),
    ("GB", "+442079460000", &["020 7946 0000", "(020) 7946 0000"]),
    (
        "US",
        "+12015550123",
        &[
            "(201) 555-0123",
            "2015550123",
            "1-201-555-0123",
            "+1 201 555 0123",
        ],
    ),
    // The prefix for calls abroad is a country's own.
    ("US", "+4740612345", &["011 47 40612345", "00 47 40612345"]),
    ("AU", "+4740612345", &["0011 47 40612345", "00 47 40612345"]),
    (
        "IT",
        "+390669812345",
        &["06 6981 2345", "0039 06 6981 2345"],
    ),
    ("FR", "+33612345678", &["06 12 34 56 78", "0612345678"]),
    (
        "MX",
        "+525512345678",
        &["55 1234 5678", "52 1 55 1234 5678"],
    ),
    (
        "AR",
        "+5491123456789",
        &["011 15 2345-6789", "11 15 2345-6789"],
    ),
    ("SE", "+46701234567", &["070-123 45 67"]),
];

#[test]
fn a44_national_forms_are_read_at_home_only() {
    for (region, canonical, spellings) in AT_HOME {
        let numbers = at_home(region);
        for spelling in *spellings {
            assert_eq!(
                read(&numbers, spelling),
                Ok((*canonical).to_owned()),
                "{spelling:?}"
            );
            if !spelling.starts_with(['+', '0']) || spelling.starts_with("01") {
                let refused = read(&abroad(), spelling);
                assert!(refused.is_err(), "{spelling:?} abroad: {refused:?}");
            }
        }
    }
}

#[test]
fn a44_a_form_that_two_numbers_share_is_refused() {
    // In Germany 49 is an area's beginning too, and numbers have many lengths.
    let germany = at_home("DE");
    assert_eq!(read(&germany, "4953112345"), Err(NotE164));
    assert_eq!(read(&germany, "+4953112345"), Ok("+4953112345".to_owned()));
    // What no subscriber has is no national form, and has no other meaning either.
    assert_eq!(read(&at_home("NO"), "12345678"), Err(NotE164));
    assert_eq!(read(&at_home("NO"), "112"), Err(NotE164));
    assert_eq!(read(&at_home("NO"), "46701234567"), Err(NotE164));
}

#[test]
fn the_form_of_e164_is_read_even_where_nobody_has_the_number() {
    let numbers = abroad();
    for text in ["+4712345678", "+999123456789", "+1234567"] {
        assert_eq!(read(&numbers, text), Ok(text.to_owned()));
    }
    assert_eq!(
        read(&numbers, "0047 123 45 678"),
        Ok("+4712345678".to_owned())
    );
}

#[test]
fn a44_a_prefix_written_twice_makes_no_second_form() {
    // The library takes one 1 away, and another when it reads the result again.
    let numbers = abroad();
    let once = numbers.read("+1 1 878 365 9269").unwrap();
    assert_eq!(once.as_str(), "+18783659269");
    let twice = numbers.read("+1 1 1 878 365 9269").unwrap();
    assert_eq!(twice.as_str(), "+1118783659269");
    assert!(numbers.facts(&once).valid && !numbers.facts(&twice).valid);
    assert_eq!(read(&numbers, "+44 00 7267 213562"), Err(TrunkZero));
}

#[test]
fn the_same_digits_of_any_script_are_read_as_in_core() {
    let numbers = abroad();
    let mut both = 0;
    for character in '\0'..=char::MAX {
        let text = format!("+4740{character}12345");
        let ours = numbers.read(&text);
        match PhoneNumber::parse(&text) {
            Ok(core) if character.is_alphanumeric() => {
                // Core's table is Unicode 18, the library's an older one.
                if ours.is_ok() {
                    assert_eq!(ours.as_ref(), Ok(&core), "{character:?}");
                    both += 1;
                }
            }
            Ok(_) => assert!(ours.is_ok(), "{character:?}"),
            Err(Character) => assert_eq!(ours, Err(Character), "{character:?}"),
            Err(_) => assert!(ours.is_err(), "{character:?}"),
        }
    }
    assert!(both >= 600, "{both} digits");
}

#[test]
fn a37_no_output_shows_a_number() {
    let numbers = at_home("NO");
    let number = numbers.read("406 12 345").unwrap();
    assert_eq!(format!("{number:?}"), "PhoneNumber(+47••••••45)");
    for text in ["406 12 345x", "406 12 34", "+47 (0) 12345678"] {
        let error = numbers.read(text).unwrap_err();
        let shown = format!("{error} {error:?} {numbers:?}");
        assert!(!shown.contains("406") && !shown.contains("345"), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_panics(text in "\\PC{0,40}") {
        let _ = abroad_once().read(&text);
        let _ = home_once().read(&text);
    }

    #[test]
    fn what_looks_like_a_number_never_panics_and_is_read_the_same_again(
        text in "(tel:)?[+＋]?[0-9٠-٩ ()./-]{0,24}"
    ) {
        for numbers in [abroad_once(), home_once()] {
            if let Ok(number) = numbers.read(&text) {
                let again = numbers.read(number.as_str());
                prop_assert_eq!(again, Ok(number.clone()), "{}", text);
                let facts = numbers.facts(&number);
                prop_assert!(facts.valid || facts.sort.name() == "unknown");
            }
        }
    }

    #[test]
    fn separators_never_change_the_number(digits in "[1-9][0-9]{6,14}", places in prop::collection::vec(0usize..16, 0..5)) {
        let plain = format!("+{digits}");
        let mut spaced = plain.clone();
        for place in places {
            spaced.insert(1 + place.min(spaced.len() - 1), [' ', '-', '.'][place % 3]);
        }
        prop_assert_eq!(abroad_once().read(&plain), abroad_once().read(&spaced));
    }
}

fn abroad_once() -> &'static Numbers {
    static ONCE: std::sync::OnceLock<Numbers> = std::sync::OnceLock::new();
    ONCE.get_or_init(abroad)
}

fn home_once() -> &'static Numbers {
    static ONCE: std::sync::OnceLock<Numbers> = std::sync::OnceLock::new();
    ONCE.get_or_init(|| at_home("GB"))
}
