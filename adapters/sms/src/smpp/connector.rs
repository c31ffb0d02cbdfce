//! Opening a connection: TCP, TLS as the URL demands, bind.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_provider::Credential;
use countersign_tls::{TlsError, client_config};
use rusmpp::pdus::{BindTransceiver, BindTransmitter};
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rusmpp::{CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use zeroize::Zeroizing;

use super::config::{SmppConfig, SmppConfigError};
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::frame::{Frame, octets};

/// The sequence number of the bind; requests go on from the next.
const BIND: u32 = 1;
/// The first sequence number after the bind.
pub(super) const AFTER_BIND: u32 = BIND + 1;

/// A connection, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Opens connections to one message centre, as one user.
pub(super) struct Connector {
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    system_id: COctetString<1, 16>,
    password: Credential,
    system_type: COctetString<1, 13>,
    transmitter_only: bool,
}

impl Connector {
    /// Checks all that can be checked without the message centre.
    pub(super) fn new(config: SmppConfig) -> Result<Self, SmppConfigError> {
        let endpoint = Endpoint::parse(&config.url)?;
        let tls = match (endpoint.tls, &config.ca_pem) {
            (false, Some(_)) => return Err(SmppConfigError::CaWithoutTls),
            (false, None) => None,
            (true, ca) => Some(tls(&endpoint.host, ca.as_deref())?),
        };
        let password = config.password.ok_or(SmppConfigError::Password)?;
        let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
        let secret = password.reveal();
        if !((1..=8).contains(&secret.len()) && printable(secret)) {
            return Err(SmppConfigError::Password);
        }
        if !(config.system_type.len() <= 12 && printable(&config.system_type)) {
            return Err(SmppConfigError::SystemType);
        }
        Ok(Self {
            system_id: text(&endpoint.user).ok_or(SmppConfigError::User)?,
            system_type: text(&config.system_type).ok_or(SmppConfigError::SystemType)?,
            endpoint,
            tls,
            password,
            transmitter_only: config.transmitter_only,
        })
    }

    /// Whether receipts come on these connections.
    pub(super) const fn receives(&self) -> bool {
        !self.transmitter_only
    }

    /// The message centre, for people: never the user.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }

    /// A bound connection, at most so long after.
    pub(super) async fn open(&self, patience: Duration) -> Result<Box<dyn Wire>, Failure> {
        let opened = tokio::time::timeout(patience, async {
            let mut wire = self.connect().await?;
            self.bind(&mut wire).await?;
            Ok(wire)
        });
        opened.await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn connect(&self) -> Result<Box<dyn Wire>, Failure> {
        let address = (self.endpoint.host.as_str(), self.endpoint.port);
        let tcp = TcpStream::connect(address).await;
        let tcp = tcp.map_err(|_| Failure::Unreachable)?;
        // Each submit waits for its answer, so small packets must not.
        tcp.set_nodelay(true).map_err(|_| Failure::Unreachable)?;
        let Some((connector, name)) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        let tls = connector.connect(name.clone(), tcp).await;
        Ok(Box::new(tls.map_err(|_| Failure::Tls)?))
    }

    async fn bind(&self, wire: &mut impl Wire) -> Result<(), Failure> {
        let request = octets(CommandStatus::EsmeRok, BIND, self.request()?);
        wire.write_all(&request).await.map_err(|_| Failure::Lost)?;
        wire.flush().await.map_err(|_| Failure::Lost)?;
        loop {
            let answer = Frame::read(wire).await.map_err(|_| Failure::Lost)?;
            let fits = match answer.id {
                CommandId::GenericNack => true,
                CommandId::BindTransmitterResp => self.transmitter_only,
                CommandId::BindTransceiverResp => !self.transmitter_only,
                _ => false,
            };
            match answer.status {
                _ if !fits || answer.sequence != BIND => {}
                CommandStatus::EsmeRok if answer.id == CommandId::GenericNack => {
                    return Err(Failure::Lost);
                }
                CommandStatus::EsmeRok => return Ok(()),
                refused => return Err(Failure::Refused(refused)),
            }
        }
    }

    fn request(&self) -> Result<Pdu, Failure> {
        let mut password = Zeroizing::new(self.password.reveal().as_bytes().to_vec());
        password.push(0);
        // Lent to the codec rather than copied, so that it is wiped with the request.
        let password = COctetString::from_bytes(Bytes::from_owner(password));
        let password = password.map_err(|_| Failure::Lost)?;
        Ok(if self.transmitter_only {
            let request = BindTransmitter::builder()
                .system_id(self.system_id.clone())
                .password(password)
                .system_type(self.system_type.clone())
                .interface_version(InterfaceVersion::Smpp3_4);
            request.build().into()
        } else {
            let request = BindTransceiver::builder()
                .system_id(self.system_id.clone())
                .password(password)
                .system_type(self.system_type.clone())
                .interface_version(InterfaceVersion::Smpp3_4);
            request.build().into()
        })
    }
}

fn text<const MAX: usize>(text: &str) -> Option<COctetString<1, MAX>> {
    COctetString::from_str(text).ok()
}

fn tls(
    host: &str,
    ca: Option<&[u8]>,
) -> Result<(TlsConnector, ServerName<'static>), SmppConfigError> {
    let config = client_config(ca).map_err(|error| match error {
        TlsError::Ca => SmppConfigError::Ca,
        _ => SmppConfigError::Tls,
    })?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| SmppConfigError::Host)?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}
