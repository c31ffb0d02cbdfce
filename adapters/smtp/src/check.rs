//! An operator's check: what is wrong with the server or the settings, in one sentence.

use std::time::Duration;

use lettre::transport::smtp::commands::Noop;
use thiserror::Error;

use crate::connection::Connector;
use crate::failure::{Failure, Stage};

/// What a check of the configuration found. None of it quotes the server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SmtpCheckError {
    /// No answer within the time-out.
    #[error("smtp: {server} did not answer in time; check host, port and firewall in smtp.url")]
    TimedOut {
        /// Host and port.
        server: String,
    },
    /// No connection, or something that does not speak SMTP.
    #[error(
        "smtp: {server} cannot be reached or does not speak SMTP; check host and port in smtp.url"
    )]
    Unreachable {
        /// Host and port.
        server: String,
    },
    /// No STARTTLS.
    #[error("smtp: {server} offers no STARTTLS; use smtps:// if it speaks TLS from the start")]
    NoStartTls {
        /// Host and port.
        server: String,
    },
    /// TLS failed.
    #[error(
        "smtp: TLS with {server} failed; check that its certificate names this host, set ca_file if it is your own CA's, and use smtp:// for STARTTLS, smtps:// for TLS from the start"
    )]
    Tls {
        /// Host and port.
        server: String,
    },
    /// No login that we speak.
    #[error(
        "smtp: {server} offers no AUTH PLAIN or LOGIN; remove the user from smtp.url or use another port"
    )]
    NoLogin {
        /// Host and port.
        server: String,
    },
    /// The login was refused.
    #[error(
        "smtp: {server} refused the login with {code}; check the user in smtp.url and password_file"
    )]
    Login {
        /// Host and port.
        server: String,
        /// The reply's code.
        code: u16,
    },
    /// The server refused us for another reason.
    #[error(
        "smtp: {server} refused us with {code}; ask its operator whether this machine may send"
    )]
    Refused {
        /// Host and port.
        server: String,
        /// The reply's code.
        code: u16,
    },
}

pub(crate) async fn check(connector: &Connector, timeout: Duration) -> Result<(), SmtpCheckError> {
    let server = connector.server();
    match tokio::time::timeout(timeout, sign_of_life(connector)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(explained(&failure, server)),
        Err(_) => Err(SmtpCheckError::TimedOut { server }),
    }
}

async fn sign_of_life(connector: &Connector) -> Result<(), Failure> {
    let mut connection = connector.open().await?;
    connection
        .command(Noop)
        .await
        .map_err(|error| Failure::at(Stage::Connect, &error))?;
    // Whether the server says goodbye is its own affair.
    let _ = connection.quit().await;
    Ok(())
}

fn explained(failure: &Failure, server: String) -> SmtpCheckError {
    match *failure {
        Failure::NoStartTls => SmtpCheckError::NoStartTls { server },
        Failure::NoLogin => SmtpCheckError::NoLogin { server },
        Failure::Reply {
            stage: Stage::Login,
            code,
            ..
        } => SmtpCheckError::Login { server, code },
        Failure::Reply { code, .. } => SmtpCheckError::Refused { server, code },
        Failure::Lost { stage: Stage::Tls } => SmtpCheckError::Tls { server },
        Failure::Lost { .. } => SmtpCheckError::Unreachable { server },
    }
}
