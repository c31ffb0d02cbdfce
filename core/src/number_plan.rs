//! What is known about phone numbers: how they are written, which are served, at what price.

use std::fmt;

use thiserror::Error;

use crate::destination::{Channel, DestinationError, PhoneNumber};

/// Knows numbers, countries and prices, which this crate does not.
///
/// Without one a number is any E.164, every number is served, and a message costs
/// nothing that is counted.
pub trait NumberPlan: Send + Sync + fmt::Debug {
    /// Reads one phone number into the one form by which it is counted and called.
    ///
    /// # Errors
    /// [`DestinationError`] for anything else, and for what could be read in two ways.
    fn read(&self, text: &str) -> Result<PhoneNumber, DestinationError> {
        PhoneNumber::parse(text)
    }

    /// Whether messages to `number` are wanted at all, and what one costs.
    ///
    /// # Errors
    /// [`Unserved`] when nothing may be sent there.
    fn serve(&self, channel: Channel, number: &PhoneNumber) -> Result<Served, Unserved>;
}

/// A number to which messages may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// What numbers are counted by together, as `+4790`: country code and the digits
    /// that tell an operator's or a sort of line's range. At most 15 bytes, none of one person.
    pub prefix: String,
    /// What one message costs at most, in millionths of the deployment's currency.
    pub price_micros: u64,
}

impl Served {
    /// A number of this prefix, at this price in millionths of the currency.
    #[must_use]
    pub fn new(prefix: impl Into<String>, price_micros: u64) -> Self {
        Self {
            prefix: prefix.into(),
            price_micros,
        }
    }
}

/// Why nothing is sent to a number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unserved {
    /// In E.164's form, and nobody's number.
    #[error("no subscriber can have this number")]
    Invalid,
    /// Its country is not listed.
    #[error("country {0} is not served: it is not listed in the configuration")]
    Country(String),
    /// Calls and messages to such lines cost whoever makes them, or cannot arrive.
    #[error("{0} numbers are not served")]
    Sort(&'static str),
    /// A provider of the channel has no price for it, so that what a message costs at most
    /// is not known: any of them may be the one that takes it.
    #[error("country {0} lacks the price of a provider in the configuration")]
    NoPrice(String),
}
