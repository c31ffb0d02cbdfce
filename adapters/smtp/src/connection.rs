//! Opening a connection: TCP, TLS as the URL demands, login.

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;

use crate::config::{SmtpConfig, SmtpConfigError};
use crate::endpoint::{Endpoint, Security};
use crate::failure::{Failure, Stage};
use crate::line_stream::LineStream;

const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Opens connections to one server, as one user.
pub(crate) struct Connector {
    endpoint: Endpoint,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
}

impl Connector {
    /// Checks all that can be checked without the server.
    pub(crate) fn new(config: &SmtpConfig) -> Result<Self, SmtpConfigError> {
        let endpoint = Endpoint::parse(&config.url)?;
        let tls = match (endpoint.security, &config.ca_pem) {
            (Security::DangerousPlain, Some(_)) => return Err(SmtpConfigError::CaWithoutTls),
            (Security::DangerousPlain, None) => None,
            (_, ca) => Some(tls(&endpoint.host, ca.as_deref())?),
        };
        let credentials = match (&endpoint.user, &config.password) {
            (None, None) => None,
            (Some(_), None) => return Err(SmtpConfigError::NoPassword),
            (None, Some(_)) => return Err(SmtpConfigError::NoUser),
            (Some(user), Some(password)) => {
                let secret = password.reveal();
                if secret.is_empty() || secret.chars().any(char::is_control) {
                    return Err(SmtpConfigError::Password);
                }
                Some(Credentials::new(user.clone(), secret.to_owned()))
            }
        };
        Ok(Self {
            endpoint,
            tls,
            credentials,
            hello: hello(),
        })
    }

    /// The server, for people: never the user.
    pub(crate) fn server(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }

    /// A connection on which a message can be sent.
    pub(crate) async fn open(&self) -> Result<AsyncSmtpConnection, Failure> {
        let mut connection = self.connect().await?;
        if let Some(credentials) = &self.credentials {
            if connection
                .server_info()
                .get_auth_mechanism(&MECHANISMS)
                .is_none()
            {
                return Err(Failure::NoLogin);
            }
            connection
                .auth(&MECHANISMS, credentials)
                .await
                .map_err(|error| Failure::at(Stage::Login, &error))?;
        }
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let address = (self.endpoint.host.as_str(), self.endpoint.port);
        if self.endpoint.security == Security::Tls {
            // No time-out of its own: the whole delivery has one.
            let tls = self.tls.clone();
            return AsyncSmtpConnection::connect_tokio1(address, None, &self.hello, tls, None)
                .await
                .map_err(|error| Failure::at(Stage::Connect, &error));
        }
        let lost = Failure::Lost {
            stage: Stage::Connect,
        };
        let Ok(tcp) = TcpStream::connect(address).await else {
            return Err(lost);
        };
        // Each command waits for its answer, so small packets must not.
        if tcp.set_nodelay(true).is_err() {
            return Err(lost);
        }
        let stream = Box::new(LineStream::new(tcp));
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &self.hello)
            .await
            .map_err(|error| Failure::at(Stage::Connect, &error))?;
        if let Some(tls) = &self.tls {
            if !connection.can_starttls() {
                return Err(Failure::NoStartTls);
            }
            connection
                .starttls(tls.clone(), &self.hello)
                .await
                .map_err(|error| Failure::at(Stage::Tls, &error))?;
            if !connection.is_encrypted() {
                return Err(Failure::Lost { stage: Stage::Tls });
            }
        }
        Ok(connection)
    }
}

fn tls(host: &str, ca: Option<&[u8]>) -> Result<TlsParameters, SmtpConfigError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca {
        if !pem
            .windows(27)
            .any(|window| window == b"-----BEGIN CERTIFICATE-----")
        {
            return Err(SmtpConfigError::Ca);
        }
        let roots = Certificate::from_pem(pem).map_err(|_| SmtpConfigError::Ca)?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(roots);
    }
    let refused = if ca.is_some() {
        SmtpConfigError::Ca
    } else {
        SmtpConfigError::Tls
    };
    builder.build().map_err(|_| refused)
}

/// The name for EHLO: the machine's own where it is fit for a command, else the address
/// literal that RFC 5321 (4.1.4) wants in its place.
fn hello() -> ClientId {
    match ClientId::default() {
        ClientId::Domain(name)
            if !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b)) =>
        {
            ClientId::Domain(name)
        }
        ClientId::Domain(_) => ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST),
        other => other,
    }
}
