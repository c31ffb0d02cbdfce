//! Twilio's own OpenAPI document: what we send against what it allows.

use std::collections::BTreeSet;

use countersign::Channel;
use serde_json::Value;

use crate::parts::http_fake::HttpFake;
use crate::parts::prism::{self, Prism};
use crate::stage::deliver_with;
use crate::twilio::{ACCOUNT, AUTH_TOKEN, reported, sms, voice};

const DOCUMENT: &str = "twilio_api_v2010.json";

fn path(resource: &str) -> String {
    format!("/2010-04-01/Accounts/{{AccountSid}}/{resource}.json")
}

fn schema<'a>(document: &'a Value, resource: &str) -> &'a Value {
    let body = &document["paths"][path(resource)]["post"]["requestBody"];
    &body["content"]["application/x-www-form-urlencoded"]["schema"]
}

/// Prism takes misspelt fields, so the names are looked up here.
#[tokio::test]
async fn every_field_is_one_that_twilio_knows() {
    let Some(contract) = prism::contract(DOCUMENT) else {
        return;
    };
    let document = prism::read(&contract);
    let fake = HttpFake::start([]);
    let url = fake.url();
    deliver_with(&sms(&url), Channel::Sms, reported)
        .await
        .unwrap();
    deliver_with(&voice(&url), Channel::Voice, reported)
        .await
        .unwrap();
    for (asked, resource) in fake.asked().iter().zip(["Messages", "Calls"]) {
        let schema = schema(&document, resource);
        let sent: BTreeSet<String> = asked.form().into_iter().map(|(name, _)| name).collect();
        assert_eq!(sent.len(), asked.form().len(), "no field is there twice");
        let known = schema["properties"].as_object().unwrap();
        for name in &sent {
            assert!(known.contains_key(name), "{resource} knows no {name}");
        }
        for required in schema["required"].as_array().unwrap() {
            assert!(sent.contains(required.as_str().unwrap()), "{required}");
        }
        for (name, value) in asked.form() {
            if known[&name]["type"] == "integer" {
                assert!(value.parse::<u32>().is_ok(), "{name} = {value}");
            }
        }
    }
    let twiml = fake.asked()[1].field("Twiml").unwrap();
    assert!(twiml.chars().count() <= 4000, "the document's bound");
}

/// A status that a later document adds must be thought about.
#[test]
fn the_states_of_messages_and_calls_are_those_that_were_thought_about() {
    let Some(contract) = prism::contract(DOCUMENT) else {
        return;
    };
    let document = prism::read(&contract);
    let values = |name: &str| -> BTreeSet<String> {
        let values = document["components"]["schemas"][name]["enum"].as_array();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        values.unwrap().iter().map(text).collect()
    };
    let known = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let messages: BTreeSet<String> = known(&[
        "accepted",
        "canceled",
        "delivered",
        "failed",
        "partially_delivered",
        "queued",
        "read",
        "received",
        "receiving",
        "scheduled",
        "sending",
        "sent",
        "undelivered",
    ]);
    assert_eq!(values("message_enum_status"), messages);
    let calls: BTreeSet<String> = known(&[
        "busy",
        "canceled",
        "completed",
        "failed",
        "in-progress",
        "no-answer",
        "queued",
        "ringing",
    ]);
    assert_eq!(values("call_enum_status"), calls);
}

#[tokio::test]
async fn prism_takes_what_we_send_and_refuses_what_twilio_would() {
    let Some(contract) = prism::contract(DOCUMENT) else {
        return;
    };
    let paths = ["Messages", "Calls"].map(path);
    let prism = Prism::start(
        prism::read(&contract),
        &paths.each_ref().map(String::as_str),
    );
    let url = prism.url();
    let (sms, voice) = (sms(&url), voice(&url));
    let receipt = deliver_with(&sms, Channel::Sms, reported).await.unwrap();
    let reference = receipt.reference.unwrap();
    assert!(reference.starts_with("SM") && reference.len() == 34);
    let receipt = deliver_with(&voice, Channel::Voice, reported)
        .await
        .unwrap();
    assert!(receipt.reference.unwrap().starts_with("CA"));
    // It does look: without fields, without login, in another form.
    assert_eq!(sms.check().await, Ok(()));
    assert_eq!(voice.check().await, Ok(()));
    let client = crate::parts::http_client();
    let to = format!("{url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    let content_type = "application/x-www-form-urlencoded";
    let post = |content_type: &'static str, body: &'static str| {
        let post = client.post(&to).header("content-type", content_type);
        post.body(body)
    };
    let login = |post: reqwest::RequestBuilder| post.basic_auth(ACCOUNT, Some(AUTH_TOKEN));
    for (request, status) in [
        (post(content_type, "To=%2B4790000001"), 401),
        (login(post(content_type, "Body=x")), 422),
        (login(post("application/json", "{}")), 415),
    ] {
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
}
