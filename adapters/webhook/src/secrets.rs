//! The secrets that both sides know.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac::{HMAC_SHA256, Key};
use zeroize::Zeroizing;

/// Libraries write the padding or leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One or more secrets, the newest first: all of them sign, and each of them verifies.
///
/// Withheld on purpose: a `Debug` that shows them, and `PartialEq`.
#[derive(Clone)]
pub(crate) struct Secrets(Arc<[Key]>);

impl Secrets {
    /// The secrets of these texts; none if one is not `whsec_` and base64 of 24 to 64 bytes
    /// (Standard Webhooks, "Signature scheme").
    pub(crate) fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let keys: Option<Vec<Key>> = texts.map(key).collect();
        Some(Self(keys?.into()))
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.0
    }
}

fn key(text: &str) -> Option<Key> {
    let encoded = text.strip_prefix("whsec_")?;
    let bytes = Zeroizing::new(BASE64.decode(encoded).ok()?);
    (24..=64)
        .contains(&bytes.len())
        .then(|| Key::new(HMAC_SHA256, &bytes))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    /// 24 bytes.
    const SHORTEST: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

    #[test]
    fn a_secret_has_the_form_of_the_specification() {
        let longest = format!("whsec_{}=", "AAAA".repeat(21) + "AAA");
        let unpadded = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk";
        let padded = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=";
        for text in [SHORTEST, unpadded, padded] {
            assert!(Secrets::read([text].into_iter()).is_some(), "{text}");
        }
        let too_short = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY=";
        for text in [
            "",
            "whsec_",
            &SHORTEST[6..],
            too_short,
            "whsec_!!!!",
            &longest,
        ] {
            assert!(Secrets::read([text].into_iter()).is_none(), "{text}");
        }
        // One bad secret is not hidden by a good one.
        assert!(Secrets::read([SHORTEST, "x"].into_iter()).is_none());
    }

    #[test]
    fn a37_secrets_do_not_show_in_debug() {
        let secrets = Secrets::read([SHORTEST].into_iter());
        assert_eq!(format!("{secrets:?}"), "Some(Secrets(1))");
    }
}
