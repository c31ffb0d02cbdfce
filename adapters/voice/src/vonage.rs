//! Calls by Vonage's Voice API, `POST /v1/calls`.
//!
//! The words of the call travel with the request (an NCCO with one `talk`), so that no
//! server of ours needs to be reached while the phone rings.
//!
//! Fields and numbers come from Vonage's API reference (`developer.vonage.com/en/api/voice`),
//! its NCCO and webhook references and its guides "Text to Speech" and "Signed webhooks".

mod call;
mod check;
mod config;
mod events;
mod language;
mod token;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{Clock, DeliverError, Deliverer, Message, Permanent, Receipt};
use countersign_messages::Messages;
use countersign_provider::{Client, Request};
use serde::Deserialize;

pub use self::config::{VonageConfig, VonageConfigError};
pub use self::events::VonageEvents;

use self::token::Signer;
use crate::spoken;

/// Characters that one `talk` takes.
const LONGEST_TEXT: usize = 1500;

/// Delivers by calling through Vonage. Cheap to share in an `Arc`; needs a tokio runtime
/// with I/O and time.
pub struct Vonage {
    client: Client,
    signer: Signer,
    from: String,
    event_url: Option<String>,
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
            signer: Signer::new(&config.application_id, &config.private_key)
                .ok_or(VonageConfigError::PrivateKey)?,
            from: config.from,
            event_url: config.event_url,
            clock: config.clock,
            messages,
        })
    }

    fn words(&self, message: Message<'_>) -> Option<(&'static str, String)> {
        let (language, text) = spoken::words(&self.messages, language::VOICES, message)?;
        (text.chars().count() <= LONGEST_TEXT).then_some((language, text))
    }

    /// With the application's token; none without randomness, which passes.
    fn signed(&self, request: Request) -> Option<Request> {
        let token = self.signer.token(self.clock.now())?;
        Some(request.header("authorization", format!("Bearer {token}")))
    }
}

#[derive(Deserialize)]
struct Created {
    uuid: String,
}

#[async_trait]
impl Deliverer for Vonage {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let refused = DeliverError::permanent(Permanent::Refused);
        let (language, text) = self.words(message).ok_or(refused)?;
        let event_url = self.event_url.as_deref();
        let call = call::json(&message, &self.from, language, &text, event_url);
        let request = self.signed(Request::json("/v1/calls", &call));
        let request = request.ok_or(DeliverError::transient())?;
        let answer = self.client.send(request).await?;
        if !answer.is_success() {
            return Err(answer.failure());
        }
        let receipt = Receipt::new("vonage");
        Ok(match answer.json::<Created>() {
            Some(created) if config::is_uuid(&created.uuid) => {
                receipt.with_reference(&created.uuid)
            }
            // The call was taken, also where the rest of the answer was lost.
            _ => receipt,
        })
    }
}

impl fmt::Debug for Vonage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vonage")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
