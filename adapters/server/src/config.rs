//! Configuration: defaults, then one TOML file, then the environment.

mod environment;
mod error;
mod file;
mod numbers;
mod policy;
mod provider;
mod providers;
mod raw;
mod resolve;
mod sandbox;
mod secret_text;
mod store;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use countersign::{Code, Destination, Limit, Policy, Tenant};
use countersign_numbers::NumbersConfig;
use ipnet::IpNet;

pub(crate) use self::error::ConfigError;
pub(crate) use self::provider::{Provider, Route};
pub(crate) use self::providers::Providers;
pub(crate) use self::resolve::SECRET_FILE;
pub(crate) use self::secret_text::{SecretText, called};
pub(crate) use self::store::{StoreConfig, StoreUrl};

/// A valid configuration. That the deliverers it names can work is wiring's to say.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) production: bool,
    pub(crate) dangerous_console: bool,
    pub(crate) public_url: Option<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) trusted_proxies_name_end_users: bool,
    pub(crate) secret_file: PathBuf,
    pub(crate) log_format: LogFormat,
    pub(crate) shutdown_grace_seconds: u64,
    pub(crate) drain_seconds: u64,
    pub(crate) max_in_flight: usize,
    pub(crate) failure_alarm: Option<Limit>,
    pub(crate) store: StoreConfig,
    pub(crate) routes: Vec<Route>,
    pub(crate) smtp: Option<SmtpConfig>,
    pub(crate) providers: Providers,
    pub(crate) numbers: NumbersConfig,
    pub(crate) test_destinations: Vec<(Destination, Code)>,
    pub(crate) jwt: JwtConfig,
    pub(crate) policy: Policy,
    pub(crate) messages: MessagesConfig,
    pub(crate) api_keys: Vec<StaticKey>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The mail server.
#[derive(Debug)]
pub(crate) struct SmtpConfig {
    pub(crate) url: Option<SecretText>,
    pub(crate) password: Option<SecretText>,
    pub(crate) from: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// How dashboard tokens are verified.
#[derive(Debug)]
pub(crate) struct JwtConfig {
    pub(crate) key: JwtKey,
    pub(crate) audience: String,
    pub(crate) tenant_claim: String,
}

/// What verifies a dashboard token.
#[derive(Debug)]
pub(crate) enum JwtKey {
    /// The secret file beside the master keys, made at the first start.
    Made(PathBuf),
    /// A secret that signs and verifies.
    Hs256(SecretText),
    /// A PEM file with an Ed25519 public key.
    EdDsa(PathBuf),
}

/// The words of the messages.
#[derive(Debug)]
pub(crate) struct MessagesConfig {
    pub(crate) brand: String,
    pub(crate) dir: Option<PathBuf>,
}

/// An API key that needs no store.
#[derive(Debug)]
pub(crate) struct StaticKey {
    pub(crate) tenant: Tenant,
    pub(crate) scopes: Vec<String>,
    pub(crate) sha256: [u8; 32],
}

/// The file that is read where it lies in the working directory and none is named.
const DEFAULT_FILE: &str = "countersign.toml";

impl Config {
    /// Reads the file (the named one, or the default one where there is one) and the
    /// environment.
    ///
    /// # Errors
    /// [`ConfigError`] that names the field, and the variable or the file and line.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read(file, std::env::vars_os())
    }

    /// [`Config::load`] in another environment than the process' own, which no program can
    /// change safely.
    pub(crate) fn read(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let file = match file {
            Some(path) => Some(file::File::read(path)?),
            None if Path::new(DEFAULT_FILE).exists() => {
                Some(file::File::read(Path::new(DEFAULT_FILE))?)
            }
            None => None,
        };
        Self::layered(file.as_ref(), variables)
    }

    fn layered(
        file: Option<&file::File>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let overlay = environment::Overlay::read(variables)?;
        let mut table = file.map(file::File::table).transpose()?.unwrap_or_default();
        overlay.lay_over(&mut table);
        let raw = raw::Raw::from_table(table)?;
        resolve::resolve(raw).map_err(|wrong| {
            let place = overlay
                .variable_of(wrong.field())
                .or_else(|| file.and_then(|file| file.place_of(wrong.field())));
            wrong.at(place)
        })
    }

    /// Whether no channel but the console delivers anything, so that nothing costs.
    pub(crate) fn only_console(&self) -> bool {
        provider::only_console(&self.routes)
    }

    /// Whether a server makes itself an API key at each start, for trying things out: not
    /// where anybody but the terminal receives codes.
    pub(crate) fn draws_a_key(&self) -> bool {
        !self.production && self.only_console()
    }
}

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;
