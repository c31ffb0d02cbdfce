//! Delivery receipts.

use std::fmt;

use countersign::{Callback, DeliveryOutcome, Report, ReportReader, Unsigned};
use countersign_provider::Credential;
use ring::hmac::{HMAC_SHA256, Key};
use serde_json::Value;

use super::signature;

/// How far Vonage's clock may be off from ours, in seconds, either way: older receipts may
/// have been seen by somebody and sent again.
const TOLERANCE: u64 = 300;

/// Reads signed delivery receipts, however the account's settings have them sent: as a
/// `GET`, or a `POST` of a form or of JSON.
///
/// A receipt whose signature is older than 300 seconds is not believed, so that what
/// Vonage repeats for 24 hours counts within the life of a code alone.
pub struct VonageReceipts {
    key: Key,
}

impl VonageReceipts {
    /// A reader for the account that has this signature secret, with `SHA-256 HMAC` as its
    /// signature method.
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
}

impl ReportReader for VonageReceipts {
    fn read(&self, callback: &Callback<'_>, now: u64) -> Result<Option<Report>, Unsigned> {
        let mut parameters = parameters(callback).ok_or_else(Unsigned::new)?;
        let signature = take(&mut parameters, "sig").ok_or_else(Unsigned::new)?;
        if !signature::is_valid(&self.key, &parameters, &signature) {
            return Err(Unsigned::new());
        }
        let signed_at = one(&parameters, "timestamp").and_then(|text| text.parse().ok());
        let fresh = signed_at.is_some_and(|at: u64| at.abs_diff(now) <= TOLERANCE);
        if !fresh {
            return Err(Unsigned::new());
        }
        Ok(report(&parameters))
    }
}

type Parameters = Vec<(String, String)>;

/// All parameters, each once; none where there is no telling what was signed.
fn parameters(callback: &Callback<'_>) -> Option<Parameters> {
    let mut all = if callback.body.is_empty() {
        let (_, query) = callback.url.split_once('?')?;
        form(query.as_bytes())
    } else if callback.body.first() == Some(&b'{') {
        json(callback.body)?
    } else {
        form(callback.body)
    };
    all.sort_unstable();
    let twice = all.windows(2).any(|pair| pair[0].0 == pair[1].0);
    // What divides parameters is replaced in values alone when they are signed: a name that
    // holds it could swallow its neighbour under the same signature.
    let divided = all.iter().any(|(name, _)| name.contains(['&', '=']));
    (!twice && !divided).then_some(all)
}

fn form(bytes: &[u8]) -> Parameters {
    form_urlencoded::parse(bytes).into_owned().collect()
}

/// The members of an object: texts and whole numbers, which are written as they are signed.
fn json(body: &[u8]) -> Option<Parameters> {
    let object: serde_json::Map<String, Value> = serde_json::from_slice(body).ok()?;
    let parameter = |(name, value): (String, Value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) if number.is_u64() => Some((name, number.to_string())),
        _ => None,
    };
    object.into_iter().map(parameter).collect()
}

fn take(parameters: &mut Parameters, name: &str) -> Option<String> {
    let at = parameters.iter().position(|(known, _)| known == name)?;
    Some(parameters.remove(at).1)
}

fn one<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    let found = parameters.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// What a receipt says, where it is the last one.
fn report(parameters: &Parameters) -> Option<Report> {
    let outcome = match one(parameters, "status")? {
        "delivered" => DeliveryOutcome::Delivered,
        // "The number is no longer active": the one error that no other message mends.
        "expired" | "failed" | "rejected" if one(parameters, "err-code") == Some("3") => {
            DeliveryOutcome::Undeliverable
        }
        "expired" | "failed" | "rejected" => DeliveryOutcome::Failed,
        _ => return None,
    };
    let token = one(parameters, "client-ref").filter(|token| !token.is_empty())?;
    Some(Report {
        token: token.to_owned(),
        outcome,
    })
}

