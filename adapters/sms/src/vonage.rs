//! SMS by Vonage's SMS API, `POST /sms/json`.
//!
//! ```
//! use std::sync::Arc;
//! use countersign_messages::Messages;
//! use countersign_sms::vonage::{Vonage, VonageConfig};
//!
//! let messages = Arc::new(Messages::new("Example", None)?);
//! let config = VonageConfig::new("abcd1234", "Example").api_secret("from-a-file");
//! let sms = Vonage::new(config, messages)?;
//! // `Arc::new(sms)` is a `countersign::Deliverer` for the channel `sms`.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Fields and numbers come from Vonage's API reference (`developer.vonage.com/en/api/sms`)
//! and its guides "Troubleshooting SMS", "Delivery receipts" and "Signing messages".
//!
//! Reports are the SMS API's delivery receipts, signed in the way that this API has: a
//! parameter `sig`, HMAC-SHA256 by the account's signature secret. (The JWT that Vonage's
//! other products sign by is not what this one sends.) Vonage signs receipts once its
//! support has turned that on for the account and "SHA-256 HMAC signature" is chosen in the
//! dashboard; an unsigned receipt changes nothing.

mod answer;
mod check;
mod config;
mod fields;
mod receipts;
mod signature;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{Clock, DeliverError, Deliverer, Message, Permanent, Receipt};
use countersign_messages::Messages;
use countersign_provider::{Client, Request};

pub use self::config::{VonageConfig, VonageConfigError};
pub use self::receipts::VonageReceipts;

use self::config::Login;

const PATH: &str = "/sms/json";

/// Delivers by SMS through Vonage. Cheap to share in an `Arc`; needs a tokio runtime with
/// I/O and time.
pub struct Vonage {
    client: Client,
    api_key: String,
    login: Login,
    from: String,
    callback: Option<String>,
    clock: Arc<dyn Clock>,
    messages: Arc<Messages>,
}

impl Vonage {
    /// Checks the configuration; connects to nothing yet.
    ///
    /// # Errors
    /// [`VonageConfigError`] names the field and says what to set.
    pub fn new(config: VonageConfig, messages: Arc<Messages>) -> Result<Self, VonageConfigError> {
        config.check()?;
        Ok(Self {
            client: Client::new(&config.http)?,
            login: config.login()?,
            api_key: config.api_key,
            from: config.from,
            callback: config.callback,
            clock: config.clock,
            messages,
        })
    }

    fn request(&self, message: &Message<'_>, text: &str) -> Request {
        let mut fields = fields::of(message, &self.from, text, self.callback.as_deref());
        if let Login::Signature(key) = &self.login {
            let now = self.clock.now().as_millis() / 1000;
            fields.push(("api_key", self.api_key.clone()));
            fields.push(("timestamp", now.to_string()));
            fields.push(("sig", signature::of(key, &fields)));
        }
        let borrowed: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let request = Request::form(PATH, &borrowed);
        match &self.login {
            Login::Secret(secret) => request.basic(&self.api_key, secret),
            Login::Signature(_) => request,
        }
    }
}

#[async_trait]
impl Deliverer for Vonage {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let Ok(text) = self.messages.sms(&message) else {
            return Err(DeliverError::permanent(Permanent::Refused));
        };
        answer::read(&self.client.send(self.request(&message, &text)).await?)
    }
}

impl fmt::Debug for Vonage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vonage")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
