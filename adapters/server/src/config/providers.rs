//! The providers' sections: whatever is not there is asked for when a channel names one.

use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, SecretText};

/// `[twilio]`: SMS and calls.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Twilio {
    pub(crate) account_sid: Option<String>,
    pub(crate) auth_token: Option<SecretText>,
    pub(crate) auth_token_file: Option<PathBuf>,
    pub(crate) from: Option<String>,
    pub(crate) messaging_service_sid: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// `[vonage]`: the SMS API by key and secret, the Voice API by an application's key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Vonage {
    pub(crate) api_key: Option<String>,
    pub(crate) api_secret: Option<SecretText>,
    pub(crate) api_secret_file: Option<PathBuf>,
    pub(crate) signature_secret: Option<SecretText>,
    pub(crate) signature_secret_file: Option<PathBuf>,
    pub(crate) from: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) application_id: Option<String>,
    pub(crate) private_key: Option<SecretText>,
    pub(crate) private_key_file: Option<PathBuf>,
    pub(crate) voice_from: Option<String>,
    pub(crate) voice_base_url: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// `[sns]`: SMS by AWS.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sns {
    pub(crate) region: Option<String>,
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<SecretText>,
    pub(crate) secret_access_key_file: Option<PathBuf>,
    pub(crate) from: Option<String>,
    pub(crate) max_price: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// `[smpp]`: SMS by a message centre.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Smpp {
    pub(crate) url: Option<String>,
    pub(crate) password: Option<SecretText>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) from: Option<String>,
    pub(crate) system_type: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// `[webhook]`: any channel, by a server of the operator's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhook {
    pub(crate) url: Option<String>,
    pub(crate) secret: Option<SecretText>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) older_secret: Option<SecretText>,
    pub(crate) older_secret_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// All of them, their secrets read.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(crate) twilio: Twilio,
    pub(crate) vonage: Vonage,
    pub(crate) sns: Sns,
    pub(crate) smpp: Smpp,
    pub(crate) webhook: Webhook,
}

impl Providers {
    /// Reads the secrets that are given as files.
    pub(super) fn settled(mut self) -> Result<Self, ConfigError> {
        let Self {
            twilio,
            vonage,
            sns,
            smpp,
            webhook,
        } = &mut self;
        for (field, text, file) in [
            (
                "twilio.auth_token",
                &mut twilio.auth_token,
                &mut twilio.auth_token_file,
            ),
            (
                "vonage.api_secret",
                &mut vonage.api_secret,
                &mut vonage.api_secret_file,
            ),
            (
                "vonage.signature_secret",
                &mut vonage.signature_secret,
                &mut vonage.signature_secret_file,
            ),
            (
                "vonage.private_key",
                &mut vonage.private_key,
                &mut vonage.private_key_file,
            ),
            (
                "sns.secret_access_key",
                &mut sns.secret_access_key,
                &mut sns.secret_access_key_file,
            ),
            ("smpp.password", &mut smpp.password, &mut smpp.password_file),
            (
                "webhook.secret",
                &mut webhook.secret,
                &mut webhook.secret_file,
            ),
            (
                "webhook.older_secret",
                &mut webhook.older_secret,
                &mut webhook.older_secret_file,
            ),
        ] {
            *text = SecretText::either(field, text.take(), file.take())?;
        }
        Ok(self)
    }
}
