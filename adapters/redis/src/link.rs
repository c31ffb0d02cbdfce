//! One connection to one server, on which many calls travel at once.

use std::io;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, Pipeline, RedisConnectionInfo, RedisError, Value};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::address::{Endpoint, Login};
use crate::error::{Error, Fault};

/// So many calls may wait to be written before a caller waits for room.
const QUEUE: usize = 1024;

/// How connections are made. Not `Debug`: it holds the password.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) login: Login,
    pub(crate) database: u16,
    pub(crate) timeout: Duration,
    /// How much longer an answer may take that waits for replicas.
    pub(crate) replica_timeout: Duration,
}

/// An open connection. Dropping it closes it.
pub(crate) struct Link {
    endpoint: Endpoint,
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
    timeout: Duration,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Dialer {
    /// Connects and logs in, all within the time-out.
    pub(crate) async fn dial(&self, endpoint: &Endpoint) -> Result<Link, Error> {
        let dialled = tokio::time::timeout(self.timeout, self.open(endpoint)).await;
        let late = |_| Error::Late {
            endpoint: endpoint.clone(),
            limit: self.timeout,
        };
        dialled.map_err(late)?
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<Link, Error> {
        let wire = self.wire(endpoint).await?;
        let mut info = RedisConnectionInfo::default()
            .set_skip_set_lib_name()
            .set_db(self.database.into());
        if let Some(user) = &self.login.user {
            info = info.set_username(user);
        }
        if let Some(password) = &self.login.password {
            info = info.set_password(password);
        }
        let timeout = self.timeout + self.replica_timeout;
        // The client library has a time-out of its own, of 500 ms unless it is told.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(timeout))
            .set_pipeline_buffer_size(QUEUE);
        let (connection, driver) = MultiplexedConnection::new_with_config(&info, wire, config)
            .await
            .map_err(|error| unlogged(endpoint, &error))?;
        Ok(Link {
            endpoint: endpoint.clone(),
            connection,
            driver: tokio::spawn(driver),
            timeout,
        })
    }

    async fn wire(&self, endpoint: &Endpoint) -> Result<Box<dyn Wire>, Error> {
        let unreachable = |error| Error::Connect(endpoint.clone(), error);
        let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port))
            .await
            .map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let untrusted = |error| Error::Handshake(endpoint.clone(), error);
        let name = ServerName::try_from(endpoint.host.clone())
            .map_err(|error| untrusted(io::Error::other(error)))?;
        let stream = tls.connect(name, stream).await.map_err(untrusted)?;
        Ok(Box::new(stream))
    }
}

impl Link {
    /// Whether calls can still be sent. When the server has closed it, a call that was not
    /// yet sent goes over another, and nothing is in doubt.
    pub(crate) fn is_open(&self) -> bool {
        !self.driver.is_finished()
    }

    /// Sends commands in one go and gives an answer for each. What the server refuses is
    /// among the answers; an error means that the outcome is unknown.
    pub(crate) async fn send(
        &self,
        commands: &Pipeline,
        count: usize,
    ) -> Result<Vec<Value>, Fault> {
        let mut connection = self.connection.clone();
        match connection.send_packed_commands(commands, 0, count).await {
            Ok(answers) if answers.len() == count => Ok(answers),
            Ok(_) => Err(Fault::Unknown(Error::Protocol(self.endpoint.clone()))),
            Err(error) => Err(Fault::Unknown(self.explain(&error))),
        }
    }

    fn explain(&self, error: &RedisError) -> Error {
        let endpoint = self.endpoint.clone();
        if error.is_timeout() {
            Error::Late {
                endpoint,
                limit: self.timeout,
            }
        } else if error.kind() == ErrorKind::Parse {
            Error::Protocol(endpoint)
        } else {
            Error::Closed(endpoint)
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Why a login did not come about.
fn unlogged(endpoint: &Endpoint, error: &RedisError) -> Error {
    let endpoint = endpoint.clone();
    match error.code() {
        Some("WRONGPASS") => Error::Login(endpoint),
        _ if error.kind() == ErrorKind::AuthenticationFailed => Error::Login(endpoint),
        Some(code) => Error::Refused {
            endpoint,
            code: code.to_owned(),
        },
        None if error.kind() == ErrorKind::Parse => Error::Protocol(endpoint),
        None => Error::Closed(endpoint),
    }
}
