//! What an operator sets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Clock, SystemClock};
use countersign_provider::{ClientConfig, ClientConfigError, Credential};
use thiserror::Error;

/// Where codes are handed over, and the secret that signs.
///
/// A plain value; [`Webhook::new`](crate::Webhook::new) checks it.
pub struct WebhookConfig {
    pub(crate) client: ClientConfig,
    pub(crate) secrets: Vec<Credential>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl WebhookConfig {
    /// The receiver's whole address, `https://` (or `http://` on this machine) without a
    /// query, and a secret: `whsec_` and base64 of 24 to 64 random bytes.
    #[must_use]
    pub fn new(url: &str, secret: impl Into<String>) -> Self {
        Self {
            client: ClientConfig::new(url),
            secrets: vec![Credential::new(secret)],
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// A secret that the receiver still knows, while the first takes its place; 3 at most.
    #[must_use]
    pub fn older_secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(Credential::new(secret));
        self
    }

    /// Certificate authorities in PEM. They take the place of the system's own.
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.client = self.client.ca_pem(pem);
        self
    }

    /// The bound on one delivery: 10 seconds unless set, from 1 to 60.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.timeout(timeout);
        self
    }

    /// The clock whose time is signed. The system's unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookConfigError {
    /// A secret of another form.
    #[error("webhook secret: write whsec_ and base64 of 24 to 64 random bytes")]
    Secret,
    /// More than 4 secrets.
    #[error("webhook secret: at most 4 at once; remove those that the receiver has forgotten")]
    Secrets,
    /// The address, the certificates or the time-out.
    #[error("webhook: {0}")]
    Client(#[from] ClientConfigError),
}
