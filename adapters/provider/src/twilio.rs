//! What Twilio's SMS and voice deliverers share: the account, the meaning of error codes,
//! and signed reports.
//!
//! The numbers come from Twilio's OpenAPI (`twilio_api_v2010`), its error dictionary
//! (`www.twilio.com/docs/api/errors`) and its page on webhook security
//! (`www.twilio.com/docs/usage/security`).

mod account;
mod check;
mod config;
mod error_code;
mod form;
mod reports;
mod signature;

pub use account::Account;
pub use config::{AccountConfig, AccountConfigError};
pub use reports::Reports;
