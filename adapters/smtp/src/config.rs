//! What an operator sets.

use std::time::Duration;

use thiserror::Error;

use crate::password::Password;

/// How to reach an SMTP server, and as whom.
///
/// A plain value; [`Smtp::new`](crate::Smtp::new) checks it.
#[derive(Debug)]
pub struct SmtpConfig {
    pub(crate) url: String,
    pub(crate) from: String,
    pub(crate) password: Option<Password>,
    pub(crate) ca_pem: Option<Vec<u8>>,
    pub(crate) timeout: Duration,
    pub(crate) max_connections: usize,
}

impl SmtpConfig {
    /// A server by URL, and the sender as `Name <address>` or a bare address.
    ///
    /// The URL is `smtp://user@host:587` (STARTTLS required), `smtps://user@host:465`
    /// (TLS from the start) or `smtp+dangerous-plain://host:25` (no TLS at all). User and
    /// port may be left out; a user is percent-encoded where it holds `@`, `:` or `/`.
    #[must_use]
    pub fn new(url: &str, from: &str) -> Self {
        Self {
            url: url.to_owned(),
            from: from.to_owned(),
            password: None,
            ca_pem: None,
            timeout: Duration::from_secs(8),
            max_connections: 8,
        }
    }

    /// The password of the URL's user. It is redacted in `Debug` and wiped on drop.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password::new(password.into()));
        self
    }

    /// Certificate authorities in PEM. They take the place of the system's own, so that
    /// nobody else's certificate for the same name is accepted.
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// The bound on one delivery, from waiting for a connection to the server's last
    /// answer: 8 seconds unless set, from 1 to 60.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connections at once: 8 unless set, from 1 to 256. Further deliveries wait.
    #[must_use]
    pub const fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SmtpConfigError {
    /// Another scheme than the three.
    #[error("smtp url: begin it with smtp:// (STARTTLS), smtps:// or smtp+dangerous-plain://")]
    Scheme,
    /// A password in the URL, where it ends in logs and process lists.
    #[error("smtp url: holds a password; set it as the password instead, from a file")]
    PasswordInUrl,
    /// No host, or one with characters that no host has.
    #[error("smtp url: needs a host name or address, as in smtp://user@mail.example.com:587")]
    Host,
    /// Not a port.
    #[error("smtp url: the port is a number from 1 to 65535")]
    Port,
    /// A path, a query or a fragment.
    #[error("smtp url: ends after the host and port; remove the path, query or fragment")]
    Trailing,
    /// A user with controls or broken percent-encoding, or one that is empty.
    #[error("smtp url: the user is empty, not UTF-8, or has a control character")]
    User,
    /// A user without a password.
    #[error("smtp: the url names a user, but no password is set; set password_file")]
    NoPassword,
    /// A password without a user.
    #[error("smtp: a password is set, but the url names no user; write smtp://user@host")]
    NoUser,
    /// An empty password, or one with a control character.
    #[error("smtp: the password is empty or has a control character or line break")]
    Password,
    /// Not a sender.
    #[error(
        "smtp from: write it as `Name <address@example.com>`, in one line, name up to 64 characters"
    )]
    From,
    /// Not certificates in PEM.
    #[error("smtp ca: holds no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----")]
    Ca,
    /// A CA where nothing is encrypted.
    #[error("smtp ca: is of no use with smtp+dangerous-plain://; use smtp:// or smtps://")]
    CaWithoutTls,
    /// The TLS settings were refused.
    #[error("smtp: TLS cannot be set up for this host with the system's certificates; set ca_file")]
    Tls,
    /// A time-out out of bounds.
    #[error("smtp timeout: from 1 to 60 seconds")]
    Timeout,
    /// A number of connections out of bounds.
    #[error("smtp max_connections: from 1 to 256")]
    MaxConnections,
}
