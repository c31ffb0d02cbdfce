//! Vonage by SMS and by voice: beside Vonage's own SDK, and against a server that answers
//! as it is told.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use countersign::DeliveryOutcome::{self, Delivered, Failed};
use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};
use countersign::{
    Callback, Channel, DeliverError, Deliverer, FakeClock, Message, Receipt, Report, ReportReader,
    Timestamp, Unsigned,
};
use countersign_provider::Credential;
use countersign_sms::vonage as sms;
use countersign_voice::vonage as voice;
use serde_json::{Map, Value, json};

use crate::parts::http_fake::{Asked, HttpFake, Play};
use crate::parts::second_opinion;
use crate::stage::{CODE, TO, TOKEN, assert_hides, deliver_with, messages};

pub(crate) const KEY: &str = "abcd1234";
pub(crate) const SECRET: &str = "abcdef0123456789";
pub(crate) const SIGNATURE_SECRET: &str = "ZYnHvLXDBSjMLJBsFvGtKyTwVdDnNJGh";
pub(crate) const APPLICATION: &str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
const CALLBACK: &str = "https://auth.example.com/reports/vonage";
const TAKEN: &str = r#"{"message-count":"1","messages":[{"status":"0","message-id":"0A01"}]}"#;
const NOW: u64 = 1_790_000_000;

fn sdk(question: &Value) -> Value {
    second_opinion::ask("vonage_sdk.py", question)
}

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(Timestamp::from_secs(NOW)))
}

pub(crate) fn config(fake: &HttpFake) -> sms::VonageConfig {
    let config =
        sms::VonageConfig::new(KEY, "+15005550006").http(|http| http.base_url(&fake.url()));
    config.callback_url(CALLBACK).clock(clock())
}

fn reported(message: &mut Message<'_>) {
    message.report_token = Some(TOKEN);
    message.locale = Some("ar");
    message.expires_in = 120;
}

async fn by_sms(
    fake: &HttpFake,
    change: impl FnOnce(&mut Message<'_>) + Send,
) -> Result<Receipt, DeliverError> {
    let config = config(fake).api_secret(SECRET);
    let vonage = sms::Vonage::new(config, messages()).unwrap();
    deliver_with(&vonage, Channel::Sms, change).await
}

fn fields(asked: &Asked) -> Map<String, Value> {
    let pairs = asked.form().into_iter();
    let fields: Map<_, _> = pairs.map(|(name, value)| (name, value.into())).collect();
    assert_eq!(fields.len(), asked.form().len(), "each once");
    fields
}

#[tokio::test]
async fn a_message_has_the_fields_of_vonages_own_sdk() {
    let fake = HttpFake::start([Play::json(200, TAKEN)]);
    let receipt = by_sms(&fake, reported).await.unwrap();
    assert_eq!(receipt, Receipt::new("vonage").with_reference("0A01"));
    let asked = fake.only();
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("POST", "/sms/json")
    );
    // The base64 of `abcd1234:abcdef0123456789`.
    let login = "Basic YWJjZDEyMzQ6YWJjZGVmMDEyMzQ1Njc4OQ==";
    assert_eq!(asked.header("authorization"), Some(login));
    let form = "application/x-www-form-urlencoded";
    assert_eq!(asked.header("content-type"), Some(form));
    let ours = fields(&asked);
    let text = ours["text"].as_str().unwrap();
    assert!(text.contains(CODE) && text.contains("رمز"), "{text}");
    let mut theirs = sdk(&json!({"do": "sms", "arguments": {
        "to": &TO[1..], "from_": "15005550006", "text": text, "type": "unicode",
        "ttl": 120_000, "callback": CALLBACK, "client_ref": TOKEN,
    }}));
    theirs["ttl"] = theirs["ttl"].to_string().into();
    assert_eq!(Value::Object(ours), theirs);
}

#[tokio::test]
async fn a_message_can_be_signed_instead_and_the_sdk_finds_it_right() {
    let fake = HttpFake::start([Play::json(200, TAKEN)]);
    let config = config(&fake).sign_by(SIGNATURE_SECRET);
    let vonage = sms::Vonage::new(config, messages()).unwrap();
    deliver_with(&vonage, Channel::Sms, reported).await.unwrap();
    let asked = fake.only();
    assert_eq!(asked.header("authorization"), None);
    let mut fields = fields(&asked);
    assert_eq!(fields["api_key"], KEY);
    assert_eq!(fields["timestamp"], NOW.to_string());
    let checked = |fields: &Map<String, Value>| {
        sdk(&json!({"do": "check", "secret": SIGNATURE_SECRET, "fields": fields}))
    };
    assert_eq!(checked(&fields), true);
    fields.insert("text".to_owned(), "another".into());
    assert_eq!(checked(&fields), false);
}

fn status(status: &str) -> Play {
    let body = json!({"message-count": "1", "messages": [
        {"status": status, "error-text": format!("refused {CODE} {TO}")},
    ]});
    Play::json(200, &body.to_string())
}

