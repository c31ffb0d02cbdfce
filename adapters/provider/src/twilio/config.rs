//! What an operator sets.

use reqwest::Url;
use thiserror::Error;

use crate::client::{ClientConfig, ClientConfigError};
use crate::credential::Credential;

/// A Twilio account, and how to reach it.
///
/// A plain value; [`Account::new`](crate::twilio::Account::new) checks it.
#[derive(Debug)]
pub struct AccountConfig {
    pub(crate) account_sid: String,
    pub(crate) login: (String, Credential),
    pub(crate) http: ClientConfig,
    pub(crate) callback: Option<String>,
}

impl AccountConfig {
    /// An account by its SID (`AC…`), which logs in with its auth token.
    #[must_use]
    pub fn with_auth_token(account_sid: &str, auth_token: impl Into<String>) -> Self {
        Self::new(account_sid, account_sid, auth_token.into())
    }

    /// An account by its SID (`AC…`), which logs in with an API key (`SK…`): one that can be
    /// revoked alone. Reports are signed with the auth token all the same.
    #[must_use]
    pub fn with_api_key(account_sid: &str, key_sid: &str, secret: impl Into<String>) -> Self {
        Self::new(account_sid, key_sid, secret.into())
    }

    fn new(account_sid: &str, user: &str, password: String) -> Self {
        Self {
            account_sid: account_sid.to_owned(),
            login: (user.to_owned(), Credential::new(password)),
            http: ClientConfig::new("https://api.twilio.com"),
            callback: None,
        }
    }

    /// Changes how it is reached: at `https://api.twilio.com`, by the system's certificate
    /// authorities, within 10 seconds.
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(ClientConfig) -> ClientConfig) -> Self {
        self.http = change(self.http);
        self
    }

    /// Where Twilio is to send its reports, without a query: the report token becomes one.
    /// No reports are asked for unless it is set.
    #[must_use]
    pub fn callback_url(mut self, url: &str) -> Self {
        self.callback = Some(url.to_owned());
        self
    }
}

/// Why an account cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccountConfigError {
    /// Not an account SID.
    #[error("twilio account_sid: it is AC and 32 hexadecimal digits")]
    AccountSid,
    /// Not the SID of an API key.
    #[error("twilio api_key_sid: it is SK and 32 hexadecimal digits")]
    KeySid,
    /// No secret, or one with a control character.
    #[error("twilio auth_token or api_key_secret: it is empty or has a control character")]
    Secret,
    /// Not an address for reports.
    #[error("twilio callback url: write an http or https url without login, query or fragment")]
    Callback,
    /// Not a sender of SMS.
    #[error(
        "twilio from: write a number as +15550100, a short code, or 1 to 11 letters, digits and spaces, with a letter"
    )]
    From,
    /// Not a caller.
    #[error("twilio from: a call comes from a number, as +15550100")]
    Caller,
    /// Not the SID of a messaging service.
    #[error("twilio messaging_service_sid: it is MG and 32 hexadecimal digits")]
    MessagingService,
    /// The base URL, the CA or the time-out.
    #[error("twilio: {0}")]
    Client(#[from] ClientConfigError),
}

impl AccountConfig {
    pub(crate) fn check(&self) -> Result<(), AccountConfigError> {
        if !is_sid("AC", &self.account_sid) {
            return Err(AccountConfigError::AccountSid);
        }
        let (user, password) = &self.login;
        if *user != self.account_sid && !is_sid("SK", user) {
            return Err(AccountConfigError::KeySid);
        }
        let password = password.reveal();
        if password.is_empty() || password.chars().any(char::is_control) {
            return Err(AccountConfigError::Secret);
        }
        match &self.callback {
            Some(url) if !is_callback(url) => Err(AccountConfigError::Callback),
            _ => Ok(()),
        }
    }
}

/// Two letters and 32 hexadecimal digits: the form of Twilio's ids.
pub(crate) fn is_sid(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_callback(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::{AccountConfig, AccountConfigError as E};

    const SID: &str = "AC0123456789abcdef0123456789ABCDEF";
    const KEY: &str = "SK0123456789abcdef0123456789ABCDEF";

    #[test]
    fn a_wrong_setting_names_its_field() {
        let token = |sid: &str| AccountConfig::with_auth_token(sid, "secret");
        let key = |sid: &str| AccountConfig::with_api_key(SID, sid, "secret");
        for (config, expected) in [
            (token(SID), Ok(())),
            (key(KEY), Ok(())),
            (token(KEY), Err(E::AccountSid)),
            (token(&SID[..33]), Err(E::AccountSid)),
            (token(&format!("{SID}0")), Err(E::AccountSid)),
            (
                token("AC../../../../../../../../../../.."),
                Err(E::AccountSid),
            ),
            (key("SK1"), Err(E::KeySid)),
            (AccountConfig::with_auth_token(SID, ""), Err(E::Secret)),
            (AccountConfig::with_auth_token(SID, "a\n"), Err(E::Secret)),
            (token(SID).callback_url("https://example.com/r"), Ok(())),
            (token(SID).callback_url("example.com"), Err(E::Callback)),
            (
                token(SID).callback_url("https://example.com/?a=1"),
                Err(E::Callback),
            ),
            (
                token(SID).callback_url("https://u:p@example.com/"),
                Err(E::Callback),
            ),
        ] {
            assert_eq!(config.check(), expected, "{config:?}");
            let shown = format!("{config:?} {expected:?}");
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
