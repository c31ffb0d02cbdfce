//! Which store, and how it is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::raw::RawStore;
use super::{ConfigError, SecretText};

const URL: &str = "sqlite:./data/countersign.db";
const TIMEOUT_MILLIS: u32 = 2000;

/// The store, and what can be said of it beside its URL.
#[derive(Debug)]
pub(crate) struct StoreConfig {
    pub(crate) url: StoreUrl,
    /// An own CA for its TLS.
    pub(crate) ca_file: Option<PathBuf>,
    /// After how long a call counts as lost.
    pub(crate) timeout: Duration,
    /// How many replicas must have a write before it is answered.
    pub(crate) wait_for_replicas: u32,
    /// Whether sessions end with the store's life.
    pub(crate) fence: bool,
}

/// Where the store is.
#[derive(Debug)]
pub(crate) enum StoreUrl {
    /// In the process, gone with it.
    Memory,
    /// One file.
    Sqlite(PathBuf),
    /// Redis: alone, behind Sentinel, or a cluster. May hold a password.
    Redis(SecretText),
    /// A database of PostgreSQL. May hold a password.
    Postgres(SecretText),
}

const REDIS: [&str; 6] = [
    "redis",
    "rediss",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
];
const POSTGRES: [&str; 2] = ["postgres", "postgresql"];
const EXPECTED: &str = "expected sqlite:PATH, memory:, redis://HOST, redis+sentinel://HOST,HOST/NAME, \
     redis+cluster://HOST,HOST, rediss:// for TLS, or postgres://USER@HOST/DATABASE";

impl StoreConfig {
    pub(super) fn resolve(raw: RawStore) -> Result<Self, ConfigError> {
        let url = StoreUrl::resolve(raw.url, raw.url_file)?;
        let misplaced = |set: bool, field: &str, of: &str| {
            if set {
                Err(ConfigError::new(field, format!("is for {of} stores")))
            } else {
                Ok(())
            }
        };
        let redis = matches!(url, StoreUrl::Redis(_));
        misplaced(
            raw.ca_file.is_some() && !url.is_shared(),
            "store.ca_file",
            "redis and postgres",
        )?;
        misplaced(
            raw.timeout_ms.is_some() && !url.is_shared(),
            "store.timeout_ms",
            "redis and postgres",
        )?;
        misplaced(
            raw.wait_for_replicas.is_some() && !redis,
            "store.wait_for_replicas",
            "redis",
        )?;
        let timeout = match raw.timeout_ms.unwrap_or(TIMEOUT_MILLIS) {
            millis @ 10..=60_000 => Duration::from_millis(millis.into()),
            _ => {
                return Err(ConfigError::new(
                    "store.timeout_ms",
                    "expected 10 to 60000 milliseconds",
                ));
            }
        };
        Ok(Self {
            url,
            ca_file: raw.ca_file,
            timeout,
            wait_for_replicas: raw.wait_for_replicas.unwrap_or(0).into(),
            fence: !raw.dangerous_unfenced.unwrap_or(false),
        })
    }
}

impl StoreUrl {
    fn resolve(url: Option<SecretText>, file: Option<PathBuf>) -> Result<Self, ConfigError> {
        let field = if file.is_some() {
            "store.url_file"
        } else {
            "store.url"
        };
        let url = SecretText::either("store.url", url, file)?;
        let url = url.unwrap_or_else(|| SecretText::new(URL.to_owned()));
        Self::parse(url).map_err(|problem| ConfigError::new(field, problem))
    }

    /// Reads a URL. What is refused is not quoted: it may hold a password.
    fn parse(url: SecretText) -> Result<Self, &'static str> {
        let text = url.reveal();
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') {
                return Err("a path is expected after `sqlite:`");
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        match text.split_once("://") {
            Some((_, "")) => Err("a host is expected after `://`"),
            Some((scheme, _)) if REDIS.contains(&scheme) => Ok(Self::Redis(url)),
            Some((scheme, _)) if POSTGRES.contains(&scheme) => Ok(Self::Postgres(url)),
            _ => Err(EXPECTED),
        }
    }

    /// Whether several servers can use it, each of which must then be given the same
    /// secrets.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Redis(_) | Self::Postgres(_))
    }

    /// Whether it ends with its process.
    pub(crate) const fn is_memory(&self) -> bool {
        matches!(self, Self::Memory)
    }
}

/// Without user, password and options.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Redis(url) | Self::Postgres(url) => {
                let (scheme, rest) = url.reveal().split_once("://").unwrap_or_default();
                let rest = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
                let hosts = rest.split(['?', '#']).next().unwrap_or_default();
                write!(f, "{scheme}://{hosts}")
            }
        }
    }
}
