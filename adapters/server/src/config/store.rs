//! Which store, and how it is reached.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::raw::RawStore;
use super::{ConfigError, SecretText};

const URL: &str = "sqlite:./data/countersign.db";
const TIMEOUT_MILLIS: u32 = 2000;
/// As the adapter has it.
const POOL_SIZE: u32 = 16;

/// The store, and what can be said of it beside its URL.
#[derive(Debug)]
pub(crate) struct StoreConfig {
    pub(crate) url: StoreUrl,
    /// An own CA for its TLS.
    pub(crate) ca_file: Option<PathBuf>,
    /// After how long a call counts as lost.
    pub(crate) timeout: Duration,
    /// Connections of this process to PostgreSQL, at most.
    pub(crate) pool_size: u32,
    /// How many replicas must have a write before it is answered.
    pub(crate) wait_for_replicas: u32,
    /// Who asks the sentinels, where they have a login of their own.
    pub(crate) sentinel_login: Option<SentinelLogin>,
    /// Whether sessions end with the store's life.
    pub(crate) fence: bool,
}

/// User (empty where there is but a password) and password of the sentinels.
#[derive(Debug)]
pub(crate) struct SentinelLogin {
    pub(crate) user: String,
    pub(crate) password: SecretText,
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
const SENTINEL: &str = "redis+sentinel";
const POSTGRES: [&str; 2] = ["postgres", "postgresql"];
const EXPECTED: &str = "expected sqlite:PATH, memory:, redis://HOST, redis+sentinel://HOST,HOST/NAME, \
     redis+cluster://HOST,HOST, rediss:// for TLS, or postgres://USER@HOST/DATABASE";

impl StoreConfig {
    pub(super) fn resolve(raw: RawStore) -> Result<Self, ConfigError> {
        let url = StoreUrl::resolve(raw.url, raw.url_file)?;
        let redis = matches!(url, StoreUrl::Redis(_));
        let postgres = matches!(url, StoreUrl::Postgres(_));
        let (sentinel, either) = (url.has_sentinels(), "redis and postgres");
        for (field, set, fits, of) in [
            ("ca_file", raw.ca_file.is_some(), url.is_shared(), either),
            (
                "timeout_ms",
                raw.timeout_ms.is_some(),
                url.is_shared(),
                either,
            ),
            ("pool_size", raw.pool_size.is_some(), postgres, "postgres"),
            (
                "wait_for_replicas",
                raw.wait_for_replicas.is_some(),
                redis,
                "redis",
            ),
            (
                "sentinel_user",
                raw.sentinel_user.is_some(),
                sentinel,
                SENTINEL,
            ),
            (
                "sentinel_password",
                raw.sentinel_password.is_some(),
                sentinel,
                SENTINEL,
            ),
            (
                "sentinel_password_file",
                raw.sentinel_password_file.is_some(),
                sentinel,
                SENTINEL,
            ),
        ] {
            if set && !fits {
                let problem = format!("is for {of} stores");
                return Err(ConfigError::new(format!("store.{field}"), problem));
            }
        }
        let timeout = raw.timeout_ms.unwrap_or(TIMEOUT_MILLIS);
        let timeout = within("store.timeout_ms", timeout, 10..=60_000, "milliseconds")?;
        let pool_size = raw.pool_size.unwrap_or(POOL_SIZE);
        let password = SecretText::either(
            "store.sentinel_password",
            raw.sentinel_password,
            raw.sentinel_password_file,
        )?;
        Ok(Self {
            url,
            ca_file: raw.ca_file,
            timeout: Duration::from_millis(timeout.into()),
            pool_size: within("store.pool_size", pool_size, 1..=1000, "connections")?,
            wait_for_replicas: raw.wait_for_replicas.unwrap_or(0).into(),
            sentinel_login: SentinelLogin::of(raw.sentinel_user, password)?,
            fence: !raw.dangerous_unfenced.unwrap_or(false),
        })
    }
}

fn within(
    field: &str,
    value: u32,
    range: RangeInclusive<u32>,
    unit: &str,
) -> Result<u32, ConfigError> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = range.into_inner();
    Err(ConfigError::new(
        field,
        format!("expected {least} to {most} {unit}"),
    ))
}

impl SentinelLogin {
    fn of(user: Option<String>, password: Option<SecretText>) -> Result<Option<Self>, ConfigError> {
        match (user, password) {
            (user, Some(password)) => Ok(Some(Self {
                user: user.unwrap_or_default(),
                password,
            })),
            // Redis lets nobody in by a name alone.
            (Some(_), None) => Err(ConfigError::new(
                "store.sentinel_user",
                "is set, and no password is: set store.sentinel_password or its `_file` form",
            )),
            (None, None) => Ok(None),
        }
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

    /// Whether sentinels are asked for the server.
    fn has_sentinels(&self) -> bool {
        match self {
            Self::Redis(url) => {
                let scheme = url.reveal().split_once("://");
                scheme.is_some_and(|(scheme, _)| scheme.ends_with("+sentinel"))
            }
            _ => false,
        }
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
