//! The signature of the SMS API ("Signing messages"), by HMAC-SHA256.

use ring::hmac::{self, Key};

use crate::hex;

/// The signature of parameters, in hexadecimal digits.
pub(super) fn of<N: AsRef<str>, V: AsRef<str>>(key: &Key, parameters: &[(N, V)]) -> String {
    hex::encode(hmac::sign(key, signed(parameters).as_bytes()).as_ref())
}

/// Whether `signature`, in hexadecimal digits of either case, is that of the parameters.
/// Compared in constant time.
pub(super) fn is_valid<N: AsRef<str>, V: AsRef<str>>(
    key: &Key,
    parameters: &[(N, V)],
    signature: &str,
) -> bool {
    let Some(given) = hex::decode(signature) else {
        return false;
    };
    hmac::verify(key, signed(parameters).as_bytes(), &given).is_ok()
}

/// `&name=value` of each in the order of names, with what divides them replaced in values.
fn signed<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> String {
    let mut sorted: Vec<_> = parameters
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    sorted.sort_unstable();
    let mut text = String::new();
    for (name, value) in sorted {
        text.push('&');
        text.push_str(name);
        text.push('=');
        text.push_str(&value.replace(['&', '='], "_"));
    }
    text
}

#[cfg(test)]
mod tests {
    use ring::hmac::HMAC_SHA256;

    use super::*;

    fn key() -> Key {
        Key::new(HMAC_SHA256, b"my-signature-secret")
    }

    #[test]
    fn parameters_are_sorted_and_what_divides_them_is_replaced() {
        let unsorted = [("to", "2"), ("from", "a&b=c"), ("a", "ø")];
        assert_eq!(signed(&unsorted), "&a=ø&from=a_b_c&to=2");
    }

    #[test]
    fn a_signature_is_hexadecimal_in_either_case_and_whole() {
        let parameters = [("b", "2"), ("a", "1")];
        let right = of(&key(), &parameters);
        assert_eq!(right.len(), 64);
        assert!(is_valid(&key(), &parameters, &right));
        assert!(is_valid(&key(), &parameters, &right.to_uppercase()));
        let mut flipped = right.clone();
        let other = if right.starts_with('0') { "1" } else { "0" };
        flipped.replace_range(..1, other);
        for wrong in [
            "",
            "zz",
            &right[..62],
            &right[..63],
            &flipped,
            &format!("{right}00"),
        ] {
            assert!(!is_valid(&key(), &parameters, wrong), "{wrong}");
        }
        assert!(!is_valid(&key(), &[("b", "2"), ("a", "2")], &right));
        let other = Key::new(HMAC_SHA256, b"other");
        assert!(!is_valid(&other, &parameters, &right));
    }
}
