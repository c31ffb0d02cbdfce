//! Ours beside Twilio's official SDK: the same requests, the same signatures.

use countersign::DeliveryOutcome::{Delivered, Failed, Undeliverable};
use countersign::{Callback, Channel, DeliveryOutcome, Message, ReportReader, Unsigned};
use countersign_provider::Credential;
use countersign_sms::twilio::{AccountConfig, Reports, Sender};
use serde_json::{Value, json};

use crate::parts::http_fake::{Asked, HttpFake, Play};
use crate::parts::second_opinion;
use crate::stage::{PATIENT, TO, TOKEN, deliver_with};
use crate::twilio::{
    ACCOUNT, AUTH_TOKEN, CALLBACK, FROM, KEY, SERVICE, account, reported, sms_of, voice,
};

/// What must be the same in two requests: method, path, login, content type and fields.
fn essence(asked: &Asked) -> Value {
    let mut fields = asked.form();
    fields.sort();
    json!([
        asked.method,
        asked.path,
        asked.header("authorization"),
        asked.header("content-type"),
        fields,
    ])
}

/// Sends ours, then has the SDK send the same, and compares them.
async fn assert_same(
    fake: &HttpFake,
    ours: &dyn countersign::Deliverer,
    channel: Channel,
    key: Value,
    arguments: impl FnOnce(&Asked) -> Value,
) {
    let change = |message: &mut Message<'_>| {
        reported(message);
        message.locale = Some("ar");
    };
    deliver_with(ours, channel, change).await.unwrap();
    let first = fake.only();
    let answer = format!("{{\"sid\":\"{ACCOUNT}\"}}");
    fake.play(Play::json(201, &answer));
    let (url, arguments) = (fake.url(), arguments(&first));
    let what = if channel == Channel::Sms {
        "message"
    } else {
        "call"
    };
    let question = json!({
        "do": what, "url": url, "account": ACCOUNT, "token": AUTH_TOKEN, "key": key,
        "arguments": arguments,
    });
    let sid = tokio::task::spawn_blocking(move || second_opinion::ask("twilio_sdk.py", &question));
    assert_eq!(
        sid.await.unwrap(),
        ACCOUNT,
        "the SDK was answered by the fake"
    );
    let asked = fake.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(essence(&asked[0]), essence(&asked[1]));
}

#[tokio::test]
async fn our_sms_is_the_sdks() {
    let fake = HttpFake::start([]);
    let ours = sms_of(account(&fake.url()), Sender::From(FROM.to_owned()));
    let callback = format!("{CALLBACK}?token={TOKEN}");
    assert_same(&fake, &ours, Channel::Sms, Value::Null, |ours| {
        json!({
            "to": TO, "from_": FROM, "body": ours.field("Body"), "validity_period": 240,
            "status_callback": callback,
        })
    })
    .await;
}

#[tokio::test]
async fn our_sms_with_a_key_and_a_messaging_service_is_the_sdks() {
    let fake = HttpFake::start([]);
    let with_key = AccountConfig::with_api_key(ACCOUNT, KEY, "a secret")
        .http(|http| http.base_url(&fake.url()).timeout(PATIENT));
    let ours = sms_of(with_key, Sender::MessagingService(SERVICE.to_owned()));
    let key = json!([KEY, "a secret"]);
    assert_same(&fake, &ours, Channel::Sms, key, |ours| {
        json!({
            "to": TO, "messaging_service_sid": SERVICE, "body": ours.field("Body"),
            "validity_period": 240,
        })
    })
    .await;
}

#[tokio::test]
async fn our_call_is_the_sdks() {
    let fake = HttpFake::start([]);
    let ours = voice(&fake.url());
    let callback = format!("{CALLBACK}?token={TOKEN}");
    assert_same(&fake, &ours, Channel::Voice, Value::Null, |ours| {
        let twiml = ours.field("Twiml").unwrap();
        // The words as the SDK writes them.
        let (_, rest) = twiml.split_once("<Say language=\"arb\">").unwrap();
        let (text, _) = rest.split_once("</Say>").unwrap();
        let question = json!({"do": "twiml", "language": "arb", "text": text});
        let written = second_opinion::ask("twilio_sdk.py", &question);
        let plain = |text: &str| text.replace(" />", "/>");
        assert_eq!(plain(written.as_str().unwrap()), plain(&twiml));
        json!({
            "to": TO, "from_": FROM, "twiml": twiml, "timeout": 25, "time_limit": 120,
            "status_callback": callback,
        })
    })
    .await;
}

