//! What an operator sets.

use std::fmt;
use std::sync::Arc;

use countersign::{Clock, SystemClock};
use countersign_provider::{Client, ClientConfig, ClientConfigError, Credential};
use thiserror::Error;

/// Which SNS to use, and as whom.
///
/// A plain value; [`Sns::new`](super::Sns::new) checks it.
pub struct SnsConfig {
    pub(super) region: String,
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Credential,
    pub(super) session_token: Option<Credential>,
    pub(super) from: Option<String>,
    pub(super) max_price: Option<String>,
    http: ClientConfig,
    pub(super) clock: Arc<dyn Clock>,
}

impl SnsConfig {
    /// SNS of a region such as `eu-north-1`, with an access key that may `sns:Publish`.
    #[must_use]
    pub fn new(region: &str, access_key_id: &str, secret_access_key: impl Into<String>) -> Self {
        Self {
            region: region.to_owned(),
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Credential::new(secret_access_key),
            session_token: None,
            from: None,
            max_price: None,
            http: ClientConfig::new(&url(region)),
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// The session token of temporary credentials.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(Credential::new(token));
        self
    }

    /// Who the message is from: a sender id of 1 to 11 letters, digits and hyphens with at
    /// least one letter, or a number of the account's own in E.164. The account's default
    /// unless set.
    #[must_use]
    pub fn from(mut self, from: &str) -> Self {
        self.from = Some(from.to_owned());
        self
    }

    /// The most that one message may cost, in US dollars, as in `0.50`: above it AWS does
    /// not send.
    #[must_use]
    pub fn max_price(mut self, dollars: &str) -> Self {
        self.max_price = Some(dollars.to_owned());
        self
    }

    /// Changes how it is reached: at the region's own address, by the system's certificate
    /// authorities, within 10 seconds.
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(ClientConfig) -> ClientConfig) -> Self {
        self.http = change(self.http);
        self
    }

    /// The clock whose time is signed: AWS refuses what is off by more than 5 minutes. The
    /// system's unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    pub(super) fn check(self) -> Result<Checked, SnsConfigError> {
        if !is_region(&self.region) {
            return Err(SnsConfigError::Region);
        }
        if !is_key_id(&self.access_key_id) {
            return Err(SnsConfigError::AccessKeyId);
        }
        if !is_one_word(self.secret_access_key.reveal()) {
            return Err(SnsConfigError::SecretAccessKey);
        }
        if let Some(token) = &self.session_token
            && !is_one_word(token.reveal())
        {
            return Err(SnsConfigError::SessionToken);
        }
        if self.from.as_deref().is_some_and(|from| !is_sender(from)) {
            return Err(SnsConfigError::From);
        }
        if self
            .max_price
            .as_deref()
            .is_some_and(|price| !is_price(price))
        {
            return Err(SnsConfigError::MaxPrice);
        }
        let client = Client::new(&self.http)?;
        Ok(Checked {
            client,
            config: self,
        })
    }
}

/// A configuration without a mistake, and the client made from it.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) client: Client,
    pub(super) config: SnsConfig,
}

impl fmt::Debug for SnsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnsConfig")
            .field("region", &self.region)
            .field("from", &self.from)
            .field("max_price", &self.max_price)
            .finish_non_exhaustive()
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SnsConfigError {
    /// Not the name of a region.
    #[error("sns region: write its name as AWS does, for instance eu-north-1")]
    Region,
    /// Not an access key's id.
    #[error("sns access_key_id: 16 to 128 letters and digits, without spaces")]
    AccessKeyId,
    /// An empty secret, or one with spaces or a line break.
    #[error("sns secret_access_key: is empty or has a space, a control or a line break")]
    SecretAccessKey,
    /// An empty token, or one with spaces or a line break.
    #[error("sns session_token: is empty or has a space, a control or a line break")]
    SessionToken,
    /// Neither a sender id nor a number.
    #[error(
        "sns from: 1 to 11 letters, digits and hyphens with at least one letter, or a number as +4712345678"
    )]
    From,
    /// Not an amount.
    #[error("sns max_price: write US dollars with at most 5 decimals, for instance 0.50")]
    MaxPrice,
    /// The address, the certificates or the time-out.
    #[error("sns: {0}")]
    Client(#[from] ClientConfigError),
}

