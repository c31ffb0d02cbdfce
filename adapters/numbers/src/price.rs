//! Prices in decimal text, kept as whole millionths.

/// Above it somebody wrote millionths, or forgot the point.
const MOST: u64 = 1_000;
const MICROS: u64 = 1_000_000;
const DECIMALS: usize = 6;

const FORM: &str = "is not a price; write a decimal number such as 0.0521";
const TOO_MUCH: &str = "is above 1000 for one message; write it in the currency's unit";

/// The price of one message in millionths of the currency.
pub(crate) fn price(text: &str) -> Result<u64, &'static str> {
    match micros(text)? {
        price if price <= MOST * MICROS => Ok(price),
        _ => Err(TOO_MUCH),
    }
}

/// Decimal text in millionths of the currency, at most six decimals. No floating-point
/// number is involved, so that a sum of prices is exactly what the operator wrote.
///
/// # Errors
/// What is wrong with it, to be read after the name of a field.
pub fn micros(text: &str) -> Result<u64, &'static str> {
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
    let decimals: u64 = format!("{decimals:0<DECIMALS$}")
        .parse()
        .map_err(|_| FORM)?;
    let whole: u64 = whole.parse().map_err(|_| TOO_MUCH)?;
    let whole = whole.checked_mul(MICROS).ok_or(TOO_MUCH)?;
    whole.checked_add(decimals).ok_or(TOO_MUCH)
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
            assert_eq!(price(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "0,05", " 1", "1 ", "0x1", "NaN", "1.2.3", "٣",
            "$1", "1_000",
        ] {
            assert_eq!(price(text), Err(FORM), "{text:?}");
        }
        assert!(price("0.0000001").is_err_and(|problem| problem.contains("six")));
        for text in ["1000.000001", "1001", "52100", "99999999999999999999999"] {
            assert!(price(text).is_err_and(|problem| problem.contains("1000")));
        }
    }
}
