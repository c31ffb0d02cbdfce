//! Phone numbers: how they are written, which are served, and at what price.
//!
//! [`Numbers`] is a [`NumberPlan`](countersign::NumberPlan) over the metadata of
//! libphonenumber. The metadata is compiled in: nothing is read from a disk or a network.
//!
//! ```
//! use countersign::{Channel, NumberPlan, Unserved};
//! use countersign_numbers::{Numbers, NumbersConfig};
//!
//! let numbers = Numbers::new(
//!     &NumbersConfig::new()
//!         .region("NO")
//!         .countries(Channel::Sms, ["NO", "SE"])
//!         .price(Channel::Sms, "NO", "twilio", "0.0521"),
//! )?;
//! let mobile = numbers.read("406 12 345")?;
//! assert_eq!(mobile.as_str(), "+4740612345");
//! assert_eq!(numbers.serve(Channel::Sms, &mobile)?.price_micros, 52_100);
//!
//! let fixed = numbers.read("0047 21 23 45 67")?;
//! assert_eq!(numbers.serve(Channel::Sms, &fixed), Err(Unserved::Sort("fixed-line")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is served
//! Nothing by default: each channel has its list of countries, and none listed means that
//! none is allowed. Territories with a code of their own are countries of their own: `GB`
//! is without Jersey and Guernsey, `US` without the other 24 countries of `+1`. Where the
//! digits do not tell two territories apart, the number counts as the larger one's: the
//! mobiles of Svalbard as `NO`, of Åland as `FI`, of the Isle of Man in part as `GB`. Of a
//! listed country, mobile numbers are served, for voice the fixed lines too; see [`Sort`]
//! for what is not.
//!
//! # What one number is
//! A line has one canonical form, the one that libphonenumber gives: without the zero of
//! national forms, with the zero that Italy dials, with Argentina's 9 for mobiles, without
//! the 1 that Mexico's mobiles had until 2019. One gap is left: the mobile
//! `+54 9 11 …` may also be written as if it were a fixed line, `+54 11 …`, and nobody
//! can tell from the digits. By SMS the second is refused as a fixed line; by voice it is
//! counted as another number.

mod config;
mod error;
mod numbers;
mod price;
mod reading;
mod rules;
mod sort;
mod spelling;

pub use config::NumbersConfig;
pub use error::NumbersConfigError;
pub use numbers::{Facts, Numbers};
pub use price::micros;
pub use sort::Sort;
