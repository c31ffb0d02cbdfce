//! The name that opens every subject: short, plain, and never a link.

use crate::error::BrandError;

/// Longer ones push the code out of the preview of a subject, and out of one short
/// message, which has room for 70 such units where one letter is outside of GSM-7.
const MAX_UTF16_UNITS: usize = 32;

/// Checks a brand and trims the spaces around it.
pub(crate) fn valid(brand: &str) -> Result<&str, BrandError> {
    if brand.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(BrandError::Character);
    }
    let brand = brand.trim();
    if brand.is_empty() {
        return Err(BrandError::Empty);
    }
    if brand.encode_utf16().count() > MAX_UTF16_UNITS {
        return Err(BrandError::TooLong);
    }
    if looks_like_a_link(brand) {
        return Err(BrandError::Link);
    }
    Ok(brand)
}

/// Line and paragraph separators, and the marks that turn the direction of text or
/// take no room: with them a brand could show a code in another order.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Mail clients make links of `https://…`, `www.…`, `a@b` and `name.tld`, so that
/// whoever may choose a brand could place one in our mail.
fn looks_like_a_link(brand: &str) -> bool {
    let lower = brand.to_lowercase();
    if ["://", "www.", "@", "mailto:", "http:", "https:"]
        .iter()
        .any(|mark| lower.contains(mark))
    {
        return true;
    }
    let mut parts = lower.split('.');
    let mut before = parts.next().unwrap_or_default();
    for after in parts {
        let joined = before
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        let letters = after.chars().take_while(|c| c.is_alphanumeric()).count();
        if joined && letters >= 2 && after.starts_with(char::is_alphabetic) {
            return true;
        }
        before = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::valid;
    use crate::error::BrandError;

    #[test]
    fn plain_names_pass() {
        for brand in [
            "Example",
            "Ørsted & Sønn",
            "J.P. Example",
            "St. Olav",
            "متجر",
            "24.7",
            "<b>",
        ] {
            assert_eq!(valid(brand), Ok(brand));
        }
        assert_eq!(valid("  Example "), Ok("Example"));
    }

    #[test]
    fn a39_a_brand_with_a_line_break_or_control_is_refused() {
        for brand in [
            "Example\r\nBcc: a",
            "Example\n",
            "\rExample",
            "Exa\u{2028}mple",
            "Exa\u{2029}mple",
            "Exa\u{85}mple",
            "Exa\0mple",
            "Exa\u{202e}mple",
            "Exa\u{2066}mple",
            "Exa\tmple",
        ] {
            assert_eq!(valid(brand), Err(BrandError::Character), "{brand:?}");
        }
    }

    #[test]
    fn a41_a_brand_that_becomes_a_link_is_refused() {
        for brand in [
            "https://a",
            "www.a",
            "example.com",
            "Pay at evil.example",
            "a@b",
            "MAILTO:x",
        ] {
            assert_eq!(valid(brand), Err(BrandError::Link), "{brand:?}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(valid(&"م".repeat(32)), Ok("م".repeat(32).as_str()));
        assert_eq!(valid(&"م".repeat(33)), Err(BrandError::TooLong));
        // An emoji takes the room of two in an SMS.
        assert_eq!(valid(&"😀".repeat(16)), Ok("😀".repeat(16).as_str()));
        assert_eq!(valid(&"😀".repeat(17)), Err(BrandError::TooLong));
        assert_eq!(valid(" "), Err(BrandError::Empty));
    }
}
