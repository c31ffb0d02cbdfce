//! The application's login: a JWT signed by RS256 ("JWT", Vonage's guide "Authentication").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::Timestamp;
use countersign_provider::Credential;
use ring::rand::{SecureRandom, SystemRandom};
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

/// Seconds for which a token is good: one request is made with it. Vonage allows 24 hours.
const LIFETIME: u64 = 300;

/// Signs tokens.
pub(super) struct Signer {
    application_id: String,
    key: KeyPair,
    random: SystemRandom,
}

impl Signer {
    /// None where the key is no RSA key of 2048 to 4096 bits in PEM.
    pub(super) fn new(application_id: &str, private_key: &Credential) -> Option<Self> {
        let key = match PrivateKeyDer::from_pem_slice(private_key.reveal().as_bytes()).ok()? {
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return None,
        };
        Some(Self {
            application_id: application_id.to_owned(),
            key: key.ok()?,
            random: SystemRandom::new(),
        })
    }

    /// A token for one request; none where the system has no randomness.
    pub(super) fn token(&self, now: Timestamp) -> Option<String> {
        let issued = now.as_millis() / 1000;
        let mut unique = [0; 16];
        self.random.fill(&mut unique).ok()?;
        let claims = json!({
            "application_id": self.application_id,
            "iat": issued,
            "exp": issued + LIFETIME,
            "jti": URL_SAFE_NO_PAD.encode(unique),
        });
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &self.random,
                signed.as_bytes(),
                &mut signature,
            )
            .ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
