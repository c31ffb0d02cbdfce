//! The login's secret.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password.
///
/// Withheld on purpose: `Display`, `Clone`, `PartialEq` and `Deref`, so that it is not
/// printed or copied by accident. It is wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Password(String);

impl Password {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text in clear: for the login alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
