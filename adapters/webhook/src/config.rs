//! What an operator sets.

use std::fmt;
use std::sync::Arc;

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

    /// Changes how it is reached: by the system's certificate authorities, within 10 seconds.
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(ClientConfig) -> ClientConfig) -> Self {
        self.client = change(self.client);
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
