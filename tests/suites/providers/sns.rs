//! AWS SNS: against moto, which checks signatures and permissions, beside AWS's own SDK,
//! and against a server that answers as it is told.

use std::sync::Arc;
use std::time::Duration;

use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};
use countersign::{Channel, DeliverError, Permanent, Receipt};
use countersign_provider::CheckError;
use countersign_sms::sns::{Sns, SnsCheck, SnsConfig};
use serde_json::{Value, json};

use crate::parts::http_fake::{Asked, HttpFake, Play};
use crate::parts::moto::{AccessKey, Moto, REGION};
use crate::parts::second_opinion;
use crate::stage::{CODE, TO, assert_hides, deliver, deliver_with, messages};

fn config(url: &str, key: &AccessKey) -> SnsConfig {
    let config =
        SnsConfig::new(REGION, &key.id, key.secret.as_str()).http(|http| http.base_url(url));
    match &key.session_token {
        Some(token) => config.session_token(token.as_str()),
        None => config,
    }
}

fn sns(url: &str, key: &AccessKey) -> Sns {
    Sns::new(config(url, key), messages()).unwrap()
}

fn a_key() -> AccessKey {
    AccessKey {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
    }
}

fn refused(reason: Permanent) -> Result<Receipt, DeliverError> {
    Err(DeliverError::permanent(reason))
}

#[tokio::test]
async fn what_is_signed_by_a_key_that_may_publish_is_sent() {
    let mut moto = Moto::start();
    for name in ["user", "session"] {
        let sns = sns(&moto.url(), &moto.key(name));
        let receipt = deliver(&sns).await.unwrap();
        assert!(receipt.reference.is_some(), "{receipt:?}");
    }
    let arabic = sns(&moto.url(), &moto.key("user"));
    let in_arabic = |message: &mut countersign::Message<'_>| message.locale = Some("ar");
    deliver_with(&arabic, Channel::Sms, in_arabic)
        .await
        .unwrap();
    let sent = moto.messages();
    assert_eq!(sent.len(), 3);
    assert!(
        sent.iter()
            .all(|(to, text)| to == TO && text.contains(CODE))
    );
    assert!(sent[2].1.contains("رمز"), "{:?}", sent[2]);
}

#[tokio::test]
async fn a_wrong_key_secret_or_token_is_refused_and_nothing_is_sent() {
    let mut moto = Moto::start();
    let user = moto.key("user");
    let session = moto.key("session");
    let mut wrong_secret = user.clone();
    wrong_secret.secret = wrong_secret.secret.chars().rev().collect();
    let mut wrong_id = user.clone();
    wrong_id.id = "AKIAIOSFODNN7EXAMPLE".to_owned();
    let mut wrong_token = session.clone();
    wrong_token.session_token = Some("FQoGZXIvYXdzEXAMPLE".to_owned());
    let forbidden = moto.key("forbidden");
    for key in [wrong_secret, wrong_id, wrong_token, forbidden] {
        let answer = deliver(&sns(&moto.url(), &key)).await;
        assert_eq!(answer, refused(Unauthorised), "{}", key.id);
    }
    assert_eq!(moto.messages(), []);
    assert!(deliver(&sns(&moto.url(), &user)).await.is_ok());
}

#[tokio::test]
async fn a_check_tells_a_known_key_from_an_unknown_one_and_sends_nothing() {
    let mut moto = Moto::start();
    for (name, expected) in [
        ("reader", SnsCheck::Answered),
        ("user", SnsCheck::NotPermitted),
        ("session", SnsCheck::NotPermitted),
    ] {
        let checked = sns(&moto.url(), &moto.key(name)).check().await;
        assert_eq!(checked, Ok(expected), "{name}");
    }
    let mut wrong_secret = moto.key("reader");
    wrong_secret.secret = wrong_secret.secret.chars().rev().collect();
    for key in [wrong_secret, a_key()] {
        let error = sns(&moto.url(), &key).check().await.unwrap_err();
        assert!(matches!(error, CheckError::Login(_, 403)), "{error:?}");
        let sentence = error.to_string();
        assert!(sentence.contains("secret_access_key"), "{sentence}");
        assert_hides(&sentence, &[&key.id, &key.secret]);
    }
    assert_eq!(moto.messages(), []);
    for (play, expected) in [
        (Play::json(200, "{}"), "answered 200"),
        (
            Play::header(301, "location", "http://127.0.0.1:9/"),
            "answered 301",
        ),
        (Play::Cut, "no answer"),
    ] {
        let fake = HttpFake::start([play]);
        let error = sns(&fake.url(), &a_key()).check().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let body = fake.only().body;
        assert_eq!(body, b"Action=GetSMSAttributes&Version=2010-03-31");
    }
}

/// What must be the same in two requests: method, path, content type and fields.
fn essence(asked: &Asked) -> Value {
    let mut fields = asked.form();
    fields.sort();
    let content_type = asked.header("content-type").unwrap_or_default();
    json!([asked.method, asked.path, content_type, fields])
}

