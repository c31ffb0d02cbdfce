//! The signed webhook: beside the reference library of Standard Webhooks, and against a
//! receiver that misbehaves.

use std::time::Duration;

use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};
use countersign::{
    Callback, Channel, Clock as _, DeliverError, DeliveryOutcome, Message, Receipt, Report,
    ReportReader as _, SystemClock, Unsigned,
};
use countersign_webhook::{Webhook, WebhookConfig};
use serde_json::{Value, json};

use crate::parts::http_fake::{Asked, HttpFake, Play};
use crate::parts::second_opinion;
use crate::stage::{CODE, SHORT, TO, TOKEN, assert_hides, deliver, deliver_with, messages};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const OLDER: &str = "whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";

fn webhook(fake: &HttpFake) -> Webhook {
    let url = format!("{}/codes", fake.url());
    Webhook::new(
        WebhookConfig::new(&url, SECRET).http(|http| http.timeout(SHORT * 5)),
        messages(),
    )
    .unwrap()
}

fn library(question: &Value) -> Value {
    second_opinion::ask("webhook_library.py", question)
}

fn believed(asked: &Asked, secret: &str, body: &str) -> bool {
    let header = |name| (name, asked.header(name).unwrap());
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header);
    let headers: serde_json::Map<String, Value> = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let question = json!({"do": "verify", "secret": secret, "headers": headers, "body": body});
    library(&question) == true
}

fn body(asked: &Asked) -> String {
    String::from_utf8(asked.body.clone()).unwrap()
}

#[tokio::test]
async fn the_reference_library_believes_every_channel_by_each_secret() {
    let fake = HttpFake::start([]);
    let config = WebhookConfig::new(&fake.url(), SECRET).older_secret(OLDER);
    let webhook = Webhook::new(config, messages()).unwrap();
    for channel in [Channel::Sms, Channel::Voice] {
        let reported = |message: &mut Message<'_>| message.report_token = Some(TOKEN);
        deliver_with(&webhook, channel, reported).await.unwrap();
    }
    for (asked, channel) in fake.asked().iter().zip(["sms", "voice"]) {
        let text = body(asked);
        for secret in [SECRET, OLDER] {
            assert!(believed(asked, secret, &text), "{channel} {secret}");
        }
        assert!(!believed(asked, SECRET, &text.replace(CODE, "543210")));
        assert_eq!(asked.header("content-type"), Some("application/json"));
        let said: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&said["channel"], &said["to"]),
            (&json!(channel), &json!(TO))
        );
        assert_eq!(
            (&said["code"], &said["report_token"]),
            (&json!(CODE), &json!(TOKEN))
        );
        assert_eq!(asked.header("webhook-id"), said["message_id"].as_str());
    }
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn a_message_that_comes_twice_has_one_id() {
    let fake = HttpFake::start([Play::Cut]);
    let webhook = webhook(&fake);
    let lost = DeliverError::transient().may_have_left();
    assert_eq!(deliver(&webhook).await, Err(lost));
    deliver(&webhook).await.unwrap();
    let asked = fake.asked();
    assert_eq!(asked.len(), 2, "nothing is repeated by itself");
    assert_eq!(asked[0].header("webhook-id"), asked[1].header("webhook-id"));
    assert_eq!(asked[0].path, "/codes");
}

#[tokio::test]
async fn a70_an_answer_says_whose_fault_it_is_and_nothing_of_its_text() {
    let echo = |word: &str| format!("{{\"error\":\"{word}\",\"text\":\"{CODE} {TO}\"}}");
    let lost = DeliverError::transient().may_have_left();
    let permanent = DeliverError::permanent;
    for (play, expected) in [
        (
            Play::json(400, &echo("invalid_destination")),
            permanent(InvalidDestination),
        ),
        (Play::json(422, &echo("blocked")), permanent(Blocked)),
        (Play::json(422, &echo(CODE)), permanent(Refused)),
        (Play::json(401, &echo("")), permanent(Unauthorised)),
        (Play::json(403, &echo("blocked")), permanent(Unauthorised)),
        (Play::json(404, &echo("")), permanent(Unauthorised)),
        (Play::json(410, &echo("")), permanent(Unauthorised)),
        (
            Play::header(429, "retry-after", "7"),
            DeliverError::throttled(Duration::from_secs(7)),
        ),
        (Play::json(500, &echo("blocked")), lost),
        (Play::json(503, &echo("")), DeliverError::transient()),
        (Play::Silence, lost),
        (Play::Cut, lost),
    ] {
        let told = format!("{play:?}");
        let fake = HttpFake::start([play]);
        let webhook = webhook(&fake);
        let answer = deliver(&webhook).await;
        assert_eq!(answer, Err(expected), "{told}");
        assert_hides(&format!("{answer:?} {webhook:?}"), &["MDEyMzQ1"]);
        assert_eq!(fake.asked().len(), 1, "nothing is repeated");
    }
}

