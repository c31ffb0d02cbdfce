//! The deliverer.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{Clock, DeliverError, Deliverer, Message, Permanent, Receipt};
use countersign_messages::Messages;
use countersign_provider::{Answer, CheckError, Client, Credential, Request, Settings};

use crate::config::{WebhookConfig, WebhookConfigError};
use crate::reports::WebhookReports;
use crate::secrets::Secrets;
use crate::{answer, body, signature};

const MOST_SECRETS: usize = 4;
const SETTINGS: Settings = Settings {
    provider: "webhook",
    address: "url",
    login: "secret",
};

/// Delivers by a signed webhook. Cheap to share in an `Arc`; needs a tokio runtime with I/O
/// and time.
pub struct Webhook {
    client: Client,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    messages: Arc<Messages>,
}

impl Webhook {
    /// Checks the configuration; connects to nothing yet.
    ///
    /// # Errors
    /// [`WebhookConfigError`] names the field and says what to set.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the secrets' first copies end here"
    )]
    pub fn new(config: WebhookConfig, messages: Arc<Messages>) -> Result<Self, WebhookConfigError> {
        if config.secrets.len() > MOST_SECRETS {
            return Err(WebhookConfigError::Secrets);
        }
        let texts = config.secrets.iter().map(Credential::reveal);
        Ok(Self {
            secrets: Secrets::read(texts).ok_or(WebhookConfigError::Secret)?,
            client: Client::new(&config.client)?,
            clock: Arc::clone(&config.clock),
            messages,
        })
    }

    /// Reads reports that the receiver signs with the same secrets.
    #[must_use]
    pub fn reports(&self) -> WebhookReports {
        WebhookReports::of(self.secrets.clone())
    }

    /// Asks whether the receiver is there, and hands nothing over: for an operator's check of
    /// the configuration. Whether it takes our signature, only a message tells.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self) -> Result<(), CheckError> {
        let answer = self.client.send(Request::get("")).await;
        // Whoever takes a `POST` need not know a `GET`; whoever sends us elsewhere or is a
        // proxy before nobody takes neither.
        let there = |answer: &Answer| matches!(answer.status, 200..=299 | 400..=499);
        SETTINGS.judge(&answer, there, &[])
    }

    fn request(&self, id: &str, body: Vec<u8>) -> Request {
        let now = self.clock.now().as_millis() / 1000;
        let signature = signature::sign(&self.secrets, id, now, &body);
        Request::bytes("", "application/json", body)
            .header("webhook-id", id)
            .header("webhook-timestamp", now.to_string())
            .header("webhook-signature", signature)
    }
}

#[async_trait]
impl Deliverer for Webhook {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let id = message.message_id;
        let body = body::encode(&message, &self.messages)?;
        // What is signed has a dot between its parts, and an empty id is no id.
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_graphic() && b != b'.') {
            return Err(DeliverError::permanent(Permanent::Refused));
        }
        answer::read(&self.client.send(self.request(id, body)).await?)
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("client", &self.client)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign::{Channel, Code, Destination};
    use countersign_provider::ClientConfigError;

    const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

    fn made(config: WebhookConfig) -> Result<Webhook, WebhookConfigError> {
        Webhook::new(config, Arc::new(Messages::new("Example", None).unwrap()))
    }

    fn at(url: &str) -> WebhookConfig {
        WebhookConfig::new(url, SECRET)
    }

    #[test]
    fn what_cannot_work_is_named() {
        use WebhookConfigError as E;
        let refused = |config| made(config).err();
        let good = "https://hooks.example.com/codes";
        assert_eq!(refused(WebhookConfig::new(good, "short")), Some(E::Secret));
        assert_eq!(refused(at(good).older_secret("")), Some(E::Secret));
        let three = at(good)
            .older_secret(SECRET)
            .older_secret(SECRET)
            .older_secret(SECRET);
        let four = at(good)
            .older_secret(SECRET)
            .older_secret(SECRET)
            .older_secret(SECRET);
        assert_eq!(refused(three), None);
        assert_eq!(refused(four.older_secret(SECRET)), Some(E::Secrets));
        let plain = refused(at("http://hooks.example.com/codes"));
        assert_eq!(plain, Some(E::Client(ClientConfigError::Plain)));
    }

    #[tokio::test]
    async fn a_message_without_a_usable_id_is_refused_before_it_leaves() {
        let webhook = made(at("http://127.0.0.1:9")).unwrap();
        let to = Destination::parse(Channel::Email, "user@example.com").unwrap();
        let code = Code::from_custom("918273").unwrap();
        for id in ["", "a.b", "a b", "é"] {
            let mut message = Message::new(&to, Channel::Email, &code);
            message.message_id = id;
            let refused = webhook.deliver(message).await;
            assert_eq!(
                refused,
                Err(DeliverError::permanent(Permanent::Refused)),
                "{id:?}"
            );
        }
    }

    #[test]
    fn a37_neither_deliverer_nor_configuration_shows_a_secret() {
        let text = format!(
            "{:?} {:?}",
            at("https://a.example"),
            made(at("https://a.example"))
        );
        assert!(!text.contains("MDEyMzQ1"), "{text}");
    }
}
