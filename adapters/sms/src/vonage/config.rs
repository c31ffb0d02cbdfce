//! What an operator sets.

use std::fmt;
use std::sync::Arc;

use countersign::{Clock, SystemClock};
use countersign_provider::{ClientConfig, ClientConfigError, Credential};
use ring::hmac::{HMAC_SHA256, Key};
use thiserror::Error;

const BASE_URL: &str = "https://rest.nexmo.com";
/// What `callback` may have, in characters.
const LONGEST_CALLBACK: usize = 100;

/// Which account to use, and how messages are sent.
///
/// A plain value; [`Vonage::new`](super::Vonage::new) checks it.
pub struct VonageConfig {
    pub(super) api_key: String,
    api_secret: Option<Credential>,
    signature_secret: Option<Credential>,
    pub(super) from: String,
    pub(super) callback: Option<String>,
    pub(super) http: ClientConfig,
    pub(super) clock: Arc<dyn Clock>,
}

impl VonageConfig {
    /// The account's key, and who messages are from: a name of 1 to 11 letters and digits,
    /// or a number of the account's own.
    #[must_use]
    pub fn new(api_key: &str, from: &str) -> Self {
        Self {
            api_key: api_key.to_owned(),
            api_secret: None,
            signature_secret: None,
            from: from.to_owned(),
            callback: None,
            http: ClientConfig::new(BASE_URL),
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// Logs in by the account's secret.
    #[must_use]
    pub fn api_secret(mut self, secret: impl Into<String>) -> Self {
        self.api_secret = Some(Credential::new(secret));
        self
    }

    /// Signs every request by the account's signature secret (HMAC-SHA256) instead, so that
    /// no secret travels. Vonage takes one of both, and refuses the two together.
    #[must_use]
    pub fn sign_by(mut self, signature_secret: impl Into<String>) -> Self {
        self.signature_secret = Some(Credential::new(signature_secret));
        self
    }

    /// Where delivery receipts are to come: at most 100 characters. Without it they go to
    /// where the account's settings say.
    #[must_use]
    pub fn callback_url(mut self, url: &str) -> Self {
        self.callback = Some(url.to_owned());
        self
    }

    /// Changes how it is reached: at `https://rest.nexmo.com`, by the system's certificate
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
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !(1..=32).contains(&self.api_key.len()) || !plain(&self.api_key) {
            return Err(VonageConfigError::ApiKey);
        }
        if !is_sender(&self.from) {
            return Err(VonageConfigError::From);
        }
        let graphic = |url: &str| url.bytes().all(|b| b.is_ascii_graphic());
        match &self.callback {
            Some(url) if url.len() > LONGEST_CALLBACK || !graphic(url) || !is_http(url) => {
                Err(VonageConfigError::Callback)
            }
            _ => Ok(()),
        }
    }

    /// The one way to log in that was set.
    pub(super) fn login(&self) -> Result<Login, VonageConfigError> {
        let usable = |secret: &Credential| {
            let text = secret.reveal();
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
        };
        match (&self.api_secret, &self.signature_secret) {
            (Some(secret), None) if usable(secret) => {
                Ok(Login::Secret(Credential::new(secret.reveal())))
            }
            (None, Some(secret)) if usable(secret) => Ok(Login::Signature(Key::new(
                HMAC_SHA256,
                secret.reveal().as_bytes(),
            ))),
            (Some(_), Some(_)) => Err(VonageConfigError::BothSecrets),
            _ => Err(VonageConfigError::Secret),
        }
    }
}

/// How a request says whose it is.
pub(super) enum Login {
    Secret(Credential),
    Signature(Key),
}

impl fmt::Debug for VonageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageConfig")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VonageConfigError {
    /// Not a key.
    #[error("vonage api_key: letters and digits, as the dashboard shows it")]
    ApiKey,
    /// No secret, or one that no header can have.
    #[error("vonage: set api_secret or signature_secret; neither is empty or has a space")]
    Secret,
    /// Two ways to log in.
    #[error("vonage: api_secret and sign_by exclude each other; keep one")]
    BothSecrets,
    /// Neither a name nor a number.
    #[error(
        "vonage from: a name of 1 to 11 letters and digits, or a number of the account's own as 4712345678"
    )]
    From,
    /// An address that Vonage does not take.
    #[error("vonage callback: an https:// url of at most 100 characters, without spaces")]
    Callback,
    /// The address, the certificates or the time-out.
    #[error("vonage: {0}")]
    Client(#[from] ClientConfigError),
}

fn is_http(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn is_sender(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let number = (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    // Vonage drops spaces, and so the person would see another name than was meant.
    let name = (1..=11).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    number || name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &VonageConfig) -> Option<VonageConfigError> {
        config.check().and_then(|()| config.login()).err()
    }

    fn config() -> VonageConfig {
        VonageConfig::new("abcd1234", "Example").api_secret("918273")
    }

    #[test]
    fn what_cannot_work_is_named() {
        use VonageConfigError as E;
        assert_eq!(refused(&config()), None);
        for key in ["", "abcd 1234", "abcd:1234", &"a".repeat(33)] {
            let config = VonageConfig::new(key, "Example").api_secret("s");
            assert_eq!(refused(&config), Some(E::ApiKey), "{key}");
        }
        for from in [
            "",
            "My Brand",
            "TwelveLetter",
            "Brånd",
            "+",
            "12",
            "1234567890123456",
        ] {
            let config = VonageConfig::new("abcd1234", from).api_secret("s");
            assert_eq!(refused(&config), Some(E::From), "{from}");
        }
        for from in ["A", "My-Brand", "+4712345678", "4712345678", "2424"] {
            let config = VonageConfig::new("abcd1234", from).api_secret("s");
            assert_eq!(refused(&config), None, "{from}");
        }
        let none = || VonageConfig::new("abcd1234", "Example");
        assert_eq!(refused(&none()), Some(E::Secret));
        assert_eq!(refused(&none().api_secret("")), Some(E::Secret));
        assert_eq!(refused(&none().sign_by("a\nb")), Some(E::Secret));
        assert_eq!(refused(&none().sign_by("s")), None);
        assert_eq!(refused(&config().sign_by("s")), Some(E::BothSecrets));
        let long = format!("https://example.com/{}", "r".repeat(81));
        assert_eq!(refused(&config().callback_url(&long[..100])), None);
        for url in [&long, "example.com", "https://example.com/a b", ""] {
            assert_eq!(
                refused(&config().callback_url(url)),
                Some(E::Callback),
                "{url}"
            );
        }
    }

    #[test]
    fn a37_a_configuration_shows_no_secret_in_debug() {
        let text = format!("{:?} {:?}", config(), config().sign_by("555444333"));
        for secret in ["918273", "abcd1234", "555444333"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