/// The partitions in China have a domain of their own ("Amazon SNS endpoints and quotas",
/// AWS General Reference).
fn url(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://sns.{region}.amazonaws.com{suffix}")
}

fn is_region(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (4..=32).contains(&text.len()) && text.contains('-') && text.bytes().all(fits)
}

/// `AccessKeyId` in the IAM API reference.
fn is_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// "Publishing SMS messages to a mobile phone" in the SNS developer guide.
fn is_sender(text: &str) -> bool {
    let id = (1..=11).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    let digits = text.strip_prefix('+').unwrap_or_default();
    let number = (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    id || number
}

fn is_price(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(part) && whole.len() <= 4 && part.len() <= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn config() -> SnsConfig {
        SnsConfig::new("eu-north-1", "AKIAIOSFODNN7EXAMPLE", SECRET)
    }

    fn refused(config: SnsConfig) -> Option<SnsConfigError> {
        config.check().err()
    }

    #[test]
    fn a_region_has_its_own_address() {
        for (config, host) in [
            (config(), "sns.eu-north-1.amazonaws.com"),
            (
                SnsConfig::new("cn-north-1", "AKIAIOSFODNN7EXAMPLE", SECRET),
                "sns.cn-north-1.amazonaws.com.cn",
            ),
            (
                config().http(|http| http.base_url("https://vpce-1.example.com")),
                "vpce-1.example.com",
            ),
        ] {
            assert_eq!(config.check().unwrap().client.authority(), host);
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        use SnsConfigError as E;
        let region = |text| SnsConfig::new(text, "AKIAIOSFODNN7EXAMPLE", SECRET);
        for text in [
            "",
            "eu",
            "EU-north-1",
            "eu-north-1/",
            "eu-north-1.evil",
            "a-b c",
        ] {
            assert_eq!(refused(region(text)), Some(E::Region), "{text}");
        }
        for text in [
            "",
            "AKIASHORT",
            "AKIA OSFODNN7EXAMPLE",
            "AKIAIOSFODNN7EXAMPLE\n",
        ] {
            let config = SnsConfig::new("eu-north-1", text, SECRET);
            assert_eq!(refused(config), Some(E::AccessKeyId), "{text}");
        }
        for text in ["", "a b", "a\n"] {
            let config = SnsConfig::new("eu-north-1", "AKIAIOSFODNN7EXAMPLE", text);
            assert_eq!(refused(config), Some(E::SecretAccessKey));
            assert_eq!(refused(config_with_token(text)), Some(E::SessionToken));
        }
        for text in [
            "",
            "12345",
            "TwelveLetter",
            "My Brand",
            "Brånd",
            "+",
            "+12a45",
            "+1234",
        ] {
            assert_eq!(refused(config().from(text)), Some(E::From), "{text}");
        }
        for text in ["", "-1", ".5", "1.", "1.234567", "1,5", "12345", "1e2"] {
            assert_eq!(
                refused(config().max_price(text)),
                Some(E::MaxPrice),
                "{text}"
            );
        }
        let plain = refused(config().http(|http| http.base_url("http://sns.example.com")));
        assert_eq!(plain, Some(E::Client(ClientConfigError::Plain)));
    }

    fn config_with_token(token: &str) -> SnsConfig {
        config().session_token(token)
    }

    #[test]
    fn what_works_is_taken() {
        for from in ["Example", "A", "My-Brand-1", "+4712345678", "+12345"] {
            assert_eq!(refused(config().from(from)), None, "{from}");
        }
        for price in ["0.50", "1", "0.00645", "1234.5"] {
            assert_eq!(refused(config().max_price(price)), None, "{price}");
        }
        assert_eq!(refused(config_with_token("IQoJb3JpZ2luX2Vj==")), None);
    }

    #[test]
    fn a37_a_configuration_shows_no_key_in_debug() {
        let config = config_with_token("IQoJb3JpZ2luX2Vj==");
        let text = format!("{config:?} {:?}", config_with_token("x").check());
        for secret in [SECRET, "IQoJb3", "AKIAIOSFODNN7EXAMPLE"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
