//! One account, and a request in its name.

use std::fmt;

use countersign::{DeliverError, Receipt};
use serde::Deserialize;

use super::config::{AccountConfig, AccountConfigError, is_sid};
use super::error_code;
use crate::answer::Answer;
use crate::client::Client;
use crate::credential::Credential;
use crate::request::Request;

/// A Twilio account that messages and calls are made with. One connection pool serves all
/// deliverers that share it in an `Arc`.
pub struct Account {
    client: Client,
    sid: String,
    login: (String, Credential),
    callback: Option<String>,
}

impl Account {
    /// Checks the configuration; connects to nothing yet.
    ///
    /// # Errors
    /// [`AccountConfigError`] names the field and says what to set.
    pub fn new(config: AccountConfig) -> Result<Self, AccountConfigError> {
        config.check()?;
        Ok(Self {
            client: Client::new(&config.http)?,
            sid: config.account_sid,
            login: config.login,
            callback: config.callback,
        })
    }

    /// Makes a resource of the account, as `Messages` or `Calls`, of these form fields.
    ///
    /// # Errors
    /// A [`DeliverError`] by Twilio's error code where it gave one, by the status where it
    /// did not. Twilio's words are dropped.
    pub async fn create(
        &self,
        resource: &str,
        fields: &[(&str, &str)],
    ) -> Result<Receipt, DeliverError> {
        let answer = self.post(resource, fields).await?;
        if !answer.is_success() {
            return Err(error_code::failure(&answer));
        }
        // Twilio took it, also where the rest of its answer was lost.
        let receipt = Receipt::new("twilio");
        Ok(match answer.json::<Created>() {
            Some(created) if is_resource(&created.sid) => receipt.with_reference(&created.sid),
            _ => receipt,
        })
    }

    /// Where Twilio is to report on the message that has this token; none where no
    /// reports are read.
    #[must_use]
    pub fn callback(&self, report_token: Option<&str>) -> Option<String> {
        let url = self.callback.as_ref()?;
        Some(format!("{url}?token={}", report_token?))
    }

    pub(super) async fn post(
        &self,
        resource: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, DeliverError> {
        let path = format!("/2010-04-01/Accounts/{}/{resource}.json", self.sid);
        let request = Request::form(path, fields).basic(&self.login.0, &self.login.1);
        self.client.send(request).await
    }
}

#[derive(Deserialize)]
struct Created {
    sid: String,
}

/// An id of a message or a call. Anything else is left out: it might be an echo.
fn is_resource(sid: &str) -> bool {
    ["SM", "MM", "CA"].iter().any(|prefix| is_sid(prefix, sid))
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Account;
    use crate::twilio::AccountConfig;

    #[test]
    fn a_callback_needs_an_address_and_a_token() {
        let sid = "AC0123456789abcdef0123456789abcdef";
        let config = || AccountConfig::with_auth_token(sid, "918273");
        let without = Account::new(config()).unwrap();
        assert_eq!(without.callback(Some("rep_1")), None);
        let with = Account::new(config().callback_url("https://example.com/r")).unwrap();
        assert_eq!(with.callback(None), None);
        assert_eq!(
            with.callback(Some("rep_1")).as_deref(),
            Some("https://example.com/r?token=rep_1")
        );
        let shown = format!("{with:?}");
        assert!(!shown.contains("918273") && !shown.contains(sid), "{shown}");
    }
}
