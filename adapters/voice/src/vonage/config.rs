//! What an operator sets.

use std::fmt;
use std::sync::Arc;

use countersign::{Clock, PhoneNumber, SystemClock};
use countersign_provider::{ClientConfig, ClientConfigError, Credential};
use thiserror::Error;

const BASE_URL: &str = "https://api.nexmo.com";

/// Which application calls, and from which number.
///
/// A plain value; [`Vonage::new`](super::Vonage::new) checks it.
pub struct VonageConfig {
    pub(super) application_id: String,
    pub(super) private_key: Credential,
    pub(super) from: String,
    pub(super) event_url: Option<String>,
    pub(super) http: ClientConfig,
    pub(super) clock: Arc<dyn Clock>,
}

impl VonageConfig {
    /// The application's id, its RSA private key in PEM (2048 to 4096 bits), and a number
    /// that is linked to it, as `+15550100`.
    #[must_use]
    pub fn new(application_id: &str, private_key_pem: impl Into<String>, from: &str) -> Self {
        Self {
            application_id: application_id.to_owned(),
            private_key: Credential::new(private_key_pem),
            from: from.to_owned(),
            event_url: None,
            http: ClientConfig::new(BASE_URL),
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// Where the call's events are to come, without a query: the report token is added as
    /// `?token=…`. Without it they go to where the application's settings say.
    #[must_use]
    pub fn event_url(mut self, url: &str) -> Self {
        self.event_url = Some(url.to_owned());
        self
    }

    /// Changes how it is reached: at `https://api.nexmo.com`, by the system's certificate
    /// authorities, within 10 seconds.
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(ClientConfig) -> ClientConfig) -> Self {
        self.http = change(self.http);
        self
    }

    /// The clock whose time is signed. The system's unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    pub(super) fn check(&self) -> Result<(), VonageConfigError> {
        if !is_uuid(&self.application_id) {
            return Err(VonageConfigError::ApplicationId);
        }
        if PhoneNumber::parse(&self.from).is_err() {
            return Err(VonageConfigError::From);
        }
        let usable = |url: &String| {
            let scheme = url.starts_with("https://") || url.starts_with("http://");
            scheme && !url.contains(['?', '#']) && url.bytes().all(|b| b.is_ascii_graphic())
        };
        match &self.event_url {
            Some(url) if !usable(url) => Err(VonageConfigError::EventUrl),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for VonageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageConfig").finish_non_exhaustive()
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VonageConfigError {
    /// Not a UUID.
    #[error("vonage application_id: a UUID, as the dashboard shows it")]
    ApplicationId,
    /// Not an RSA key in PEM.
    #[error("vonage private_key: the application's RSA key in PEM, 2048 to 4096 bits")]
    PrivateKey,
    /// Not a number.
    #[error("vonage voice_from: a number that is linked to the application, as +15550100")]
    From,
    /// An address that cannot take the report token.
    #[error("vonage event_url: an https:// url without a query, a fragment or spaces")]
    EventUrl,
    /// The address, the certificates or the time-out.
    #[error("vonage: {0}")]
    Client(#[from] ClientConfigError),
}

pub(super) fn is_uuid(text: &str) -> bool {
    let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, b): (usize, u8)| {
        if hyphen(at) {
            b == b'-'
        } else {
            b.is_ascii_hexdigit()
        }
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";

    fn config() -> VonageConfig {
        VonageConfig::new(ID, "918273", "+15005550006")
    }

    #[test]
    fn what_cannot_work_is_named() {
        use VonageConfigError as E;
        assert_eq!(config().check(), Ok(()));
        for id in [
            "",
            "x",
            &ID[1..],
            &ID.replace('-', "a"),
            &ID.replace('b', "g"),
        ] {
            let config = VonageConfig::new(id, "", "+15005550006");
            assert_eq!(config.check(), Err(E::ApplicationId), "{id}");
        }
        for from in ["", "Example", "15005550006"] {
            assert_eq!(
                VonageConfig::new(ID, "", from).check(),
                Err(E::From),
                "{from}"
            );
        }
        for url in [
            "",
            "example.com",
            "https://e.example/?a=1",
            "https://e.example/a b",
        ] {
            assert_eq!(config().event_url(url).check(), Err(E::EventUrl), "{url}");
        }
        assert_eq!(config().event_url("https://e.example/r").check(), Ok(()));
    }

    #[test]
    fn a_key_that_is_none_is_named_and_not_shown() {
        let messages = Arc::new(countersign_messages::Messages::new("Example", None).unwrap());
        let made = super::super::Vonage::new(config(), messages);
        let error = made.err();
        assert_eq!(error, Some(VonageConfigError::PrivateKey));
        let text = format!("{:?} {error:?}", config());
        assert!(!text.contains("918273"), "{text}");
    }
}
