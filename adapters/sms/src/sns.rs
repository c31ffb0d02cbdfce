//! SMS by AWS SNS: the action `Publish` of the Query API, version 2010-03-31.
//!
//! ```
//! use std::sync::Arc;
//! use countersign_messages::Messages;
//! use countersign_sms::sns::{Sns, SnsConfig};
//!
//! let messages = Arc::new(Messages::new("Example", None)?);
//! let config = SnsConfig::new("eu-north-1", "AKIAIOSFODNN7EXAMPLE", "from-a-file").from("Example");
//! let sms = Sns::new(config, messages)?;
//! // `Arc::new(sms)` is a `countersign::Deliverer` for the channel `sms`.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What AWS leaves out, and so this deliverer:
//! - No report comes back: SNS writes the fate of an SMS to AWS's logs and calls
//!   nobody over HTTP, so `Message::report_token` is not used.
//! - No expiry can be asked for: a phone that was off shows the code when it is dead. The
//!   message's own words tell how long it works.
//! - No idempotency key exists for SMS: after a lost answer nothing is repeated.

mod answer;
mod check;
mod config;
mod publish;
mod sigv4;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{Clock, DeliverError, Deliverer, Message, Permanent, Receipt};
use countersign_messages::Messages;
use countersign_provider::{Client, Request};

pub use self::check::SnsCheck;
pub use self::config::{SnsConfig, SnsConfigError};

use self::config::Checked;
use self::sigv4::{Credentials, Post};

/// Delivers by SMS through AWS SNS. Cheap to share in an `Arc`; needs a tokio runtime with
/// I/O and time.
pub struct Sns {
    client: Client,
    region: String,
    credentials: Credentials,
    from: Option<String>,
    max_price: Option<String>,
    clock: Arc<dyn Clock>,
    messages: Arc<Messages>,
}

impl Sns {
    /// Checks the configuration; connects to nothing yet.
    ///
    /// # Errors
    /// [`SnsConfigError`] names the field and says what to set.
    pub fn new(config: SnsConfig, messages: Arc<Messages>) -> Result<Self, SnsConfigError> {
        let Checked { client, config } = config.check()?;
        Ok(Self {
            client,
            region: config.region,
            credentials: Credentials {
                id: config.access_key_id,
                secret: config.secret_access_key,
                session_token: config.session_token,
            },
            from: config.from,
            max_price: config.max_price,
            clock: config.clock,
            messages,
        })
    }

    fn request(&self, body: String) -> Request {
        let path = format!("{}/", self.client.base_path());
        let host = self.client.authority();
        let post = Post {
            path: &path,
            headers: &[("content-type", publish::CONTENT_TYPE), ("host", &host)],
            body: body.as_bytes(),
        };
        let signed = sigv4::sign(
            &post,
            &self.credentials,
            &self.region,
            "sns",
            self.clock.now(),
        );
        let mut request = Request::bytes("/", publish::CONTENT_TYPE, body.into_bytes());
        for (name, value) in signed {
            request = request.header(name, value);
        }
        request
    }
}

#[async_trait]
impl Deliverer for Sns {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let Ok(text) = self.messages.sms(&message) else {
            return Err(DeliverError::permanent(Permanent::Refused));
        };
        let to = message.destination.exact();
        let body = publish::form(to, &text, self.from.as_deref(), self.max_price.as_deref());
        answer::read(&self.client.send(self.request(body)).await?)
    }
}

impl fmt::Debug for Sns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sns")
            .field("region", &self.region)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
