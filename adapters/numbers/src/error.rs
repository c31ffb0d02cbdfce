//! Why a configuration cannot be used.

use thiserror::Error;

/// Why a configuration cannot be used, with the field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NumbersConfigError {
    /// Not a country with phone numbers.
    #[error(
        "{field}: `{country}` is not a country with phone numbers; write its ISO 3166 code of two \
         capital letters, as `NO` or `GB`"
    )]
    Country {
        /// The field: `numbers.region`, `sms.countries` or a price's.
        field: String,
        /// What stands there.
        country: String,
    },
    /// Something for a channel that has no numbers.
    #[error("{field}: `{channel}` has no phone numbers; name `sms` or `voice`")]
    Channel {
        /// The field.
        field: &'static str,
        /// The channel's name.
        channel: &'static str,
    },
    /// Not a price.
    #[error("{field}: {problem}")]
    Price {
        /// The field, as `prices.sms.NO.twilio`.
        field: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// One price was given twice.
    #[error("{field}: is given twice; remove one")]
    PriceTwice {
        /// The field, as `prices.sms.NO.twilio`.
        field: String,
    },
    /// The compiled-in metadata cannot be read: a broken build.
    #[error("the metadata of phone numbers cannot be read; build the program anew")]
    Metadata,
}
