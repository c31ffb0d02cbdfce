//! Test destinations: a fixed code, no message, and a loud line for each use.

use countersign::{Channel, Code, Destination};
use serde_json::json;
use std::sync::Arc;

use crate::audit::Trail;
use crate::desk::Desk;
use crate::observed::Meter;

const NUMBER: &str = "+4712345678";
const CODE: &str = "918273";

/// A desk without any deliverer, and with one test destination.
fn desk() -> Desk {
    let (clock, store) = Desk::memory();
    let alike = |recorder: &Arc<_>| Arc::clone(recorder) as _;
    let test = |builder: countersign::Builder| {
        let to = Destination::parse(Channel::Sms, NUMBER).unwrap();
        builder.test_destination(to, Code::from_custom(CODE).unwrap())
    };
    Desk::built(clock, store, &[], alike, test, |api| api)
}

/// What the trail has beyond the line of one use; codes and numbers are in no line.
fn marked(trail: &Trail, operation: &str) {
    let lines = trail.take();
    let masked = "tenant=acme destination=+47••••••78 outcome=done";
    let [line] = <[String; 1]>::try_from(lines).unwrap();
    assert!(line.starts_with("level=WARN"), "{line}");
    assert!(
        line.ends_with(&format!("operation={operation} {masked}")),
        "{line}"
    );
    assert!(!line.contains(CODE) && !line.contains("12345678"), "{line}");
}

#[tokio::test]
async fn each_send_to_a_test_destination_and_each_approval_of_one_is_audited_loudly() {
    let desk = desk();
    let trail = Trail::begin();
    let body = json!({"to": NUMBER, "channel": ["sms", "voice"]});
    let sent = desk.post("/v1/verify/send", &body).await;
    assert_eq!((sent.status, sent.text("channel").as_str()), (200, "sms"));
    assert!(!sent.body.to_string().contains(CODE));
    marked(&trail, "test_send");
    let id = sent.text("session_id");
    desk.clock.advance_secs(30);
    let resend = json!({"session_id": id, "to": NUMBER, "channel": "voice"});
    assert_eq!(desk.post("/v1/verify/resend", &resend).await.status, 200);
    marked(&trail, "test_send");
    let wrong = desk.check(&id, "918274").await;
    assert_eq!(wrong.body["attempts_remaining"], 4);
    assert_eq!(trail.take(), [""; 0], "a wrong code approves nothing");
    let verified = desk.check(&id, CODE).await;
    assert_eq!(verified.body["status"], "verified");
    marked(&trail, "test_approval");
    assert_eq!(desk.check(&id, CODE).await.body["reason"], "already_used");
    assert_eq!(trail.take(), [""; 0], "once");
    assert!(desk.recorder.is_empty());
}

#[tokio::test]
async fn in_the_background_it_is_audited_too_and_counted_apart() {
    let desk = desk();
    let (trail, meter) = (Trail::begin(), Meter::default());
    let _counted = metrics::set_default_local_recorder(&meter);
    let body = json!({"to": NUMBER, "channel": "sms", "delivery": "background"});
    let sent = desk.post("/v1/verify/send", &body).await;
    desk.api.drain().await;
    marked(&trail, "test_send");
    let verified = desk.check(&sent.text("session_id"), CODE).await;
    assert_eq!(verified.body["status"], "verified");
    marked(&trail, "test_approval");
    let name = "countersign_sends_total{channel=sms,outcome=test}";
    assert_eq!(
        meter.seen("countersign_sends_total"),
        [(name.to_owned(), 1)]
    );
}

#[tokio::test]
async fn other_destinations_are_real_and_not_marked() {
    let (clock, store) = Desk::memory();
    let alike = |recorder: &Arc<_>| Arc::clone(recorder) as _;
    let test = |builder: countersign::Builder| {
        let to = Destination::parse(Channel::Sms, NUMBER).unwrap();
        builder.test_destination(to, Code::from_custom(CODE).unwrap())
    };
    let desk = Desk::built(clock, store, &Channel::ALL, alike, test, |api| api);
    let trail = Trail::begin();
    let id = desk.send("sms", "+4712345679").await;
    assert_eq!(desk.recorder.len(), 1);
    let verified = desk.check(&id, &desk.code()).await;
    assert_eq!(verified.body["status"], "verified");
    assert_eq!(trail.take(), [""; 0]);
}
