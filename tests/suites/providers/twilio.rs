//! Twilio's deliverers, against answers as Twilio makes them.

use std::sync::Arc;
use std::time::Duration;

use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};
use countersign::{Channel, DeliverError, Deliverer, Message};
use countersign_sms::twilio::{Account, AccountConfig, Sender, Twilio as Sms};
use countersign_voice::twilio::Twilio as Voice;

use crate::parts::http_fake::{HttpFake, Play};
use crate::stage::{
    CODE, PATIENT, SHORT, TO, TOKEN, assert_hides, deliver, deliver_with, messages,
};

pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const KEY: &str = "SK0123456789abcdef0123456789abcdef";
pub(crate) const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
pub(crate) const AUTH_TOKEN: &str = "a-token-of-the-account";
pub(crate) const FROM: &str = "+15005550006";
pub(crate) const CALLBACK: &str = "https://verify.example.com/v1/verify/reports/twilio";

const MESSAGE_SID: &str = "SM0123456789abcdef0123456789abcdef";
const CALL_SID: &str = "CA0123456789abcdef0123456789abcdef";

pub(crate) fn account(url: &str) -> AccountConfig {
    AccountConfig::with_auth_token(ACCOUNT, AUTH_TOKEN)
        .http(|http| http.base_url(url).timeout(PATIENT))
        .callback_url(CALLBACK)
}

pub(crate) fn sms_of(account: AccountConfig, sender: Sender) -> Sms {
    let account = Arc::new(Account::new(account).unwrap());
    Sms::new(account, sender, messages()).unwrap()
}

pub(crate) fn sms(url: &str) -> Sms {
    sms_of(account(url), Sender::From(FROM.to_owned()))
}

pub(crate) fn voice(url: &str) -> Voice {
    let account = Arc::new(Account::new(account(url)).unwrap());
    Voice::new(account, FROM, messages()).unwrap()
}

fn created(sid: &str) -> Play {
    Play::json(201, &format!("{{\"sid\":\"{sid}\",\"status\":\"queued\"}}"))
}

/// The message as most tests deliver it.
pub(crate) fn reported(message: &mut Message<'_>) {
    message.report_token = Some(TOKEN);
    message.expires_in = 240;
}

#[tokio::test]
async fn an_sms_is_one_request_with_these_fields() {
    let fake = HttpFake::start([created(MESSAGE_SID)]);
    let sms = sms(&fake.url());
    let receipt = deliver_with(&sms, Channel::Sms, reported).await.unwrap();
    assert_eq!(receipt.provider, "twilio");
    assert_eq!(receipt.reference.as_deref(), Some(MESSAGE_SID));
    let asked = fake.only();
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    assert_eq!((asked.method.as_str(), asked.path), ("POST", path));
    let callback = format!("{CALLBACK}?token={TOKEN}");
    let form = fake.only().form();
    let fields: Vec<_> = form
        .iter()
        .filter(|(name, _)| name != "Body")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let expected = [
        ("To", TO),
        ("From", FROM),
        ("ValidityPeriod", "240"),
        ("StatusCallback", callback.as_str()),
    ];
    assert_eq!(fields, expected);
    let body = fake.only().field("Body").unwrap();
    assert!(body.contains(CODE) && body.contains("Example"), "{body}");
}

#[tokio::test]
async fn the_sender_the_login_and_the_validity_are_as_configured() {
    let fake = HttpFake::start([]);
    let with_key = AccountConfig::with_api_key(ACCOUNT, KEY, "key secret")
        .http(|http| http.base_url(&fake.url()).timeout(PATIENT));
    let sms = sms_of(with_key, Sender::MessagingService(SERVICE.to_owned()));
    for expires_in in [0, 1, 36_000, 36_001, u64::MAX] {
        let change = move |message: &mut Message<'_>| {
            message.report_token = Some(TOKEN);
            message.expires_in = expires_in;
        };
        deliver_with(&sms, Channel::Sms, change).await.unwrap();
    }
    let asked = fake.asked();
    let validity: Vec<_> = asked
        .iter()
        .map(|asked| asked.field("ValidityPeriod").unwrap())
        .collect();
    assert_eq!(validity, ["1", "1", "36000", "36000", "36000"]);
    assert_eq!(
        asked[0].field("MessagingServiceSid").as_deref(),
        Some(SERVICE)
    );
    assert_eq!(asked[0].field("From"), None);
    assert_eq!(asked[0].field("StatusCallback"), None, "none is configured");
    let login = "Basic U0swMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjprZXkgc2VjcmV0";
    assert_eq!(asked[0].header("authorization"), Some(login));
}

#[tokio::test]
async fn a_call_speaks_the_code_in_the_persons_language() {
    let fake = HttpFake::start([created(CALL_SID)]);
    let voice = voice(&fake.url());
    let change = |message: &mut Message<'_>| {
        reported(message);
        message.locale = Some("nb-NO");
    };
    let receipt = deliver_with(&voice, Channel::Voice, change).await.unwrap();
    assert_eq!(receipt.reference.as_deref(), Some(CALL_SID));
    let asked = fake.only();
    assert_eq!(
        asked.path,
        format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    );
    let field = |name| asked.field(name).unwrap();
    assert_eq!((field("To").as_str(), field("From").as_str()), (TO, FROM));
    assert_eq!(
        (field("Timeout").as_str(), field("TimeLimit").as_str()),
        ("25", "120")
    );
    assert_eq!(field("StatusCallback"), format!("{CALLBACK}?token={TOKEN}"));
    let twiml = field("Twiml");
    assert!(twiml.contains("<Say language=\"nb-NO\">"), "{twiml}");
    assert_eq!(twiml.matches("0, 1, 2, 3, 4, 5").count(), 2, "{twiml}");
    assert!(!twiml.contains(CODE), "{twiml}");
    assert_eq!(asked.form().len(), 6);
}

