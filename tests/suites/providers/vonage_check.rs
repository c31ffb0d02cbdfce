//! An operator's questions to Vonage, against a server that answers as it is told.

use countersign_provider::CheckError;
use countersign_sms::vonage as sms;

use crate::parts::http_fake::{HttpFake, Play};
use crate::stage::{assert_hides, messages};
use crate::vonage::{
    APPLICATION, KEY, RsaKey, SECRET, SIGNATURE_SECRET, assert_token, caller, config,
};

/// What a provider answers to a harmless question, and what is to be said of it.
fn answers(well: &str) -> [(Play, Option<&'static str>); 6] {
    [
        (Play::json(200, well), None),
        (
            Play::json(401, "{}"),
            Some("the login was refused with 401"),
        ),
        (
            Play::json(403, well),
            Some("the login was refused with 403"),
        ),
        (Play::json(404, "{}"), Some("answered 404")),
        (Play::json(200, "<html>"), Some("answered 200")),
        (Play::Cut, Some("no answer")),
    ]
}

#[tokio::test]
async fn a_check_asks_for_the_balance_and_sends_nothing() {
    for (play, expected) in answers(r#"{"value":10.28,"autoReload":false}"#) {
        let fake = HttpFake::start([play]);
        let config = config(&fake).api_secret(SECRET);
        let checked = sms::Vonage::new(config, messages()).unwrap().check().await;
        let said = checked.err().map(|error| error.to_string());
        assert_eq!(said.is_none(), expected.is_none(), "{said:?}");
        let said = said.unwrap_or_default();
        assert!(said.contains(expected.unwrap_or_default()), "{said}");
        assert_hides(&said, &[KEY, SECRET]);
        let asked = fake.only();
        let question = (asked.method.as_str(), asked.path.as_str());
        assert_eq!(question, ("GET", "/account/get-balance"));
        let login = "Basic YWJjZDEyMzQ6YWJjZGVmMDEyMzQ1Njc4OQ==";
        assert_eq!(asked.header("authorization"), Some(login));
        assert!(asked.body.is_empty());
    }
    let fake = HttpFake::start([]);
    let signing = sms::Vonage::new(config(&fake).sign_by(SIGNATURE_SECRET), messages()).unwrap();
    let checked = signing.check().await;
    assert!(
        matches!(checked, Err(CheckError::NoQuestion(_))),
        "{checked:?}"
    );
    assert_eq!(fake.connections(), 0, "no secret travels");
}

#[tokio::test]
async fn a_check_of_calls_lists_them_and_calls_nobody() {
    let key = RsaKey::make();
    for (play, expected) in answers(r#"{"count":0,"page_size":10,"_embedded":{"calls":[]}}"#) {
        let fake = HttpFake::start([play]);
        let checked = caller(&fake, &key.pkcs8).check().await;
        let said = checked.err().map(|error| error.to_string());
        assert_eq!(said.is_none(), expected.is_none(), "{said:?}");
        let said = said.unwrap_or_default();
        assert!(said.contains(expected.unwrap_or_default()), "{said}");
        assert_hides(&said, &[APPLICATION, &key.pkcs8[100..120]]);
        let asked = fake.only();
        let question = (asked.method.as_str(), asked.path.as_str());
        assert_eq!(question, ("GET", "/v1/calls"));
        assert!(asked.body.is_empty());
        if expected.is_none() {
            assert_token(&asked, &key.public);
        }
    }
}
