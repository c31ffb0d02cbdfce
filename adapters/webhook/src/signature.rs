//! The signature of Standard Webhooks, symmetric form (`v1`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::{Callback, Unsigned};
use ring::hmac;

use crate::secrets::Secrets;

/// How far the sender's clock may be off, in seconds, either way. Every library of Standard
/// Webhooks uses the same.
const TOLERANCE: u64 = 300;
/// More signatures than anybody has secrets are not looked at.
const MOST_SIGNATURES: usize = 16;

/// The header `webhook-signature`, one signature for each secret.
pub(crate) fn sign(secrets: &Secrets, id: &str, timestamp: u64, body: &[u8]) -> String {
    let content = content(id, &timestamp.to_string(), body);
    let one = |key| format!("v1,{}", STANDARD.encode(hmac::sign(key, &content)));
    let all: Vec<String> = secrets.keys().iter().map(one).collect();
    all.join(" ")
}

/// Believes a callback that one of the secrets signed not long ago.
pub(crate) fn verify(secrets: &Secrets, callback: &Callback<'_>, now: u64) -> Result<(), Unsigned> {
    let header = |name| callback.header(name).ok_or_else(Unsigned::new);
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let signed_at: u64 = timestamp.parse().map_err(|_| Unsigned::new())?;
    // A sign or leading zeros would be another text for the same number.
    let plain = signed_at.to_string() == timestamp;
    if !plain || signed_at.abs_diff(now) > TOLERANCE || id.is_empty() {
        return Err(Unsigned::new());
    }
    let content = content(id, timestamp, callback.body);
    let given = header("webhook-signature")?;
    let matches = |signature: Vec<u8>| {
        let verifies = |key| hmac::verify(key, &content, &signature).is_ok();
        secrets.keys().iter().any(verifies)
    };
    given
        .split(' ')
        .take(MOST_SIGNATURES)
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .any(matches)
        .then_some(())
        .ok_or_else(Unsigned::new)
}

fn content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), timestamp.as_bytes(), body].join(&b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::read(texts.iter().copied()).unwrap()
    }

    fn verified(id: &str, timestamp: &str, signature: &str, body: &[u8], now: u64) -> bool {
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ];
        let callback = Callback {
            url: "https://example.com/callback",
            headers: &headers,
            body,
        };
        verify(&secrets(&[SECRET]), &callback, now).is_ok()
    }

    #[test]
    fn the_published_example_comes_out_and_verifies() {
        assert_eq!(sign(&secrets(&[SECRET]), ID, AT, BODY), SIGNATURE);
        assert!(verified(ID, "1614265330", SIGNATURE, BODY, AT));
    }

    #[test]
    fn during_a_rotation_each_secret_signs_and_verifies() {
        let other = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
        let both = sign(&secrets(&[other, SECRET]), ID, AT, BODY);
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.ends_with(SIGNATURE), "{both}");
        assert!(verified(ID, "1614265330", &both, BODY, AT));
        let first = both.split(' ').next().unwrap();
        assert!(!verified(ID, "1614265330", first, BODY, AT));
    }

    #[test]
    fn a70_nothing_of_a_callback_may_differ_from_what_was_signed() {
        let at = "1614265330";
        assert!(!verified("msg_other", at, SIGNATURE, BODY, AT));
        assert!(!verified(ID, "1614265331", SIGNATURE, BODY, AT));
        assert!(!verified(ID, at, SIGNATURE, b"{\"test\": 2432232315}", AT));
        assert!(!verified(ID, at, SIGNATURE, b"", AT));
        let flipped = SIGNATURE.replace("v1,g", "v1,h");
        for signature in ["", "v1,", "v1,AA==", "v1a,x", &SIGNATURE[3..], &flipped] {
            assert!(!verified(ID, at, signature, BODY, AT), "{signature}");
        }
        let cut = STANDARD.decode(&SIGNATURE[3..]).unwrap();
        let cut = format!("v1,{}", STANDARD.encode(&cut[..16]));
        assert!(!verified(ID, at, &cut, BODY, AT));
    }

    #[test]
    fn a70_an_old_signature_is_worth_nothing() {
        for (now, expected) in [
            (AT - 301, false),
            (AT - 300, true),
            (AT + 300, true),
            (AT + 301, false),
            (0, false),
            (u64::MAX, false),
        ] {
            assert_eq!(
                verified(ID, "1614265330", SIGNATURE, BODY, now),
                expected,
                "{now}"
            );
        }
        for timestamp in [
            "",
            "+1614265330",
            "01614265330",
            "1614265330.0",
            " 1614265330",
            "x",
        ] {
            assert!(!verified(ID, timestamp, SIGNATURE, BODY, AT), "{timestamp}");
        }
    }

    #[test]
    fn every_header_is_needed() {
        let all = [
            ("webhook-id", ID),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", SIGNATURE),
        ];
        for missing in 0..all.len() {
            let rest: Vec<_> = (0..3).filter(|n| *n != missing).map(|n| all[n]).collect();
            let callback = Callback {
                url: "https://example.com/callback",
                headers: &rest,
                body: BODY,
            };
            assert!(
                verify(&secrets(&[SECRET]), &callback, AT).is_err(),
                "{missing}"
            );
        }
    }
}