#[tokio::test]
async fn a70_a_status_says_whose_fault_it_is_and_nothing_of_its_text() {
    let permanent = DeliverError::permanent;
    let lost = DeliverError::transient().may_have_left();
    for (play, expected) in [
        (status("1"), DeliverError::throttled(Duration::from_secs(5))),
        (status("4"), permanent(Unauthorised)),
        (status("5"), lost),
        (status("6"), permanent(Refused)),
        (status("7"), permanent(Blocked)),
        (status("15"), permanent(Unauthorised)),
        (status("33"), permanent(InvalidDestination)),
        (status(CODE), permanent(Refused)),
        (Play::json(401, CODE), permanent(Unauthorised)),
        (Play::json(200, "{}"), lost),
        (Play::json(200, CODE), lost),
        (Play::json(500, TAKEN), lost),
        (Play::Cut, lost),
        (
            Play::header(302, "location", CALLBACK),
            DeliverError::transient(),
        ),
    ] {
        let told = format!("{play:?}");
        let fake = HttpFake::start([play]);
        let answer = by_sms(&fake, |_| ()).await;
        assert_eq!(answer, Err(expected), "{told}");
        assert_hides(&format!("{answer:?}"), &["refused ", SECRET]);
        assert_eq!(fake.asked().len(), 1, "nothing is repeated");
    }
}

