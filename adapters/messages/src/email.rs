//! A rendered email.

use std::fmt;

/// The three texts of an email, ready to be encoded.
///
/// They hold the code in clear, so `Debug` shows none of them.
#[non_exhaustive]
pub struct Email {
    /// One line; begins with brand and code.
    pub subject: String,
    /// The plain text, lines ended by `\n`.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").finish_non_exhaustive()
    }
}
