//! SMS by SMPP 3.4: over a connection of one's own to an operator or an aggregator.
//!
//! ```
//! use std::sync::Arc;
//! use countersign::SystemClock;
//! use countersign_messages::Messages;
//! use countersign_sms::smpp::{Smpp, SmppConfig};
//!
//! let messages = Arc::new(Messages::new("Example", None)?);
//! let config = SmppConfig::new("smpps://user@smsc.example.com:3550", "Example")
//!     .password("fromfile");
//! let sms = Smpp::new(config, messages, Arc::new(SystemClock::default()))?;
//! let reports = sms.reports(); // delivery reports, from the message centre's receipts
//! // `Arc::new(sms)` is a `countersign::Deliverer`.
//! # assert!(reports.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it promises:
//! - A message is submitted at most once. An error tells whether it may have left: from
//!   the moment at which its first octet was handed over until an answer says otherwise.
//!   What was not handed over when its delivery ended is never handed over.
//! - A delivery ends within its time-out, waiting for a bind or for a place in the window
//!   included; so does a bind. Binds that fail are repeated with growing pauses.
//! - The message centre may try for as long as the code is good, and no longer.
//! - Texts go as GSM 7-bit where that holds them, and as UCS-2 otherwise; long ones in
//!   parts, in their order, none of which ends within a character.
//! - A message centre that has fallen silent is noticed (`enquire_link`), and is given no
//!   more than the window.
//! - Its own words are never passed on, but for its id of a message.
//!
//! Receipts become reports by the id that the message centre gave when it took the
//! message, in hexadecimal or decimal. They are matched in memory: a restart forgets which
//! messages wait for theirs, and the session then keeps the state that it had.

mod address;
mod check;
mod config;
mod connector;
mod conversation;
mod deliverer;
mod endpoint;
mod failure;
mod frame;
mod link;
mod message_id;
mod pace;
mod receipt;
mod refusal;
mod session;
mod submission;
mod ticket;
mod tracker;
mod validity;
mod waiting;

pub use check::SmppCheckError;
pub use config::{SmppConfig, SmppConfigError};
pub use deliverer::Smpp;