#[tokio::test]
async fn a_phone_does_not_ring_longer_than_the_code_is_good() {
    let fake = HttpFake::start([]);
    let voice = voice(&fake.url());
    for (expires_in, ringing) in [(0, "1"), (7, "7"), (25, "25"), (600, "25")] {
        let change = move |message: &mut Message<'_>| message.expires_in = expires_in;
        deliver_with(&voice, Channel::Voice, change).await.unwrap();
        let asked = fake.asked().pop().unwrap();
        assert_eq!(asked.field("Timeout").as_deref(), Some(ringing));
    }
}

#[tokio::test]
async fn a70_errors_are_told_apart_and_twilios_words_dropped() {
    for (status, code, reason) in [
        (400, 21211, Some(InvalidDestination)),
        (400, 21614, Some(InvalidDestination)),
        (400, 21610, Some(Blocked)),
        (400, 21408, Some(Refused)),
        (400, 21612, Some(Refused)),
        (401, 20003, Some(Unauthorised)),
        (429, 20429, None),
        (503, 20503, None),
    ] {
        let body = format!(
            "{{\"code\":{code},\"message\":\"Your code is {CODE}, sent to {TO}\",\
             \"more_info\":\"https://www.twilio.com/docs/errors/{code}\",\"status\":{status}}}"
        );
        let fake = HttpFake::start([Play::json(status, &body), Play::json(status, &body)]);
        let (sms, voice) = (sms(&fake.url()), voice(&fake.url()));
        let both: [(&dyn Deliverer, Channel); 2] = [(&sms, Channel::Sms), (&voice, Channel::Voice)];
        for (deliverer, channel) in both {
            let error = deliver_with(deliverer, channel, reported).await;
            let error = error.unwrap_err();
            assert_eq!(error.reason(), reason, "{status} {code}");
            assert!(!error.left_possibly(), "{status} {code}");
            let shown = format!("{error} {error:?} {deliverer:?}");
            assert_hides(&shown, &[AUTH_TOKEN, "Your code", "docs/errors"]);
        }
        assert_eq!(fake.asked().len(), 2, "nothing is repeated");
    }
}

#[tokio::test]
async fn throttling_passes_on_the_pause() {
    let fake = HttpFake::start([Play::header(429, "retry-after", "3"), Play::json(429, "")]);
    let sms = sms(&fake.url());
    for seconds in [3, 5] {
        let pause = Duration::from_secs(seconds);
        assert_eq!(deliver(&sms).await, Err(DeliverError::throttled(pause)));
    }
}

#[tokio::test]
async fn a_message_that_twilio_took_is_taken_though_the_rest_of_the_answer_is_lost() {
    let fake = HttpFake::start([
        Play::Flood(201, 10 << 20),
        Play::json(201, &format!("{{\"sid\":\"your code is {CODE}\"}}")),
        Play::json(201, &format!("{{\"sid\":\"{CODE}\"}}")),
        Play::json(201, "<html>"),
    ]);
    let sms = sms(&fake.url());
    for _ in 0..4 {
        let receipt = deliver(&sms).await.unwrap();
        assert_eq!((receipt.provider, receipt.reference), ("twilio", None));
    }
    let fake = HttpFake::start([Play::Stall(201, b"{".to_vec())]);
    let sms = sms_of(
        account(&fake.url()).http(|http| http.timeout(SHORT)),
        Sender::From(FROM.to_owned()),
    );
    assert!(deliver(&sms).await.is_ok());
}

#[tokio::test]
async fn a_lost_answer_and_an_error_of_the_server_may_have_left_the_message() {
    let fake = HttpFake::start([Play::Cut, Play::json(500, ""), Play::Silence]);
    let sms = sms_of(
        account(&fake.url()).http(|http| http.timeout(SHORT)),
        Sender::From(FROM.to_owned()),
    );
    for _ in 0..3 {
        let error = deliver(&sms).await.unwrap_err();
        assert!(error.is_transient() && error.left_possibly());
    }
    assert_eq!(fake.asked().len(), 3, "nothing is repeated");
}

#[tokio::test]
async fn a_check_logs_in_and_sends_nothing() {
    let fake = HttpFake::start([
        Play::json(400, "{\"code\":21604}"),
        Play::json(400, "{\"code\":21201}"),
        Play::json(401, "{\"code\":20003}"),
        Play::json(200, "{}"),
        Play::Cut,
    ]);
    let (sms, voice) = (sms(&fake.url()), voice(&fake.url()));
    assert_eq!(sms.check().await, Ok(()));
    assert_eq!(voice.check().await, Ok(()));
    for expected in ["account_sid", "answered 200", "no answer"] {
        let sentence = sms.check().await.unwrap_err().to_string();
        assert!(sentence.contains(expected), "{sentence}");
        assert_hides(&sentence, &[AUTH_TOKEN, ACCOUNT]);
    }
    for asked in fake.asked() {
        assert_eq!(asked.form(), [("From".to_owned(), FROM.to_owned())]);
        assert!(asked.header("authorization").is_some());
    }
}
