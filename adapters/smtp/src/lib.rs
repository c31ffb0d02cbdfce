//! Delivers codes by email over SMTP.
//!
//! ```
//! use std::sync::Arc;
//! use countersign_messages::Messages;
//! use countersign_smtp::{Smtp, SmtpConfig};
//!
//! let messages = Arc::new(Messages::new("Example", None)?);
//! let config = SmtpConfig::new("smtp://user@mail.example.com", "Example <no-reply@example.com>")
//!     .password("from a file");
//! let email = Smtp::new(config, messages)?;
//! // `Arc::new(email)` is a `countersign::Deliverer`.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it promises:
//! - `smtp://` means STARTTLS or nothing: no login and no message before TLS stands, and
//!   what a stranger slipped in before it is never read as the server's word.
//! - One message has one recipient, a text part and an HTML part in that order, bodies in
//!   quoted-printable or base64 only, and no header that came from a value.
//! - A delivery ends within its time-out, all steps together, and a connection on which
//!   anything was left open is never used again.
//! - An error tells whether the message may have left: only from the moment at which the
//!   last byte of its text was handed over.
//! - The server's own words are never passed on.
//!
//! The crate uses the process-wide rustls provider where one is installed and ring where
//! none is; a binary installs its own once, in `main`.

mod address;
mod check;
mod composer;
mod config;
mod connection;
mod deliverer;
mod endpoint;
mod exchange;
mod failure;
mod line_stream;
mod password;
mod pool;
mod wire;

pub use check::SmtpCheckError;
pub use config::{SmtpConfig, SmtpConfigError};
pub use deliverer::Smtp;
