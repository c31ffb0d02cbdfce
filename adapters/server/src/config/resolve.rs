//! From what was written to a valid configuration: defaults, and what no type can say.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use countersign::{Channel, Limit, Policy, Tenant};

use super::provider::Written;
use super::raw::{Raw, RawApiKey, RawJwt, RawPhones, RawSmtp};
use super::{
    Config, ConfigError, JwtConfig, JwtKey, MessagesConfig, Provider, Providers, Route, SecretText,
    SmtpConfig, StaticKey, StoreConfig, numbers, provider, sandbox,
};

/// Where the secrets lie unless it is said.
pub(crate) const SECRET_FILE: &str = "./data/secret";
const AUDIENCE: &str = "countersign";
const TENANT_CLAIM: &str = "sub";
const BRAND: &str = "Countersign";
/// As the API has it.
const FAILURE_ALARM: Limit = Limit::new(100, 60);
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const ADMIN_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// Fills in the defaults and refuses what makes no sense.
pub(super) fn resolve(raw: Raw) -> Result<Config, ConfigError> {
    let production = raw.production.unwrap_or(false);
    let secret_file = raw
        .secret_file
        .unwrap_or_else(|| PathBuf::from(SECRET_FILE));
    let routes = provider::routes([
        phones(Channel::Sms, &raw.sms),
        phones(Channel::Voice, &raw.voice),
        Written {
            channel: Channel::Email,
            via: raw.email.via,
            dangerous_retry_lost: raw.email.dangerous_retry_lost,
        },
    ])?;
    let countries = [
        (Channel::Sms, raw.sms.countries.unwrap_or_default()),
        (Channel::Voice, raw.voice.countries.unwrap_or_default()),
    ];
    let providers = Providers {
        twilio: raw.twilio,
        vonage: raw.vonage,
        sns: raw.sns,
        smpp: raw.smpp,
        webhook: raw.webhook,
    };
    Ok(Config {
        listen: raw.listen.unwrap_or(LISTEN),
        admin_listen: raw.admin_listen.unwrap_or(ADMIN_LISTEN),
        production,
        dangerous_console: raw.dangerous_console.unwrap_or(false),
        public_url: raw.public_url.as_deref().map(public_url).transpose()?,
        trusted_proxies: raw.trusted_proxies.unwrap_or_default(),
        trusted_proxies_name_end_users: raw.trusted_proxies_name_end_users.unwrap_or(false),
        log_format: raw.log_format.unwrap_or_default(),
        shutdown_grace_seconds: raw.shutdown_grace_seconds.unwrap_or(2).into(),
        drain_seconds: raw.drain_seconds.unwrap_or(20).into(),
        max_in_flight: in_flight(raw.max_in_flight.unwrap_or(1024))?,
        failure_alarm: raw
            .failure_alarm
            .map_or(Some(FAILURE_ALARM), |limit| limit.0),
        store: StoreConfig::resolve(raw.store)?,
        smtp: raw.smtp.map(smtp).transpose()?,
        providers: providers.settled()?,
        numbers: numbers::resolve(&raw.numbers, &raw.prices, countries, &routes)?,
        test_destinations: sandbox::resolve(
            raw.test_destination.as_deref().unwrap_or_default(),
            production,
        )?,
        jwt: jwt(raw.jwt, &secret_file)?,
        policy: raw.policy.over(base(&routes), production)?,
        messages: MessagesConfig {
            brand: raw.messages.brand.unwrap_or_else(|| BRAND.to_owned()),
            dir: raw.messages.dir,
        },
        api_keys: api_keys(raw.api_key.unwrap_or_default())?,
        secret_file,
        routes,
    })
}

fn phones(channel: Channel, raw: &RawPhones) -> Written {
    Written {
        channel,
        via: raw.via.clone(),
        dangerous_retry_lost: raw.dangerous_retry_lost,
    }
}

