//! An operator's check: what is wrong with the message centre or the settings, in one
//! sentence.

use thiserror::Error;
use tokio::sync::watch;

use super::connector::AFTER_BIND;
use super::conversation::{End, converse};
use super::failure::Failure;
use super::link::Keeper;
use super::session::Session;

/// What a check of the configuration found. None of it quotes the message centre.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SmppCheckError {
    /// No answer within the time-out.
    #[error("smpp: {server} did not answer in time; check host, port and firewall in smpp.url")]
    TimedOut {
        /// Host and port.
        server: String,
    },
    /// No connection.
    #[error("smpp: {server} cannot be reached; check host and port in smpp.url")]
    Unreachable {
        /// Host and port.
        server: String,
    },
    /// The connection ended, or what came was not SMPP.
    #[error(
        "smpp: {server} ended the connection or does not speak SMPP; check the port, whether it wants smpps://, and whether this machine's address is known to it"
    )]
    Lost {
        /// Host and port.
        server: String,
    },
    /// TLS failed.
    #[error(
        "smpp: TLS with {server} failed; check that its certificate names this host, and set ca_file if it is your own CA's"
    )]
    Tls {
        /// Host and port.
        server: String,
    },
    /// The login was refused.
    #[error(
        "smpp: {server} refused the bind with status {status:#x}; check the user in smpp.url, password_file and system_type"
    )]
    Login {
        /// Host and port.
        server: String,
        /// SMPP's `command_status`.
        status: u32,
    },
    /// The message centre refused us for another reason.
    #[error(
        "smpp: {server} refused the bind with status {status:#x}; ask its operator, or end another connection of this user"
    )]
    Refused {
        /// Host and port.
        server: String,
        /// SMPP's `command_status`.
        status: u32,
    },
}

pub(super) async fn check(keeper: &Keeper) -> Result<(), SmppCheckError> {
    let server = keeper.connector.server();
    sign_of_life(keeper)
        .await
        .map_err(|failure| explained(failure, server))
}

async fn sign_of_life(keeper: &Keeper) -> Result<(), Failure> {
    let timing = keeper.timing;
    let wire = keeper.connector.open(timing.timeout).await?;
    let (session, outgoing) = Session::new(1, AFTER_BIND);
    let stop = watch::Sender::new(false);
    let mut stopped = stop.subscribe();
    let tracker = &keeper.tracker;
    let talk = converse(&session, tracker, wire, outgoing, timing, &mut stopped);
    let question = async {
        let asked = tokio::time::timeout(timing.timeout, session.enquire()).await;
        stop.send_replace(true);
        asked
    };
    match tokio::join!(talk, question) {
        (_, Ok(Ok(_))) => Ok(()),
        (_, Err(_)) | (End::Silent, _) => Err(Failure::TimedOut),
        (_, Ok(Err(_))) => Err(Failure::Lost),
    }
}

fn explained(failure: Failure, server: String) -> SmppCheckError {
    match failure {
        Failure::Unreachable => SmppCheckError::Unreachable { server },
        Failure::Tls => SmppCheckError::Tls { server },
        Failure::TimedOut => SmppCheckError::TimedOut { server },
        Failure::Lost => SmppCheckError::Lost { server },
        Failure::Refused(status) => {
            let about_us = failure.is_about_us();
            let status = u32::from(status);
            if about_us {
                SmppCheckError::Login { server, status }
            } else {
                SmppCheckError::Refused { server, status }
            }
        }
    }
}
