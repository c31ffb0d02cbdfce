//! What a dry run would have done, told to whoever counts it.

use std::fmt;

use crate::error::LimitName;

/// Hears of what limits in [`Mode::Report`](crate::Mode::Report) would have refused.
///
/// It is called on the way of a send, so it should count or log, and not wait.
pub trait Observer: Send + Sync + fmt::Debug {
    /// `limit` would have refused a message to a number of `prefix` (as the number plan
    /// told it: none of one person). Called once a message and limit.
    fn would_refuse(&self, limit: LimitName, prefix: Option<&str>);
}
