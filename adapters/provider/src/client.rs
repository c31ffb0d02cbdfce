//! The HTTP client.

use std::fmt;
use std::time::Duration;

use countersign::{DeliverError, Permanent};
use countersign_tls::{TlsError, client_config};
use reqwest::{RequestBuilder, Response, Url};
use thiserror::Error;

use crate::answer::Answer;
use crate::request::{Body, Request};
use crate::{base_url, retry_after};

/// The most that is read of an answer, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// How to reach a provider.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    base_url: String,
    ca_pem: Option<Vec<u8>>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl ClientConfig {
    /// A provider by its base URL: `https://`, or `http://` on this machine, for a proxy or
    /// a test (127.0.0.1, `[::1]`, `localhost`).
    #[must_use]
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            ca_pem: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
        }
    }

    /// Another base URL, with everything else as it is.
    #[must_use]
    pub fn base_url(mut self, base_url: &str) -> Self {
        base_url.clone_into(&mut self.base_url);
        self
    }

    /// Certificate authorities in PEM. They take the place of the system's own.
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// The bound on one request, from the name's look-up to the answer's last byte: 10
    /// seconds unless set, from 1 to 60. Half of it is for the connection.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self.connect_timeout = timeout / 2;
        self
    }
}

/// Why a client cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientConfigError {
    /// Not a URL of HTTP.
    #[error("the base url is no https:// url with a host")]
    Url,
    /// Codes would cross a network in clear.
    #[error(
        "the base url is http:// to another machine; write https://, for http:// goes to 127.0.0.1, [::1] or localhost alone"
    )]
    Plain,
    /// A user or password in the URL, where it ends in logs and process lists.
    #[error("the base url holds a user or password; set them in their own fields")]
    Login,
    /// A query or a fragment.
    #[error("the base url ends after the path; remove the query or fragment")]
    Trailing,
    /// Not certificates in PEM.
    #[error("the ca holds no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----")]
    Ca,
    /// The TLS settings were refused.
    #[error("TLS cannot be set up; set ca_file")]
    Tls,
    /// A time-out out of bounds.
    #[error("the time-out is from 1 to 60 seconds")]
    Timeout,
}

impl From<TlsError> for ClientConfigError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Ca => Self::Ca,
            _ => Self::Tls,
        }
    }
}

/// Speaks HTTP/1.1 with one provider. Cheap to clone; needs a tokio runtime with I/O and
/// time.
///
/// It follows no redirects, takes no proxy from the environment, repeats nothing that was
/// written, and reads at most 64 KiB of an answer.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// Checks the configuration; connects to nothing yet.
    ///
    /// # Errors
    /// [`ClientConfigError`] says what to set. It does not repeat the URL.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientConfigError> {
        if !(Duration::from_secs(1)..=Duration::from_secs(60)).contains(&config.timeout) {
            return Err(ClientConfigError::Timeout);
        }
        let base = base_url::parse(&config.base_url)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(client_config(config.ca_pem.as_deref())?)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| ClientConfigError::Tls)?;
        Ok(Self { http, base })
    }

    /// The base URL's host, and its port where it is not the scheme's own: the `Host` of
    /// every request, for what signs it.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The base URL's path without a slash at its end: it stands before every request's.
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.base.path().trim_end_matches('/')
    }

    /// Sends one request, once, and reads the answer, whatever its status.
    ///
    /// # Errors
    /// - transient, and nothing left: no connection could be made (name, TCP, TLS);
    /// - transient, and the message may have left: the connection was cut or the time-out
    ///   came after it stood, and before a status came;
    /// - refused: the request could not be written at all, as with a line break in a
    ///   header.
    pub async fn send(&self, request: Request) -> Result<Answer, DeliverError> {
        match self.builder(request).send().await {
            Ok(response) => Ok(answer(response).await),
            Err(error) if error.is_builder() => Err(DeliverError::permanent(Permanent::Refused)),
            Err(error) if error.is_connect() => Err(DeliverError::transient()),
            Err(_) => Err(DeliverError::transient().may_have_left()),
        }
    }

    fn builder(&self, request: Request) -> RequestBuilder {
        let mut url = self.base.clone();
        if !request.path.is_empty() {
            url.set_path(&format!("{}{}", self.base_path(), request.path));
        }
        let mut builder = match request.body {
            Body::None => self.http.get(url),
            Body::Form(fields) => self.http.post(url).form(&fields),
            Body::Bytes {
                content_type,
                bytes,
            } => {
                let header = reqwest::header::CONTENT_TYPE;
                self.http.post(url).header(header, content_type).body(bytes)
            }
        };
        if let Some((user, password)) = &request.login {
            builder = builder.basic_auth(user, Some(password.reveal()));
        }
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        builder
    }
}

/// Once the status is there it is the answer, also when the body never ends.
async fn answer(mut response: Response) -> Answer {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = LONGEST_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == LONGEST_BODY {
            break;
        }
    }
    Answer {
        status: response.status().as_u16(),
        retry_after: retry_after::read(response.headers()),
        body,
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.authority())
            .finish_non_exhaustive()
    }
}
