//! What people type, and what is read of it.

use crate::code::{Code, CodeForm, Guess};
use crate::error::InvalidCode;

/// What was read, written out again from its number in base 36.
fn read(typed: &str) -> Result<String, InvalidCode> {
    let guess = Guess::parse(typed)?;
    let digit = |place: u32| {
        let value = (guess.packed() & ((1 << 56) - 1)) / 36u64.pow(place) % 36;
        let digit = char::from_digit(u32::try_from(value).unwrap(), 36);
        digit.unwrap().to_ascii_uppercase()
    };
    let places = 0..u32::from(guess.length());
    Ok(places.rev().map(digit).collect())
}

#[test]
fn a24_nothing_is_no_guess() {
    for typed in [
        "", " ", "   ", "-", "\n", "\u{a0}", "null", "NaN", "true", "{}", "[]", "0", "123",
    ] {
        assert!(read(typed).is_err(), "{typed:?}");
    }
}

#[test]
fn a27_a_guess_of_ten_megabytes_is_refused_at_its_33rd_character() {
    let full = format!("{}123456", " ".repeat(26));
    assert_eq!(read(&full), Ok("123456".to_owned()));
    assert_eq!(read(&format!(" {full}")), Err(InvalidCode::Length));
    assert_eq!(read(&"7".repeat(10 << 20)), Err(InvalidCode::Length));
    // Refused for its length: what is no letter of any code is never reached.
    assert_eq!(
        read(&(" ".repeat(10 << 20) + "!")),
        Err(InvalidCode::Length)
    );
}

#[test]
fn a28_digits_of_every_script_are_digits() {
    for typed in [
        "٠١٢٣٤٥",
        "۰۱۲۳۴۵",
        "０１２３４５",
        "०१२३४५",
        "𝟎𝟏𝟐𝟑𝟒𝟓",
        "๐๑๒๓๔๕",
        "0١۲３४๕",
    ] {
        assert_eq!(read(typed), Ok("012345".to_owned()), "{typed}");
    }
    assert_eq!(read("۰۱۲\u{a0}۳۴۵"), Ok("012345".to_owned()));
}

#[test]
fn a28_what_is_no_decimal_digit_is_refused() {
    for typed in [
        "12345\u{200b}6",
        "\u{200f}123456",
        "\u{202e}123456",
        "\u{feff}123456",
        "12345⁶",
        "¹²³⁴⁵⁶",
        "ⅠⅡⅢⅣⅤⅥ",
        "①②③④⑤⑥",
        "一二三四五六",
        "123456½",
        "ＡＣＤＥＦＧ",
        "АСЕНКМ",
        "12345\0",
        "123.456",
        "123_456",
        "+123456",
        "0x1234",
        "1e5000",
        "\u{661}\u{300}23456",
    ] {
        assert_eq!(read(typed), Err(InvalidCode::Alphabet), "{typed:?}");
    }
}

#[test]
fn a29_spaces_hyphens_and_line_ends_are_left_out() {
    for typed in [
        "123456",
        "123 456",
        "123-456",
        "12-34-56",
        " 123456 ",
        "123456\n",
        "123456\r\n",
        "\t123456",
        "123\u{a0}456",
        "123\u{202f}456",
        "123\u{2009}456",
        "123\u{2011}456",
        "123–456",
        "123—456",
        "123−456",
        "１２３－４５６",
        "1 2 3 4 5 6",
    ] {
        assert_eq!(read(typed), Ok("123456".to_owned()), "{typed:?}");
    }
    for (typed, length) in [("123 45", 5), ("123 456 7", 7)] {
        let guess = Guess::parse(typed).unwrap();
        assert_eq!(guess.length(), length);
        assert!(!guess.fit().fits(CodeForm::SIX_DIGITS));
    }
}

#[test]
fn a30_a_code_without_its_leading_zero_is_another() {
    let code = Code::from_custom("012345").unwrap();
    for typed in ["12345", "0012345", "12345 ", "1234 5"] {
        let guess = Guess::parse(typed).unwrap();
        assert_ne!(guess.packed(), code.packed(), "{typed}");
        assert!(!guess.fit().fits(code.form()), "{typed}");
    }
    assert_eq!(Guess::parse("012345").unwrap().packed(), code.packed());
}

#[test]
fn letters_are_read_in_either_case() {
    assert_eq!(read("acde-fghj"), Ok("ACDEFGHJ".to_owned()));
    // A letter that looks like one of the alphabet, or a digit that it lacks.
    for typed in ["ACDEFGO", "ACDEFG0", "0123A5", "IIIIII", "12345l"] {
        assert_eq!(read(typed), Err(InvalidCode::Alphabet), "{typed}");
    }
}

#[test]
fn a_guess_tells_which_codes_it_could_be() {
    for (typed, digits, alphanumeric) in [
        ("3467", true, true),
        ("0123", true, false),
        ("AC34", false, true),
    ] {
        let fit = Guess::parse(typed).unwrap().fit();
        assert_eq!(
            (fit.length, fit.digits, fit.alphanumeric),
            (4, digits, alphanumeric)
        );
    }
}

#[test]
fn a_guess_of_digits_could_be_of_letters_too_if_each_digit_could() {
    for digit in '0'..='9' {
        let typed: String = std::iter::repeat_n(digit, 5).chain(['3']).collect();
        let fit = Guess::parse(&typed).unwrap().fit();
        let both = "34679".contains(digit);
        assert_eq!((fit.digits, fit.alphanumeric), (true, both), "{typed}");
    }
}