fn read(
    reader: &dyn ReportReader,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Option<Report>, Unsigned> {
    let body = body.as_bytes();
    reader.read(&Callback { url, headers, body }, NOW)
}

fn says(outcome: DeliveryOutcome) -> Report {
    let token = TOKEN.to_owned();
    Report { token, outcome }
}

#[test]
fn a70_a_receipt_counts_when_it_is_signed_as_the_sdk_signs() {
    let receipts = sms::VonageReceipts::new(Credential::new(SIGNATURE_SECRET));
    let mut receipt = json!({
        "msisdn": &TO[1..], "to": "R&D=1", "network-code": "24201", "messageId": "0A01",
        "price": "0.03330000", "status": "delivered", "scts": "2609211400", "err-code": "0",
        "api-key": KEY, "client-ref": TOKEN, "message-timestamp": "2026-09-21 14:13:20",
        "timestamp": NOW.to_string(), "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    });
    let signature = sdk(&json!({"do": "sign", "secret": SIGNATURE_SECRET, "fields": receipt}));
    let unsigned = receipt.to_string();
    receipt["sig"] = signature.as_str().unwrap().to_uppercase().into();
    assert_eq!(
        read(&receipts, CALLBACK, &[], &receipt.to_string()),
        Ok(Some(says(Delivered)))
    );
    let refused = Err(Unsigned::new());
    assert_eq!(read(&receipts, CALLBACK, &[], &unsigned), refused);
    receipt["status"] = "failed".into();
    assert_eq!(
        read(&receipts, CALLBACK, &[], &receipt.to_string()),
        refused
    );
}

/// A private key in each form of PEM that Vonage has given out, and its public key.
pub(crate) struct RsaKey {
    pub(crate) pkcs8: String,
    pkcs1: String,
    pub(crate) public: String,
}

impl RsaKey {
    pub(crate) fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let openssl = |arguments: &str, file: &str| {
            let made = Command::new("openssl")
                .args(arguments.split(' '))
                .args(["-out", file])
                .current_dir(folder.path())
                .output()
                .expect("openssl is missing: install it with `./tests/run parts`");
            assert!(made.status.success(), "{made:?}");
            std::fs::read_to_string(Path::new(folder.path()).join(file)).unwrap()
        };
        let pkcs8 = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";
        Self {
            pkcs8: openssl(pkcs8, "key.pem"),
            pkcs1: openssl("rsa -in key.pem -traditional", "pkcs1.pem"),
            public: openssl("rsa -in key.pem -pubout", "public.pem"),
        }
    }
}

pub(crate) fn caller(fake: &HttpFake, key: &str) -> voice::Vonage {
    let config = voice::VonageConfig::new(APPLICATION, key, "+15005550006");
    let config = config
        .http(|http| http.base_url(&fake.url()))
        .event_url(CALLBACK)
        .clock(clock());
    voice::Vonage::new(config, messages()).unwrap()
}

async fn call(
    vonage: &dyn Deliverer,
    change: impl FnOnce(&mut Message<'_>) + Send,
) -> Result<Receipt, DeliverError> {
    deliver_with(vonage, Channel::Voice, change).await
}

#[tokio::test]
async fn a_call_is_that_of_vonages_own_sdk_and_its_token_verifies() {
    let key = RsaKey::make();
    let started = format!(r#"{{"uuid":"{APPLICATION}","status":"started"}}"#);
    for pem in [&key.pkcs8, &key.pkcs1] {
        let fake = HttpFake::start([Play::json(201, &started), Play::json(201, &started)]);
        let vonage = caller(&fake, pem);
        let receipt = call(&vonage, |message| {
            reported(message);
            message.locale = Some("nb-NO");
        });
        let expected = Receipt::new("vonage").with_reference(APPLICATION);
        assert_eq!(receipt.await, Ok(expected));
        let asked = fake.only();
        assert_eq!(
            (asked.method.as_str(), asked.path.as_str()),
            ("POST", "/v1/calls")
        );
        assert_eq!(asked.header("content-type"), Some("application/json"));
        let ours: Value = serde_json::from_slice(&asked.body).unwrap();
        let text = ours["ncco"][0]["text"].as_str().unwrap();
        assert_eq!(text.matches("0, 1, 2, 3, 4, 5").count(), 2, "{text}");
        assert!(text.contains("Koden") && !text.contains(CODE), "{text}");
        let phone = |number: &str| json!({"type": "phone", "number": number});
        let theirs = sdk(&json!({"do": "call", "arguments": {
            "to": [phone(&TO[1..])], "from_": phone("15005550006"),
            "ncco": [{"action": "talk", "text": text, "language": "nb-NO", "loop": 1}],
            "event_url": [format!("{CALLBACK}?token={TOKEN}")], "event_method": "POST",
            "ringing_timer": 25, "length_timer": 120,
        }}));
        assert_eq!(ours, theirs);
        let first = assert_token(&asked, &key.public);
        call(&vonage, |_| ()).await.unwrap();
        let second = assert_token(&fake.asked()[1], &key.public);
        assert_ne!(first, second, "each token has an id of its own");
    }
}

/// Has the SDK's library verify the token; gives its id.
pub(crate) fn assert_token(asked: &Asked, public_key: &str) -> String {
    let header = asked.header("authorization").unwrap();
    let token = header.strip_prefix("Bearer ").unwrap();
    let question = json!({"do": "token", "public_key": public_key, "token": token});
    let mut said = sdk(&question);
    let id = said["claims"]["jti"].take();
    assert_eq!(said["header"], json!({"alg": "RS256", "typ": "JWT"}));
    let expected = json!({
        "application_id": APPLICATION, "iat": NOW, "exp": NOW + 300, "jti": null,
    });
    assert_eq!(said["claims"], expected);
    id.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a70_a_call_that_is_refused_says_whose_fault_it_is_and_nothing_of_its_text() {
    let key = RsaKey::make();
    let echo = format!("{{\"title\":\"refused {CODE} {TO}\"}}");
    let permanent = DeliverError::permanent;
    let lost = DeliverError::transient().may_have_left();
    for (play, expected) in [
        (Play::json(400, &echo), permanent(Refused)),
        (Play::json(401, &echo), permanent(Unauthorised)),
        (Play::json(403, &echo), permanent(Unauthorised)),
        (
            Play::header(429, "retry-after", "3"),
            DeliverError::throttled(Duration::from_secs(3)),
        ),
        (Play::json(500, &echo), lost),
        (Play::json(503, &echo), DeliverError::transient()),
        (Play::Cut, lost),
    ] {
        let told = format!("{play:?}");
        let fake = HttpFake::start([play]);
        let vonage = caller(&fake, &key.pkcs8);
        let answer = call(&vonage, |_| ()).await;
        assert_eq!(answer, Err(expected), "{told}");
        let secret = &key.pkcs8[100..120];
        assert_hides(&format!("{answer:?} {vonage:?}"), &["refused ", secret]);
        assert_eq!(fake.asked().len(), 1, "nothing is repeated");
    }
    let fake = HttpFake::start([Play::json(201, &format!("{{\"uuid\":\"{CODE}\"}}"))]);
    let taken = call(&caller(&fake, &key.pkcs8), |_| ()).await;
    assert_eq!(
        taken,
        Ok(Receipt::new("vonage")),
        "an id that is none is left out"
    );
}

#[test]
fn a70_an_event_counts_when_its_token_is_right_and_about_this_body() {
    let events = voice::VonageEvents::new(Credential::new(SIGNATURE_SECRET));
    let url = format!("{CALLBACK}?token={TOKEN}");
    for (status, outcome) in [("completed", Delivered), ("busy", Failed)] {
        let body = json!({"status": status, "uuid": APPLICATION, "direction": "outbound"});
        let body = body.to_string();
        let hash = sha256(&body);
        let claims = json!({
            "iat": NOW, "jti": "j", "iss": "Vonage", "payload_hash": hash, "api_key": KEY,
        });
        let question = json!({"do": "event", "secret": SIGNATURE_SECRET, "claims": claims});
        let token = sdk(&question).as_str().unwrap().to_owned();
        let believe = json!({"do": "believe", "secret": SIGNATURE_SECRET, "token": token});
        assert_eq!(sdk(&believe), true);
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(
            read(&events, &url, &headers, &body),
            Ok(Some(says(outcome)))
        );
        let refused = Err(Unsigned::new());
        let other = body.replace("outbound", "inbound");
        assert_eq!(read(&events, &url, &headers, &other), refused);
        assert_eq!(read(&events, &url, &[], &body), refused);
    }
}

/// By a program of the system's, so that the hash is not our own twice.
fn sha256(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, text).unwrap();
    let made = Command::new("sha256sum")
        .arg(&file)
        .output()
        .expect("coreutils");
    let text = String::from_utf8(made.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}
