//! Prices in decimal text, kept as whole millionths.

/// Above it somebody wrote millionths, or forgot the point.
const MOST: u64 = 1_000;
const MICROS: u64 = 1_000_000;
const DECIMALS: usize = 6;

const FORM: &str = "is not a price; write a decimal number such as 0.0521";

/// The price in millionths of the currency. No floating-point number is involved, so
/// that a sum of prices is exactly what the operator wrote.
pub(crate) fn micros(text: &str) -> Result<u64, &'static str> {
    let (whole, decimals) = match text.split_once('.') {
        Some((_, "")) => return Err(FORM),
        Some(parts) => parts,
        None => (text, ""),
    };
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(decimals) {
        return Err(FORM);
    }
    if decimals.len() > DECIMALS {
        return Err("has more than six decimals; round it up");
    }
    let too_much = "is above 1000 for one message; write it in the currency's unit";
    let whole: u64 = whole.parse().map_err(|_| too_much)?;
    let decimals: u64 = format!("{decimals:0<DECIMALS$}")
        .parse()
        .map_err(|_| FORM)?;
    if whole > MOST || (whole == MOST && decimals > 0) {
        return Err(too_much);
    }
    Ok(whole * MICROS + decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_is_read_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("0.0", 0),
            ("1", 1_000_000),
            ("0.0521", 52_100),
            ("0.000001", 1),
            ("0.1", 100_000),
            ("0.3", 300_000),
            ("12.345678", 12_345_678),
            ("007.5", 7_500_000),
            ("999.999999", 999_999_999),
            ("1000", 1_000_000_000),
        ] {
            assert_eq!(micros(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "0,05", " 1", "1 ", "0x1", "NaN", "1.2.3", "٣",
            "$1", "1_000",
        ] {
            assert_eq!(micros(text), Err(FORM), "{text:?}");
        }
        assert!(micros("0.0000001").is_err_and(|problem| problem.contains("six")));
        for text in ["1000.000001", "1001", "52100", "99999999999999999999999"] {
            assert!(micros(text).is_err_and(|problem| problem.contains("1000")));
        }
    }
}