/// The rules before any is written. The console costs nothing; what it guards are the
/// guesses, and those limits stay. Nor is anybody paid by messages to the terminal.
fn base(routes: &[Route]) -> Policy {
    if provider::only_console(routes) {
        return Policy::for_console();
    }
    let mut policy = Policy::default();
    let paid = |route: &Route| {
        route.channel != Channel::Email && route.via.iter().any(|one| *one != Provider::Console)
    };
    if !routes.iter().any(paid) {
        policy.prefix_conversion = None;
    }
    policy
}

fn public_url(url: &str) -> Result<String, ConfigError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = rest
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    if host.is_empty() || url.contains(|c: char| c.is_whitespace() || "\"'<>?#".contains(c)) {
        return Err(ConfigError::new(
            "public_url",
            "expected http:// or https:// and a host",
        ));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn in_flight(max: u32) -> Result<usize, ConfigError> {
    match usize::try_from(max) {
        Ok(max @ 1..=1_000_000) => Ok(max),
        _ => Err(ConfigError::new(
            "max_in_flight",
            "expected 1 to 1000000 requests",
        )),
    }
}

fn smtp(raw: RawSmtp) -> Result<SmtpConfig, ConfigError> {
    Ok(SmtpConfig {
        url: raw.url,
        password: SecretText::either("smtp.password", raw.password, raw.password_file)?,
        from: raw.from,
        ca_file: raw.ca_file,
    })
}

fn jwt(raw: RawJwt, secret_file: &Path) -> Result<JwtConfig, ConfigError> {
    let secret = SecretText::either("jwt.hs256_secret", raw.hs256_secret, raw.hs256_secret_file)?;
    let key = match (secret, raw.public_key_file) {
        (Some(_), Some(_)) => {
            return Err(ConfigError::new(
                "jwt.public_key_file",
                "is set, and so is jwt.hs256_secret: set one of them",
            ));
        }
        (Some(secret), None) if secret.reveal().len() < 32 => {
            return Err(ConfigError::new(
                "jwt.hs256_secret",
                "at least 32 bytes are needed",
            ));
        }
        (Some(secret), None) => JwtKey::Hs256(secret),
        (None, Some(path)) => JwtKey::EdDsa(path),
        (None, None) => JwtKey::Made(secret_file.with_file_name("jwt-secret")),
    };
    let audience = raw.audience.unwrap_or_else(|| AUDIENCE.to_owned());
    let tenant_claim = raw.tenant_claim.unwrap_or_else(|| TENANT_CLAIM.to_owned());
    for (field, text) in [
        ("jwt.audience", &audience),
        ("jwt.tenant_claim", &tenant_claim),
    ] {
        if text.is_empty() {
            return Err(ConfigError::new(field, "is empty"));
        }
    }
    Ok(JwtConfig {
        key,
        audience,
        tenant_claim,
    })
}

const SCOPES: [&str; 3] = ["send", "check", "admin"];

fn api_keys(raw: Vec<RawApiKey>) -> Result<Vec<StaticKey>, ConfigError> {
    raw.into_iter().map(api_key).collect()
}

fn api_key(raw: RawApiKey) -> Result<StaticKey, ConfigError> {
    let tenant = Tenant::new(&raw.tenant)
        .map_err(|error| ConfigError::new("api_key.tenant", error.to_string()))?;
    let known = |scope: &String| SCOPES.contains(&scope.as_str());
    if raw.scopes.is_empty() || !raw.scopes.iter().all(known) {
        return Err(ConfigError::new(
            "api_key.scopes",
            "expected some of send, check and admin",
        ));
    }
    let sha256 = hex(&raw.sha256).ok_or_else(|| {
        ConfigError::new(
            "api_key.sha256",
            "expected the SHA-256 of the key in 64 hex digits",
        )
    })?;
    Ok(StaticKey {
        tenant,
        scopes: raw.scopes,
        sha256,
    })
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect();
    if digits.len() == 64 {
        bytes.try_into().ok()
    } else {
        None
    }
}
