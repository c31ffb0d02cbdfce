//! An operator's check: the account's settings for SMS, which cost nothing to ask
//! (`GetSMSAttributes`, SNS API reference).

use countersign::Permanent;
use countersign_provider::{CheckError, Settings};

use super::{Sns, answer};

const BODY: &str = "Action=GetSMSAttributes&Version=2010-03-31";
const SETTINGS: Settings = Settings {
    provider: "sns",
    address: "region and base_url",
    login: "access_key_id, secret_access_key and this machine's clock",
};

/// What a check that found nothing wrong has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnsCheck {
    /// The account's settings were shown to our key.
    Answered,
    /// Our key is known and may not see them, as is right for one that may `sns:Publish`
    /// and nothing else. Whether it may do that, only a message tells.
    NotPermitted,
}

impl Sns {
    /// Logs in, and sends nothing: for an operator's check of the configuration.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self) -> Result<SnsCheck, CheckError> {
        let answer = self.client.send(self.request(BODY.to_owned())).await;
        let answer = answer.map_err(|_| CheckError::Unreachable(SETTINGS))?;
        if answer::shows_settings(&answer) {
            return Ok(SnsCheck::Answered);
        }
        if answer::forbids(&answer) {
            return Ok(SnsCheck::NotPermitted);
        }
        let refused = answer::read(&answer).err().and_then(|error| error.reason());
        Err(match refused {
            Some(Permanent::Unauthorised) => CheckError::Login(SETTINGS, answer.status),
            _ => CheckError::Unexpected(SETTINGS, answer.status),
        })
    }
}