#[tokio::test]
async fn a_reference_is_kept_where_it_is_plain() {
    for (answer, expected) in [
        (r#"{"reference": "abc-1"}"#, Some("abc-1")),
        (r#"{"reference": "two words"}"#, None),
        (r#"{"reference": 7}"#, None),
        ("not json", None),
        ("", None),
    ] {
        let fake = HttpFake::start([Play::json(202, answer)]);
        let receipt: Receipt = deliver(&webhook(&fake)).await.unwrap();
        assert_eq!(receipt.reference.as_deref(), expected, "{answer}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = HttpFake::start([]);
        let fake = HttpFake::start([Play::header(status, "location", &elsewhere.url())]);
        let answer = deliver(&webhook(&fake)).await;
        assert_eq!(answer, Err(DeliverError::transient()), "{status}");
        assert_eq!(elsewhere.connections(), 0, "{status}");
    }
}

fn report(signature: &str, at: u64, body: &str, now: u64) -> Result<Option<Report>, Unsigned> {
    let fake = HttpFake::start([]);
    let reports = webhook(&fake).reports();
    let at = at.to_string();
    let headers = [
        ("webhook-id", "rep_1"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", signature),
    ];
    let callback = Callback {
        url: "https://example.com/reports",
        headers: &headers,
        body: body.as_bytes(),
    };
    reports.read(&callback, now)
}

#[test]
fn a70_a_report_counts_when_the_reference_library_signed_it_now() {
    let now = SystemClock::default().now().as_millis() / 1000;
    let body = json!({"token": TOKEN, "outcome": "delivered"}).to_string();
    let sign = |secret: &str| {
        let question =
            json!({"do": "sign", "secret": secret, "id": "rep_1", "at": now, "body": body});
        library(&question).as_str().unwrap().to_owned()
    };
    let right = sign(SECRET);
    let delivered = Report {
        token: TOKEN.to_owned(),
        outcome: DeliveryOutcome::Delivered,
    };
    assert_eq!(report(&right, now, &body, now), Ok(Some(delivered)));
    let refused = Err(Unsigned::new());
    assert_eq!(report(&sign(OLDER), now, &body, now), refused);
    assert_eq!(
        report(&right, now, &body.replace("rep", "res"), now),
        refused
    );
    assert_eq!(report(&right, now, &body, now + 301), refused);
    assert_eq!(report("", now, &body, now), refused);
}

#[tokio::test]
async fn a_check_asks_whether_somebody_is_there_and_hands_nothing_over() {
    for (play, expected) in [
        (Play::json(200, "{}"), None),
        (Play::json(404, "{}"), None),
        (Play::json(405, "{}"), None),
        (
            Play::header(301, "location", "http://127.0.0.1:9/"),
            Some("answered 301"),
        ),
        (Play::json(502, "{}"), Some("answered 502")),
        (Play::Cut, Some("no answer")),
    ] {
        let fake = HttpFake::start([play]);
        let said = webhook(&fake).check().await.err();
        let said = said.map(|error| error.to_string());
        assert_eq!(said.is_none(), expected.is_none(), "{said:?}");
        let said = said.unwrap_or_default();
        assert!(said.contains(expected.unwrap_or_default()), "{said}");
        let asked = fake.only();
        assert_eq!(
            (asked.method.as_str(), asked.path.as_str()),
            ("GET", "/codes")
        );
        assert!(asked.body.is_empty() && asked.header("webhook-signature").is_none());
    }
}
