//! What an operator may ask a provider: something harmless, where it has such a question.

use std::sync::Arc;

use countersign_provider::CheckError;
use countersign_sms::sns::SnsCheck;
use countersign_sms::{smpp, sns, twilio as sms_twilio, vonage as sms_vonage};
use countersign_smtp::Smtp;
use countersign_voice::{twilio as voice_twilio, vonage as voice_vonage};
use countersign_webhook::Webhook;

use crate::failure::causes;

/// A harmless question, where the provider has one.
pub(crate) enum Question {
    None,
    Smtp(Arc<Smtp>),
    TwilioSms(Arc<sms_twilio::Twilio>),
    TwilioCalls(Arc<voice_twilio::Twilio>),
    VonageSms(Arc<sms_vonage::Vonage>),
    VonageCalls(Arc<voice_vonage::Vonage>),
    Sns(Arc<sns::Sns>),
    Smpp(Arc<smpp::Smpp>),
    Webhook(Arc<Webhook>),
}

const LOGIN: &str = "it takes our login";
const NONE: &str = "configured; it has no question that costs nothing";

impl Question {
    /// Asks it. Gives what the answer says.
    pub(crate) async fn ask(&self) -> Result<&'static str, String> {
        match self {
            Self::None => Ok(NONE),
            Self::Smtp(smtp) => said(
                smtp.check().await,
                "the server greets us and takes our login",
            ),
            Self::TwilioSms(twilio) => said(twilio.check().await, LOGIN),
            Self::TwilioCalls(twilio) => said(twilio.check().await, LOGIN),
            Self::VonageSms(vonage) => match vonage.check().await {
                Err(CheckError::NoQuestion(_)) => Ok(NONE),
                checked => said(checked, LOGIN),
            },
            Self::VonageCalls(vonage) => said(vonage.check().await, LOGIN),
            Self::Sns(sns) => match sns.check().await {
                Ok(SnsCheck::NotPermitted) => Ok(
                    "it knows our key, which may not see the account's settings; whether it may \
                     send, only a message tells",
                ),
                checked => said(checked.map(drop), LOGIN),
            },
            Self::Smpp(smpp) => said(smpp.check().await, "the message centre takes our bind"),
            Self::Webhook(webhook) => said(
                webhook.check().await,
                "somebody answers there; whether our signature is taken, only a message tells",
            ),
        }
    }
}

fn said<E: std::error::Error>(
    asked: Result<(), E>,
    well: &'static str,
) -> Result<&'static str, String> {
    asked.map(|()| well).map_err(|error| causes(&error))
}
