//! An operator's check: what is wrong with the account, in one sentence.

use thiserror::Error;

use super::account::Account;

/// What a check of the account found. None of it quotes Twilio.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccountCheckError {
    /// No answer, or no connection.
    #[error("twilio: no answer; check base_url, the network, and ca_file where it is set")]
    Unreachable,
    /// The login was refused.
    #[error("twilio: the login was refused with {0}; check account_sid and its auth token or key")]
    Login(u16),
    /// Something that does not answer as Twilio does.
    #[error("twilio: answered {0} to a request that cannot be taken; check base_url")]
    Unexpected(u16),
}

impl Account {
    /// Logs in, and sends nothing: asks for a `resource` (`Messages` or `Calls`) that goes
    /// to nobody, which Twilio refuses after it has taken the login. Unlike a look at the
    /// account, this needs no more rights than sending does. `sender` is the field that
    /// names whom messages come from.
    ///
    /// # Errors
    /// [`AccountCheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(
        &self,
        resource: &str,
        sender: (&str, &str),
    ) -> Result<(), AccountCheckError> {
        let answer = self.post(resource, &[sender]).await;
        match answer.map(|answer| answer.status) {
            Err(_) => Err(AccountCheckError::Unreachable),
            Ok(400 | 422) => Ok(()),
            Ok(status @ (401 | 403 | 404)) => Err(AccountCheckError::Login(status)),
            Ok(status) => Err(AccountCheckError::Unexpected(status)),
        }
    }
}