#[tokio::test]
async fn the_request_is_that_of_awss_own_sdk() {
    let published = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult>\
                     <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>";
    let taken = || {
        Play::Answer(
            200,
            vec![("content-type", "text/xml".into())],
            published.into(),
        )
    };
    let fake = HttpFake::start([taken(), taken()]);
    let mut key = a_key();
    key.session_token = Some("IQoJb3JpZ2luX2VjEXAMPLE==".to_owned());
    let config = config(&fake.url(), &key).from("My-Brand").max_price("0.50");
    let ours = Sns::new(config, messages()).unwrap();
    let receipt = deliver(&ours).await.unwrap();
    assert_eq!(receipt, Receipt::new("sns").with_reference("m-1"));
    let text = fake.only().field("Message").unwrap();
    let attribute = |kind: &str, value: &str| json!({"DataType": kind, "StringValue": value});
    let question = json!({
        "url": fake.url(), "region": REGION, "key": [key.id, key.secret, key.session_token],
        "arguments": {
            "PhoneNumber": TO, "Message": text,
            "MessageAttributes": {
                "AWS.SNS.SMS.SMSType": attribute("String", "Transactional"),
                "AWS.SNS.SMS.SenderID": attribute("String", "My-Brand"),
                "AWS.SNS.SMS.MaxPrice": attribute("Number", "0.50"),
            },
        },
    });
    let asked = tokio::task::spawn_blocking(move || second_opinion::ask("boto_sns.py", &question));
    assert_eq!(asked.await.unwrap(), "m-1");
    let both = fake.asked();
    assert_eq!(both.len(), 2);
    assert_eq!(essence(&both[0]), essence(&both[1]));
    // Beside the signature itself, the same headers are signed, in the same scope.
    let scope = |asked: &Asked| {
        let header = asked.header("authorization").unwrap();
        let (scope, signature) = header.split_once(", Signature=").unwrap();
        assert_eq!(signature.len(), 64);
        scope.replace(|c: char| c.is_ascii_digit(), "0")
    };
    assert_eq!(scope(&both[0]), scope(&both[1]));
    let sealed = "x-amz-security-token";
    assert_eq!(both[0].header(sealed), both[1].header(sealed));
}

fn error(status: u16, code: &str, about: &str) -> Play {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{about} {CODE} {TO}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    Play::Answer(
        status,
        vec![("content-type", "text/xml".into())],
        body.into(),
    )
}

#[tokio::test]
async fn a70_an_error_says_whose_fault_it_is_and_nothing_of_its_text() {
    let lost = DeliverError::transient().may_have_left();
    let pause = DeliverError::throttled(Duration::from_secs(5));
    let permanent = DeliverError::permanent;
    let about_number = "Invalid parameter: PhoneNumber Reason:";
    for (play, expected) in [
        (error(400, "Throttling", "Rate exceeded"), pause),
        (error(429, "Throttled", ""), pause),
        (error(400, "OptedOut", ""), permanent(Blocked)),
        (
            error(400, "InvalidParameter", about_number),
            permanent(InvalidDestination),
        ),
        (
            error(400, "InvalidParameter", "Invalid parameter: Message"),
            permanent(Refused),
        ),
        (
            error(403, "AuthorizationError", ""),
            permanent(Unauthorised),
        ),
        (
            error(403, "InvalidClientTokenId", ""),
            permanent(Unauthorised),
        ),
        (
            error(403, "SignatureDoesNotMatch", ""),
            permanent(Unauthorised),
        ),
        (error(400, "RequestExpired", ""), permanent(Unauthorised)),
        (error(500, "InternalError", ""), lost),
        (
            error(503, "ServiceUnavailable", ""),
            DeliverError::transient(),
        ),
        (error(404, "NotFound", ""), permanent(Refused)),
        (
            Play::Answer(500, vec![], b"<html>012345</html>".to_vec()),
            lost,
        ),
        (Play::Cut, lost),
        (
            Play::header(302, "location", "http://127.0.0.1:9/"),
            DeliverError::transient(),
        ),
    ] {
        let told = format!("{play:?}");
        let fake = HttpFake::start([play]);
        let sns = sns(&fake.url(), &a_key());
        let answer = deliver(&sns).await;
        assert_eq!(answer, Err(expected), "{told}");
        assert_hides(
            &format!("{answer:?} {sns:?}"),
            &["Rate exceeded", &a_key().secret],
        );
        assert_eq!(fake.asked().len(), 1, "nothing is repeated");
    }
}

#[tokio::test]
async fn what_was_taken_is_taken_whatever_the_rest_of_the_answer_is() {
    for play in [
        Play::Answer(200, vec![], Vec::new()),
        Play::Answer(200, vec![], b"\xff\xfe".to_vec()),
        Play::Stall(200, b"<PublishResponse><PublishResult><Mess".to_vec()),
        Play::Flood(200, 10_000_000),
    ] {
        let fake = HttpFake::start([play]);
        let config =
            config(&fake.url(), &a_key()).http(|http| http.timeout(Duration::from_secs(3)));
        let sns = Sns::new(config, messages()).unwrap();
        assert_eq!(deliver(&sns).await, Ok(Receipt::new("sns")));
    }
}

#[tokio::test]
async fn the_time_that_is_signed_is_the_clocks() {
    let fake = HttpFake::start([]);
    let clock = countersign::FakeClock::at(countersign::Timestamp::from_secs(1_440_938_160));
    let config = config(&fake.url(), &a_key()).clock(Arc::new(clock));
    let sns = Sns::new(config, messages()).unwrap();
    deliver(&sns).await.unwrap();
    let asked = fake.only();
    assert_eq!(asked.header("x-amz-date"), Some("20150830T123600Z"));
    let authorization = asked.header("authorization").unwrap();
    assert!(
        authorization.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20150830/eu-north-1/sns/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature="
        ),
        "{authorization}"
    );
}