impl fmt::Debug for VonageReceipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageReceipts").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use countersign::DeliveryOutcome::{Delivered, Failed, Undeliverable};

    use super::*;

    const SECRET: &str = "my-signature-secret";
    const NOW: u64 = 1_700_000_000;

    fn reader() -> VonageReceipts {
        VonageReceipts::new(Credential::new(SECRET))
    }

    fn signed(parameters: &[(&str, &str)]) -> Parameters {
        let mut all: Parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let signature = signature::of(&reader().key, &all);
        all.push(("sig".to_owned(), signature.to_uppercase()));
        all
    }

    fn encode(parameters: &Parameters) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish()
    }

    fn read(url: &str, body: &str, now: u64) -> Result<Option<Report>, Unsigned> {
        let callback = Callback {
            url,
            headers: &[],
            body: body.as_bytes(),
        };
        reader().read(&callback, now)
    }

    const DELIVERED: [(&str, &str); 6] = [
        ("client-ref", "rep_1"),
        ("err-code", "0"),
        ("message-timestamp", "2023-11-14 22:13:20"),
        ("status", "delivered"),
        ("timestamp", "1700000000"),
        ("to", "R&D=1"),
    ];
    const URL: &str = "https://example.com/r";

    #[test]
    fn a_signed_receipt_is_read_in_every_form_that_vonage_sends() {
        let all = signed(&DELIVERED);
        let expected = Ok(Some(Report {
            token: "rep_1".to_owned(),
            outcome: Delivered,
        }));
        let form = encode(&all);
        assert_eq!(read(URL, &form, NOW), expected);
        assert_eq!(read(&format!("{URL}?{form}"), "", NOW), expected);
        let mut object = serde_json::Map::new();
        for (name, value) in &all {
            object.insert(name.clone(), value.as_str().into());
        }
        object["timestamp"] = 1_700_000_000.into();
        let json = Value::Object(object).to_string();
        assert_eq!(read(URL, &json, NOW), expected);
    }

    #[test]
    fn a70_what_is_unsigned_changed_doubled_or_old_changes_nothing() {
        let form = encode(&signed(&DELIVERED));
        let refused = Err(Unsigned::new());
        assert_eq!(
            read(URL, &form.replace("delivered", "failed"), NOW),
            refused
        );
        assert_eq!(read(URL, &form.replace("rep_1", "rep_2"), NOW), refused);
        assert_eq!(read(URL, &format!("{form}&status=failed"), NOW), refused);
        assert_eq!(read(URL, &format!("{form}&extra=1"), NOW), refused);
        let mut doubled = DELIVERED;
        doubled[0] = ("status", "failed");
        assert_eq!(read(URL, &encode(&signed(&doubled)), NOW), refused);
        let merged = form.replace("err-code=0&message", "err-code%3D0%26message");
        assert_ne!(merged, form);
        assert_eq!(read(URL, &merged, NOW), refused);
        let unsigned = encode(&signed(&DELIVERED)[..6].to_vec());
        assert_eq!(read(URL, &unsigned, NOW), refused);
        assert_eq!(read(URL, "", NOW), refused);
        assert_eq!(read(URL, "{\"sig\": {}}", NOW), refused);
        for (now, fresh) in [
            (NOW - 301, false),
            (NOW - 300, true),
            (NOW + 300, true),
            (NOW + 301, false),
            (0, false),
        ] {
            assert_eq!(read(URL, &form, now).is_ok(), fresh, "{now}");
        }
        let timeless = encode(&signed(&DELIVERED[..4]));
        assert_eq!(read(URL, &timeless, NOW), refused);
    }

    #[test]
    fn only_last_words_are_outcomes() {
        for (status, code, expected) in [
            ("delivered", "0", Some(Delivered)),
            ("expired", "2", Some(Failed)),
            ("failed", "8", Some(Failed)),
            ("rejected", "6", Some(Failed)),
            ("failed", "3", Some(Undeliverable)),
            ("accepted", "0", None),
            ("buffered", "0", None),
            ("unknown", "1", None),
            ("DELIVERED", "0", None),
        ] {
            let mut receipt = DELIVERED;
            receipt[1].1 = code;
            receipt[3].1 = status;
            let said = read(URL, &encode(&signed(&receipt)), NOW).unwrap();
            assert_eq!(said.map(|report| report.outcome), expected, "{status}");
        }
        let without_token = encode(&signed(&DELIVERED[1..]));
        assert_eq!(read(URL, &without_token, NOW), Ok(None));
    }

    #[test]
    fn a37_a_reader_shows_no_secret_in_debug() {
        assert_eq!(format!("{:?}", reader()), "VonageReceipts { .. }");
    }
}
