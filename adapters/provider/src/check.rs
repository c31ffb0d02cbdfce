//! An operator's check: what is wrong with a provider's settings, in one sentence.

use countersign::DeliverError;
use thiserror::Error;

use crate::answer::Answer;

/// How a provider and its settings are called in sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, written by each deliverer"
)]
pub struct Settings {
    /// The provider's name.
    pub provider: &'static str,
    /// The setting that says where it is.
    pub address: &'static str,
    /// The settings by which we log in.
    pub login: &'static str,
}

/// What a check of a provider found. None of it quotes the provider.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// No answer, or no connection.
    #[error(
        "{provider}: no answer; check {address}, the network, and ca_file where it is set",
        provider = .0.provider, address = .0.address
    )]
    Unreachable(Settings),
    /// The login was refused, with this status.
    #[error(
        "{provider}: the login was refused with {status}; check {login}",
        provider = .0.provider, login = .0.login, status = .1
    )]
    Login(Settings, u16),
    /// Something that does not answer as the provider does, with this status.
    #[error(
        "{provider}: answered {status} to a question that has another answer; check {address}",
        provider = .0.provider, address = .0.address, status = .1
    )]
    Unexpected(Settings, u16),
    /// There is nothing that could be asked with these settings.
    #[error(
        "{provider}: no question costs nothing with these settings; set {login}",
        provider = .0.provider, login = .0.login
    )]
    NoQuestion(Settings),
}

impl Settings {
    /// What an answer to a harmless question says: all is well where `well` knows it for
    /// the provider's own, and the login is refused with any status of `refused`.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set.
    pub fn judge(
        self,
        answer: &Result<Answer, DeliverError>,
        well: impl FnOnce(&Answer) -> bool,
        refused: &[u16],
    ) -> Result<(), CheckError> {
        match answer {
            Err(_) => Err(CheckError::Unreachable(self)),
            Ok(answer) if well(answer) => Ok(()),
            Ok(answer) if refused.contains(&answer.status) => {
                Err(CheckError::Login(self, answer.status))
            }
            Ok(answer) => Err(CheckError::Unexpected(self, answer.status)),
        }
    }
}
