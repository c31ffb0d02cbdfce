//! Secrets towards providers.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password, token or key.
///
/// Withheld on purpose: `Display`, `Clone`, `PartialEq` and `Deref`, so that it is not
/// printed or copied by accident. It is wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Credential(String);

impl Credential {
    /// Takes the text; nothing of it is trimmed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text in clear: for the request or the signature alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Credential;

    #[test]
    fn a37_a_credential_does_not_show_in_debug() {
        let text = format!("{:?}", Credential::new("918273"));
        assert_eq!(text, "Credential(…)");
    }
}
