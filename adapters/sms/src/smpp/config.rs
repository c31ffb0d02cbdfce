//! What an operator sets.

use std::time::Duration;

use countersign_provider::Credential;
use thiserror::Error;

/// How to reach a message centre (SMSC), as whom, and how much it takes at once.
///
/// A plain value; [`Smpp::new`](super::Smpp::new) checks it.
#[derive(Debug)]
pub struct SmppConfig {
    pub(super) url: String,
    pub(super) from: String,
    pub(super) password: Option<Credential>,
    pub(super) ca_pem: Option<Vec<u8>>,
    pub(super) system_type: String,
    pub(super) transmitter_only: bool,
    pub(super) window: usize,
    pub(super) max_per_second: Option<u32>,
    pub(super) enquire_link: Duration,
    pub(super) timeout: Duration,
}

impl SmppConfig {
    /// A message centre by URL, and the sender.
    ///
    /// The URL is `smpps://user@host:3550` (TLS), `smpp://user@localhost:2775` (plain, as
    /// far as the end of a tunnel on this machine) or
    /// `smpp+dangerous-plain://user@host:2775` (plain: the password and all codes can be
    /// read on the way). The user is SMPP's `system_id`, at most 15 characters,
    /// percent-encoded where it holds `@`, `:` or `/`; the port may be left out.
    ///
    /// The sender is a number in international form (`+4790000000`), a short code (up to
    /// 8 digits), or a name of up to 11 letters, digits, spaces and `-._&` with at least
    /// one letter. Its type of number and numbering plan follow from that.
    #[must_use]
    pub fn new(url: &str, from: &str) -> Self {
        Self {
            url: url.to_owned(),
            from: from.to_owned(),
            password: None,
            ca_pem: None,
            system_type: String::new(),
            transmitter_only: false,
            window: 10,
            max_per_second: None,
            enquire_link: Duration::from_secs(30),
            timeout: Duration::from_secs(8),
        }
    }

    /// The password, at most 8 characters (SMPP 3.4, 4.1.1). It is redacted in `Debug` and
    /// wiped on drop.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Credential::new(password));
        self
    }

    /// Certificate authorities in PEM. They take the place of the system's own, so that
    /// nobody else's certificate for the same name is accepted.
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// SMPP's `system_type`, where the message centre wants one: at most 12 characters.
    #[must_use]
    pub fn system_type(mut self, system_type: &str) -> Self {
        system_type.clone_into(&mut self.system_type);
        self
    }

    /// Binds as a transmitter, for accounts that may do no more: there are no delivery
    /// reports then.
    #[must_use]
    pub const fn transmitter_only(mut self) -> Self {
        self.transmitter_only = true;
        self
    }

    /// Submits that may wait for their answers at once: 10 unless set, from 1 to 1000.
    /// Further ones wait.
    #[must_use]
    pub const fn window(mut self, window: usize) -> Self {
        self.window = window;
        self
    }

    /// Submits in a second, evenly spread: from 1 to 10,000, no bound unless set. Each
    /// part of a long message is one.
    #[must_use]
    pub const fn max_per_second(mut self, submits: u32) -> Self {
        self.max_per_second = Some(submits);
        self
    }

    /// The pause between two questions whether the message centre is still there: 30
    /// seconds unless set, from 1 to 600.
    #[must_use]
    pub const fn enquire_link(mut self, interval: Duration) -> Self {
        self.enquire_link = interval;
        self
    }

    /// The bound on one delivery, from waiting for a bind to the last part's answer, and
    /// on each bind: 8 seconds unless set, from 1 to 60.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Refuses numbers out of their bounds.
    pub(super) fn within_bounds(&self) -> Result<(), SmppConfigError> {
        let seconds = |from, to| Duration::from_secs(from)..=Duration::from_secs(to);
        if !(1..=1000).contains(&self.window) {
            return Err(SmppConfigError::Window);
        }
        if self
            .max_per_second
            .is_some_and(|n| !(1..=10_000).contains(&n))
        {
            return Err(SmppConfigError::MaxPerSecond);
        }
        if !seconds(1, 600).contains(&self.enquire_link) {
            return Err(SmppConfigError::EnquireLink);
        }
        if !seconds(1, 60).contains(&self.timeout) {
            return Err(SmppConfigError::Timeout);
        }
        Ok(())
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SmppConfigError {
    /// Another scheme than the three.
    #[error("smpp url: begin it with smpps://, smpp:// or smpp+dangerous-plain://")]
    Scheme,
    /// No TLS towards another machine, and no word that this is meant.
    #[error(
        "smpp url: smpp:// is for this machine only; use smpps://, or smpp+dangerous-plain:// where the way is protected otherwise"
    )]
    Plain,
    /// A password in the URL, where it ends in logs and process lists.
    #[error("smpp url: holds a password; set it as the password instead, from a file")]
    PasswordInUrl,
    /// No host, or one with characters that no host has.
    #[error("smpp url: needs a host name or address, as in smpps://user@smsc.example.com:3550")]
    Host,
    /// Not a port.
    #[error("smpp url: the port is a number from 1 to 65535")]
    Port,
    /// A path, a query or a fragment.
    #[error("smpp url: ends after the host and port; remove the path, query or fragment")]
    Trailing,
    /// No user, or one that no `system_id` can hold.
    #[error("smpp url: needs a user (the system_id) of 1 to 15 ASCII characters")]
    User,
    /// No password, or one that SMPP cannot carry.
    #[error("smpp: needs a password of 1 to 8 ASCII characters; set password_file")]
    Password,
    /// A system type that SMPP cannot carry.
    #[error("smpp system_type: at most 12 ASCII characters")]
    SystemType,
    /// Not a sender.
    #[error(
        "smpp from: write a number as +4790000000, a short code of up to 8 digits, or a name of up to 11 letters, digits, spaces and -._&"
    )]
    From,
    /// Not certificates in PEM.
    #[error("smpp ca: holds no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----")]
    Ca,
    /// A CA where nothing is encrypted.
    #[error("smpp ca: is of no use without TLS; use smpps://")]
    CaWithoutTls,
    /// The TLS settings were refused.
    #[error("smpp: TLS cannot be set up with the system's certificates; set ca_file")]
    Tls,
    /// A window out of bounds.
    #[error("smpp window: from 1 to 1000 submits")]
    Window,
    /// A throttle out of bounds.
    #[error("smpp max_per_second: from 1 to 10000 submits")]
    MaxPerSecond,
    /// An interval out of bounds.
    #[error("smpp enquire_link: from 1 to 600 seconds")]
    EnquireLink,
    /// A time-out out of bounds.
    #[error("smpp timeout: from 1 to 60 seconds")]
    Timeout,
}
