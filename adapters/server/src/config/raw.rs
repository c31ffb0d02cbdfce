//! The shape of the file: every key, and nothing else.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::error::unquoted;
use super::numbers::{RawNumbers, RawPrices};
use super::policy::{RawPolicy, RawSwitch};
use super::providers::{Smpp, Sns, Twilio, Vonage, Webhook};
use super::sandbox::RawTestDestination;
use super::{ConfigError, LogFormat, SecretText};

/// What was written, before defaults: the keys of `countersign.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) listen: Option<SocketAddr>,
    pub(super) admin_listen: Option<SocketAddr>,
    pub(super) production: Option<bool>,
    pub(super) dangerous_console: Option<bool>,
    pub(super) public_url: Option<String>,
    pub(super) trusted_proxies: Option<Vec<IpNet>>,
    pub(super) trusted_proxies_name_end_users: Option<bool>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) shutdown_grace_seconds: Option<u16>,
    pub(super) drain_seconds: Option<u16>,
    pub(super) max_in_flight: Option<u32>,
    pub(super) failure_alarm: Option<RawSwitch>,
    pub(super) store: RawStore,
    pub(super) email: RawRoute,
    pub(super) sms: RawPhones,
    pub(super) voice: RawPhones,
    pub(super) smtp: Option<RawSmtp>,
    pub(super) twilio: Twilio,
    pub(super) vonage: Vonage,
    pub(super) sns: Sns,
    pub(super) smpp: Smpp,
    pub(super) webhook: Webhook,
    pub(super) numbers: RawNumbers,
    pub(super) prices: RawPrices,
    pub(super) test_destination: Option<Vec<RawTestDestination>>,
    pub(super) jwt: RawJwt,
    pub(super) policy: RawPolicy,
    pub(super) messages: RawMessages,
    pub(super) api_key: Option<Vec<RawApiKey>>,
}

impl Raw {
    /// Reads what file and environment together say; each was read alone before.
    pub(super) fn from_table(table: toml::Table) -> Result<Self, ConfigError> {
        table
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::new("", unquoted(error.message())))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    pub(super) url: Option<SecretText>,
    pub(super) url_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) timeout_ms: Option<u32>,
    pub(super) pool_size: Option<u32>,
    pub(super) wait_for_replicas: Option<u16>,
    pub(super) sentinel_user: Option<String>,
    pub(super) sentinel_password: Option<SecretText>,
    pub(super) sentinel_password_file: Option<PathBuf>,
    pub(super) dangerous_unfenced: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRoute {
    pub(super) via: Option<Vec<String>>,
    pub(super) dangerous_retry_lost: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPhones {
    pub(super) via: Option<Vec<String>>,
    pub(super) countries: Option<Vec<String>>,
    pub(super) dangerous_retry_lost: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSmtp {
    pub(super) url: Option<SecretText>,
    pub(super) password: Option<SecretText>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) from: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawJwt {
    pub(super) hs256_secret: Option<SecretText>,
    pub(super) hs256_secret_file: Option<PathBuf>,
    pub(super) public_key_file: Option<PathBuf>,
    pub(super) audience: Option<String>,
    pub(super) tenant_claim: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMessages {
    pub(super) brand: Option<String>,
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApiKey {
    pub(super) tenant: String,
    pub(super) scopes: Vec<String>,
    pub(super) sha256: String,
}
