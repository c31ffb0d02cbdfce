//! SMS by Twilio's `Messages` (`www.twilio.com/docs/messaging/api/message-resource`).
//!
//! ```
//! use std::sync::Arc;
//! use countersign_messages::Messages;
//! use countersign_sms::twilio::{Account, AccountConfig, Sender, Twilio};
//!
//! let sid = "AC0123456789abcdef0123456789abcdef";
//! let account = Account::new(AccountConfig::with_auth_token(sid, "from a file"))?;
//! let messages = Arc::new(Messages::new("Example", None)?);
//! let sender = Sender::From("+15005550006".to_owned());
//! let sms = Twilio::new(Arc::new(account), sender, messages)?;
//! // `Arc::new(sms)` is a `countersign::Deliverer`.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod sender;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{DeliverError, Deliverer, Message, Permanent, Receipt};
use countersign_messages::Messages;
use countersign_provider::CheckError;
pub use countersign_provider::twilio::{Account, AccountConfig, AccountConfigError, Reports};

pub use sender::Sender;

/// What Twilio allows for the time that a message may wait, in seconds.
const VALIDITY: std::ops::RangeInclusive<u64> = 1..=36_000;

/// Delivers by SMS. Cheap to share in an `Arc`; needs a tokio runtime with I/O and time.
pub struct Twilio {
    account: Arc<Account>,
    sender: Sender,
    messages: Arc<Messages>,
}

impl Twilio {
    /// Checks the sender; connects to nothing yet.
    ///
    /// # Errors
    /// [`AccountConfigError`] names the field and says what to set.
    pub fn new(
        account: Arc<Account>,
        sender: Sender,
        messages: Arc<Messages>,
    ) -> Result<Self, AccountConfigError> {
        sender.check()?;
        Ok(Self {
            account,
            sender,
            messages,
        })
    }

    /// Logs in, and sends nothing: for an operator's check of the configuration.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self) -> Result<(), CheckError> {
        self.account.check("Messages", self.sender.field()).await
    }
}

#[async_trait]
impl Deliverer for Twilio {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let Ok(body) = self.messages.sms(&message) else {
            return Err(DeliverError::permanent(Permanent::Refused));
        };
        // A code that is no longer good is not worth sending late.
        let validity = message.expires_in.clamp(*VALIDITY.start(), *VALIDITY.end());
        let validity = validity.to_string();
        let callback = self.account.callback(message.report_token);
        let mut fields = vec![
            ("To", message.destination.exact()),
            self.sender.field(),
            ("Body", &body),
            ("ValidityPeriod", &validity),
        ];
        if let Some(url) = &callback {
            fields.push(("StatusCallback", url));
        }
        self.account.create("Messages", &fields).await
    }
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio")
            .field("account", &self.account)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