/// Callbacks as Twilio sends them, and some as it might: `url`, body, and what we read.
fn callbacks() -> Vec<(String, String, Option<DeliveryOutcome>)> {
    let url = format!("{CALLBACK}?token={TOKEN}");
    let with_port = url.replace("example.com/", "example.com:8443/");
    let sms = format!("AccountSid={ACCOUNT}&From=%2B15005550006&MessageSid=SM1&To=%2B4790000001");
    vec![
        (
            url.clone(),
            format!("{sms}&MessageStatus=delivered"),
            Some(Delivered),
        ),
        (url.clone(), format!("MessageStatus=sent&{sms}"), None),
        (
            url.clone(),
            format!("ErrorCode=30005&{sms}&MessageStatus=undelivered"),
            Some(Undeliverable),
        ),
        (with_port, format!("{sms}&CallStatus=busy"), Some(Failed)),
        (
            url.clone(),
            format!("{sms}&CallStatus=completed"),
            Some(Delivered),
        ),
        (
            url.clone(),
            format!("{sms}&Note=%C3%A6+%26%3D%25&Empty=&MessageStatus=failed"),
            Some(Failed),
        ),
        (
            url.clone(),
            format!("{sms}&Twice=b&Twice=a&Twice=b&MessageStatus=delivered"),
            Some(Delivered),
        ),
        (url, String::new(), None),
    ]
}

fn read(
    reports: &Reports,
    url: &str,
    body: &str,
    signature: &str,
) -> Result<Option<DeliveryOutcome>, Unsigned> {
    let headers = [("x-twilio-signature", signature)];
    let callback = Callback {
        url,
        headers: &headers,
        body: body.as_bytes(),
    };
    let report = reports.read(&callback, 0)?;
    Ok(report.map(|report| {
        assert_eq!(report.token, TOKEN);
        report.outcome
    }))
}

#[test]
fn a70_what_the_sdk_signs_is_believed() {
    let callbacks = callbacks();
    let requests: Vec<_> = callbacks
        .iter()
        .map(|(url, body, _)| json!({"url": url, "body": body}))
        .collect();
    let question = json!({"do": "sign", "token": AUTH_TOKEN, "requests": requests});
    let signatures = second_opinion::ask("twilio_sdk.py", &question);
    let reports = Reports::new([Credential::new("the other"), Credential::new(AUTH_TOKEN)]);
    let stranger = Reports::new([Credential::new("the other")]);
    for ((url, body, expected), signature) in callbacks.iter().zip(signatures.as_array().unwrap()) {
        let signature = signature.as_str().unwrap();
        assert_eq!(
            read(&reports, url, body, signature),
            Ok(*expected),
            "{body}"
        );
        let refused = Err(Unsigned::new());
        assert_eq!(read(&stranger, url, body, signature), refused, "{body}");
    }
}

#[test]
fn a70_the_sdk_and_we_refuse_and_take_the_same() {
    let (url, body, _) = callbacks().swap_remove(0);
    let question = json!({
        "do": "sign", "token": AUTH_TOKEN, "requests": [{"url": url, "body": body}],
    });
    let signed = second_opinion::ask("twilio_sdk.py", &question);
    let signature = signed[0].as_str().unwrap().to_owned();
    let other_token = url.replace(TOKEN, "rep_BBBBBBBBBBBBBBBBBBBBBBB");
    let plain = url.replace("https://", "http://");
    let port = url.replace("example.com/", "example.com:443/");
    let other_port = url.replace("example.com/", "example.com:8443/");
    let cases = [
        (url.as_str(), body.clone(), signature.clone()),
        (&port, body.clone(), signature.clone()),
        (&other_port, body.clone(), signature.clone()),
        (&other_token, body.clone(), signature.clone()),
        (&plain, body.clone(), signature.clone()),
        (&url, body.replace("delivered", "failed"), signature.clone()),
        (&url, format!("{body}&More=1"), signature.clone()),
        (
            &url,
            format!("{body}&MessageStatus=failed"),
            signature.clone(),
        ),
        (&url, String::new(), signature.clone()),
        (&url, body.clone(), signature.to_lowercase()),
        (&url, body.clone(), String::new()),
    ];
    let requests: Vec<_> = cases
        .iter()
        .map(|(url, body, signature)| json!({"url": url, "body": body, "signature": signature}))
        .collect();
    let question = json!({"do": "validate", "token": AUTH_TOKEN, "requests": requests});
    let theirs = second_opinion::ask("twilio_sdk.py", &question);
    let reports = Reports::new([Credential::new(AUTH_TOKEN)]);
    let ours: Vec<bool> = cases
        .iter()
        .map(|(url, body, signature)| read(&reports, url, body, signature).is_ok())
        .collect();
    assert_eq!(json!(ours), theirs);
    let taken = [
        true, true, true, false, false, false, false, false, false, false, false,
    ];
    assert_eq!(ours, taken);
}

#[test]
fn a70_a_reader_without_tokens_believes_nobody() {
    let (url, body, _) = callbacks().swap_remove(0);
    let question = json!({"do": "sign", "token": "", "requests": [{"url": url, "body": body}]});
    let signature = second_opinion::ask("twilio_sdk.py", &question);
    let nobody = Reports::new([]);
    assert_eq!(
        read(&nobody, &url, &body, signature[0].as_str().unwrap()),
        Err(Unsigned::new())
    );
    assert!(!format!("{nobody:?}").contains("Key"));
}
