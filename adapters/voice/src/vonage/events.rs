//! What Vonage says later about a call.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::{Callback, DeliveryOutcome, Report, ReportReader, Unsigned};
use countersign_provider::Credential;
use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256, Key};
use serde::Deserialize;

/// How far Vonage's clock may be off from ours, in seconds, either way.
const TOLERANCE: u64 = 300;
/// The longest token that is looked at, in bytes: real ones have about 400.
const LONGEST: usize = 4096;

/// Reads signed event webhooks: a JWT in `Authorization`, HS256 by the account's signature
/// secret, with the hash of the body ("Signed webhooks").
///
/// The signature covers the body and not the address, where the report token is. So the
/// token is worth as much as it is by itself: whoever serves callbacks has to open it.
pub struct VonageEvents {
    key: Key,
}

impl VonageEvents {
    /// A reader for the account that has this signature secret.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the secret's first copy ends here"
    )]
    pub fn new(signature_secret: Credential) -> Self {
        Self {
            key: Key::new(HMAC_SHA256, signature_secret.reveal().as_bytes()),
        }
    }

    /// The claims of a token that we can verify; none of any other.
    fn claims(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = part(header)?;
        (header.alg == "HS256").then(|| part(claims))?
    }
}

impl ReportReader for VonageEvents {
    fn read(&self, callback: &Callback<'_>, now: u64) -> Result<Option<Report>, Unsigned> {
        let header = callback.header("authorization").unwrap_or_default();
        let token = header.strip_prefix("Bearer ").ok_or_else(Unsigned::new)?;
        let claims = self.claims(token).ok_or_else(Unsigned::new)?;
        let body = digest(&SHA256, callback.body);
        let same = claims
            .payload_hash
            .eq_ignore_ascii_case(&hex(body.as_ref()));
        if !same || claims.iat.abs_diff(now) > TOLERANCE {
            return Err(Unsigned::new());
        }
        let event = serde_json::from_slice(callback.body).ok();
        Ok(event.and_then(|event| report(callback.url, &event)))
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iat: u64,
    payload_hash: String,
}

#[derive(Deserialize)]
struct Event {
    status: String,
}

fn part<T: for<'a> Deserialize<'a>>(encoded: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

/// What an event says, where it is the last one. A call that was taken counts as delivered:
/// whether somebody listened is nothing that Vonage knows.
fn report(url: &str, event: &Event) -> Option<Report> {
    let outcome = match event.status.as_str() {
        "completed" => DeliveryOutcome::Delivered,
        "busy" | "cancelled" | "failed" | "rejected" | "timeout" | "unanswered" => {
            DeliveryOutcome::Failed
        }
        _ => return None,
    };
    let token = token(url)?.to_owned();
    Some(Report { token, outcome })
}

/// The report token that our address carried: plain characters, so that nothing needs to be
/// decoded. None where there are several.
fn token(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    let mut tokens = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("token="));
    let token = tokens.next().filter(|token| !token.is_empty())?;
    tokens.next().is_none().then_some(token)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Debug for VonageEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageEvents").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use countersign::DeliveryOutcome::{Delivered, Failed};
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "ZYnHvLXDBSjMLJBsFvGtKyTwVdDnNJGh";
    const NOW: u64 = 1_700_000_000;
    const URL: &str = "https://example.com/r?token=rep_1";
    const BODY: &str = r#"{"status":"completed","uuid":"x"}"#;

    fn reader() -> VonageEvents {
        VonageEvents::new(Credential::new(SECRET))
    }

    fn claims(body: &str) -> Value {
        let hash = hex(digest(&SHA256, body.as_bytes()).as_ref());
        json!({"iat": NOW, "jti": "j", "iss": "Vonage", "payload_hash": hash, "api_key": "a1b2c3d"})
    }

    fn token_of(header: &Value, claims: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let key = Key::new(HMAC_SHA256, secret.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn read(
        url: &str,
        authorization: &str,
        body: &str,
        now: u64,
    ) -> Result<Option<Report>, Unsigned> {
        let headers = [("authorization", authorization)];
        let callback = Callback {
            url,
            headers: &headers,
            body: body.as_bytes(),
        };
        reader().read(&callback, now)
    }

    fn bearer(body: &str) -> String {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        format!("Bearer {}", token_of(&header, &claims(body), SECRET))
    }

    #[test]
    fn only_last_words_are_outcomes() {
        for (status, expected) in [
            ("completed", Some(Delivered)),
            ("busy", Some(Failed)),
            ("cancelled", Some(Failed)),
            ("failed", Some(Failed)),
            ("rejected", Some(Failed)),
            ("timeout", Some(Failed)),
            ("unanswered", Some(Failed)),
            ("started", None),
            ("ringing", None),
            ("answered", None),
            ("machine", None),
            ("", None),
        ] {
            let body = json!({"status": status}).to_string();
            let said = read(URL, &bearer(&body), &body, NOW);
            let expected = expected.map(|outcome| Report {
                token: "rep_1".to_owned(),
                outcome,
            });
            assert_eq!(said, Ok(expected), "{status}");
        }
        for body in ["", "{}", "null"] {
            assert_eq!(read(URL, &bearer(body), body, NOW), Ok(None), "{body}");
        }
        for query in ["", "?", "?token=", "?other=1", "?token=a&token=b"] {
            let url = format!("https://example.com/r{query}");
            assert_eq!(read(&url, &bearer(BODY), BODY, NOW), Ok(None), "{query}");
        }
    }

    #[test]
    fn a70_what_is_unsigned_changed_or_old_changes_nothing() {
        let refused = Err(Unsigned::new());
        let good = bearer(BODY);
        assert!(read(URL, &good, BODY, NOW).is_ok());
        assert_eq!(read(URL, &good, &BODY.replace('x', "y"), NOW), refused);
        for authorization in [
            "",
            "Bearer ",
            "Bearer a.b.c",
            &good[7..],
            &good[..good.len() - 1],
        ] {
            assert_eq!(
                read(URL, authorization, BODY, NOW),
                refused,
                "{authorization}"
            );
        }
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let other = token_of(&header, &claims(BODY), "another");
        assert_eq!(read(URL, &format!("Bearer {other}"), BODY, NOW), refused);
        for (now, fresh) in [
            (NOW - 301, false),
            (NOW - 300, true),
            (NOW + 300, true),
            (NOW + 301, false),
        ] {
            assert_eq!(read(URL, &good, BODY, now).is_ok(), fresh, "{now}");
        }
    }

    #[test]
    fn a70_no_other_algorithm_and_no_missing_claim_is_believed() {
        let refused = Err(Unsigned::new());
        let with = |header: &Value, claims: &Value| {
            let token = token_of(header, claims, SECRET);
            read(URL, &format!("Bearer {token}"), BODY, NOW)
        };
        let all = claims(BODY);
        for alg in ["none", "HS512", "RS256", ""] {
            assert_eq!(with(&json!({"alg": alg}), &all), refused, "{alg}");
        }
        for missing in ["iat", "payload_hash"] {
            let mut claims = all.clone();
            claims.as_object_mut().unwrap().remove(missing);
            assert_eq!(
                with(&json!({"alg": "HS256"}), &claims),
                refused,
                "{missing}"
            );
        }
    }

    #[test]
    fn a37_a_reader_shows_no_secret_in_debug() {
        assert_eq!(format!("{:?}", reader()), "VonageEvents { .. }");
    }
}
