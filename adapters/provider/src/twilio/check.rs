//! An operator's check of the account.

use super::account::Account;
use crate::check::{CheckError, Settings};

const SETTINGS: Settings = Settings {
    provider: "twilio",
    address: "base_url",
    login: "account_sid and its auth token or key",
};

impl Account {
    /// Logs in, and sends nothing: asks for a `resource` (`Messages` or `Calls`) that goes
    /// to nobody, which Twilio refuses after it has taken the login. Unlike a look at the
    /// account, this needs no more rights than sending does. `sender` is the field that
    /// names whom messages come from.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self, resource: &str, sender: (&str, &str)) -> Result<(), CheckError> {
        let answer = self.post(resource, &[sender]).await;
        SETTINGS.judge(
            &answer,
            |answer| matches!(answer.status, 400 | 422),
            &[401, 403, 404],
        )
    }
}
