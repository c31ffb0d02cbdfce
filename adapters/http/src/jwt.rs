//! Tokens of a dashboard: JWTs (RFC 7519), signed by HS256 or EdDSA.
//!
//! A small strict reader over `ring`, which is here for TLS already: one algorithm,
//! fixed before a token is seen, and the signature before anything else. A general
//! library would bring a second C library of cryptography, and a clock of its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign::{Clock, SystemClock, Tenant};
use ring::{hmac, signature};
use serde_json::{Map, Value, json};
use thiserror::Error;

const MAX_TOKEN_BYTES: usize = 8192;
/// How far the issuer's clock may be off, in seconds.
const LEEWAY: u64 = 10;
/// What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410).
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 3, 0x21, 0,
];

/// Verifies dashboard tokens.
#[derive(Clone)]
pub struct JwtVerifier {
    key: Key,
    audience: Option<String>,
    tenant_claim: String,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
enum Key {
    Hs256(hmac::Key),
    EdDsa([u8; 32]),
}

/// Why a token or a key is refused. It shows nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JwtError {
    /// The HS256 secret is shorter than the hash (RFC 7518, section 3.2).
    #[error("an HS256 secret has at least 32 bytes")]
    ShortSecret,
    /// The public key is none.
    #[error("the public key is not an Ed25519 key in PEM (`BEGIN PUBLIC KEY`)")]
    PublicKey,
    /// Only a shared secret can sign.
    #[error("tokens can be signed only where the HS256 secret is known")]
    CannotSign,
    /// Not a token of the configured algorithm.
    #[error("the token is not a JWT signed by {0}")]
    Form(&'static str),
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// Over, or without an end.
    #[error("the token has expired or has no `exp`")]
    Expired,
    /// Not good yet.
    #[error("the token is not good yet (`nbf`)")]
    TooEarly,
    /// For somebody else.
    #[error("the token is for another audience (`aud`)")]
    Audience,
    /// It names no tenant.
    #[error("the token names no tenant in the configured claim")]
    Tenant,
}

impl JwtVerifier {
    /// Verifies tokens signed with a shared secret.
    ///
    /// # Errors
    /// [`JwtError::ShortSecret`] below 32 bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, JwtError> {
        if secret.len() < 32 {
            return Err(JwtError::ShortSecret);
        }
        Ok(Self::with(Key::Hs256(hmac::Key::new(
            hmac::HMAC_SHA256,
            secret,
        ))))
    }

    /// Verifies tokens signed with the private part of this Ed25519 key, in PEM.
    ///
    /// # Errors
    /// [`JwtError::PublicKey`] for anything else.
    pub fn eddsa(public_key_pem: &str) -> Result<Self, JwtError> {
        let key = ed25519_key(public_key_pem).ok_or(JwtError::PublicKey)?;
        Ok(Self::with(Key::EdDsa(key)))
    }

    fn with(key: Key) -> Self {
        let clock = Arc::new(SystemClock::default());
        Self {
            key,
            audience: None,
            tenant_claim: "sub".to_owned(),
            clock,
        }
    }

    /// Takes only tokens for `audience`. Without one, tokens that name any are refused.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Reads the tenant from `claim` instead of `sub`.
    #[must_use]
    pub fn tenant_claim(mut self, claim: impl Into<String>) -> Self {
        self.tenant_claim = claim.into();
        self
    }

    /// Decides by this clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Signs a token for `tenant` that is good for `lifetime`.
    ///
    /// # Errors
    /// [`JwtError::CannotSign`] unless the key is an HS256 secret.
    pub fn sign(&self, tenant: &Tenant, lifetime: Duration) -> Result<String, JwtError> {
        let Key::Hs256(key) = &self.key else {
            return Err(JwtError::CannotSign);
        };
        let now = self.now();
        let mut claims = Map::new();
        claims.insert(self.tenant_claim.clone(), tenant.name().into());
        claims.insert("iat".to_owned(), now.into());
        claims.insert(
            "exp".to_owned(),
            now.saturating_add(lifetime.as_secs()).into(),
        );
        if let Some(audience) = &self.audience {
            claims.insert("aud".to_owned(), audience.as_str().into());
        }
        let header = json!({"alg": "HS256", "typ": "JWT"}).to_string();
        let claims = Value::Object(claims).to_string();
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let tag = hmac::sign(key, signed.as_bytes());
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)))
    }

    /// The tenant that `token` was issued for.
    ///
    /// # Errors
    /// [`JwtError`] that says which of signature, times, audience and tenant is wrong.
    pub fn verify(&self, token: &str) -> Result<Tenant, JwtError> {
        let claims = self.signed_claims(token)?;
        let now = self.now();
        let expires = seconds(claims.get("exp")).ok_or(JwtError::Expired)?;
        if now >= expires.saturating_add(LEEWAY) {
            return Err(JwtError::Expired);
        }
        if let Some(not_before) = claims.get("nbf") {
            let not_before = seconds(Some(not_before)).ok_or(JwtError::TooEarly)?;
            if now.saturating_add(LEEWAY) < not_before {
                return Err(JwtError::TooEarly);
            }
        }
        if !self.is_audience(claims.get("aud")) {
            return Err(JwtError::Audience);
        }
        let tenant = claims.get(&self.tenant_claim).and_then(Value::as_str);
        tenant
            .and_then(|name| Tenant::new(name).ok())
            .ok_or(JwtError::Tenant)
    }

    fn signed_claims(&self, token: &str) -> Result<Map<String, Value>, JwtError> {
        let form = JwtError::Form(self.algorithm());
        if token.len() > MAX_TOKEN_BYTES {
            return Err(form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(form)?;
        let (header, claims) = signed.split_once('.').ok_or(form)?;
        let header = object(header).ok_or(form)?;
        let algorithm = header.get("alg").and_then(Value::as_str);
        // An extension that must be understood (RFC 7515, section 4.1.11) is not.
        if algorithm != Some(self.algorithm()) || header.contains_key("crit") {
            return Err(form);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| form)?;
        if !self.is_signature(signed.as_bytes(), &signature) {
            return Err(JwtError::Signature);
        }
        object(claims).ok_or(form)
    }

    fn is_signature(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Key::Hs256(key) => hmac::verify(key, signed, signature).is_ok(),
            Key::EdDsa(key) => signature::UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(signed, signature)
                .is_ok(),
        }
    }

    fn is_audience(&self, given: Option<&Value>) -> bool {
        match (&self.audience, given) {
            (None, given) => given.is_none(),
            (Some(own), Some(Value::String(given))) => own == given,
            (Some(own), Some(Value::Array(given))) => {
                given.iter().any(|given| given.as_str() == Some(own))
            }
            (Some(_), _) => false,
        }
    }

    const fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Hs256(_) => "HS256",
            Key::EdDsa(_) => "EdDSA",
        }
    }

    fn now(&self) -> u64 {
        self.clock.now().as_millis() / 1000
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier")
            .field("algorithm", &self.algorithm())
            .field("audience", &self.audience)
            .field("tenant_claim", &self.tenant_claim)
            .finish_non_exhaustive()
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

/// A time in seconds; issuers may write a fraction, which is dropped.
fn seconds(value: Option<&Value>) -> Option<u64> {
    let number = value?.as_number()?;
    let whole = || number.to_string().split_once('.')?.0.parse().ok();
    number.as_u64().or_else(whole)
}

fn ed25519_key(pem: &str) -> Option<[u8; 32]> {
    let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let body = body.strip_suffix("-----END PUBLIC KEY-----")?;
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    der.strip_prefix(&ED25519_PREFIX)?.try_into().ok()
}
