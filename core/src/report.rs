//! Delivery reports: what a provider says later about a message it took.

use std::fmt;

use thiserror::Error;

use crate::record::DeliveryOutcome;

/// What became of one message.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "readers build it, and must give both"
)]
pub struct Report {
    /// The message's [`report_token`](crate::Message::report_token), as the provider gave
    /// it back. Anybody may have made it up until it is opened.
    pub token: String,
    /// What became of it.
    pub outcome: DeliveryOutcome,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// A provider's request to our callback address.
#[derive(Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by whoever serves HTTP"
)]
pub struct Callback<'a> {
    /// The whole address as the provider knows it, query included.
    pub url: &'a str,
    /// Its headers: lower-case names, and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// Its body, as it came.
    pub body: &'a [u8],
}

impl Callback<'_> {
    /// The first header of this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }
}

impl fmt::Debug for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

/// The signature is missing, wrong or too old: nothing of the callback is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the callback has no valid signature")]
#[non_exhaustive]
pub struct Unsigned;

impl Unsigned {
    /// The refusal.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Default for Unsigned {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads one provider's callbacks.
pub trait ReportReader: Send + Sync + fmt::Debug {
    /// What a callback says; none if it says nothing final.
    ///
    /// `now` in seconds since the epoch bounds the age of signatures that carry a time.
    ///
    /// # Errors
    /// [`Unsigned`] unless the provider's signature is right, compared in constant time.
    fn read(&self, callback: &Callback<'_>, now: u64) -> Result<Option<Report>, Unsigned>;
}
