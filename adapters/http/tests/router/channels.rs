//! Several channels in one send: `"channel": ["sms", "voice"]`.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use countersign::{
    Channel, DeliverError, Deliverer, MemoryStore, Message, Permanent, Receipt, Recorder,
};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk};
use crate::faults::Plugged;
use crate::observed::Meter;

const NUMBER: &str = "+4712345678";

/// Takes voice messages only; and may pull the store's plug before it says so.
#[derive(Debug)]
struct NoSms {
    recorder: Arc<Recorder>,
    failure: DeliverError,
    plug: Option<Arc<Plugged>>,
}

#[async_trait]
impl Deliverer for NoSms {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        if message.channel == Channel::Sms {
            if let Some(plug) = &self.plug {
                plug.pull(true);
            }
            return Err(self.failure);
        }
        self.recorder.deliver(message).await
    }
}

fn desk(failure: DeliverError) -> Desk {
    let (clock, store) = Desk::memory();
    let around = |recorder: &Arc<Recorder>| {
        Arc::new(NoSms {
            recorder: Arc::clone(recorder),
            failure,
            plug: None,
        }) as Arc<dyn Deliverer>
    };
    Desk::with(clock, store, &Channel::ALL, around, |api| api)
}

async fn send(desk: &Desk, channel: Value) -> Answer {
    let body = json!({"to": NUMBER, "channel": channel});
    desk.post("/v1/verify/send", &body).await
}

#[tokio::test]
async fn the_first_channel_that_takes_the_message_is_the_answer_s() {
    let desk = desk(DeliverError::transient());
    for (call, to) in [("send", "to"), ("start", "recipient")] {
        let body = json!({to: NUMBER, "channel": ["sms", "voice"]});
        let sent = desk.post(&format!("/v1/verify/{call}"), &body).await;
        assert_eq!((sent.status, sent.text("channel").as_str()), (200, "voice"));
        let id = sent.text("session_id");
        let shown = desk.get(&format!("/v1/verify/status/{id}")).await;
        let told = (shown.text("channel"), shown.text("status"));
        assert_eq!(told, ("voice".to_owned(), "pending".to_owned()));
        assert_eq!(shown.body["sends"], 1);
        assert_eq!(shown.body["attempts_remaining"], 5);
        let verified = desk.check(&id, &desk.code()).await;
        let expected = json!({"session_id": id, "status": "verified", "channel": "voice"});
        assert_eq!((verified.status, verified.body), (200, expected));
    }
    assert_eq!(desk.recorder.len(), 2);
    let shown = desk.get("/v1/verify/destination?to=%2B4712345678").await;
    assert_eq!(
        shown.body["open"]["sends_left"],
        json!([3, 8]),
        "charged once each"
    );
}

#[tokio::test]
async fn a_list_of_one_is_that_channel_and_a_plain_word_stays_one() {
    let desk = Desk::new();
    let plain = send(&desk, json!("sms")).await;
    let listed = send(&desk, json!(["sms"])).await;
    for answer in [&plain, &listed] {
        assert_eq!(
            (answer.status, answer.text("channel").as_str()),
            (200, "sms")
        );
    }
    let members = |answer: &Answer| -> Vec<String> {
        answer.body.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(members(&plain), members(&listed));
    let email = json!({"to": "user@example.com", "channel": ["email"]});
    assert_eq!(desk.post("/v1/verify/send", &email).await.status, 200);
    assert_eq!(desk.recorder.len(), 3);
}

#[tokio::test]
async fn other_lists_are_refused_uncharged() {
    let desk = Desk::new();
    for channel in [
        json!([]),
        json!(["sms", "sms"]),
        json!(["sms", "voice", "sms"]),
        json!(["sms", "fax"]),
        json!(["SMS"]),
        json!(["sms", null]),
        json!(["sms", 1]),
        json!([["sms"]]),
        json!([{"channel": "sms"}]),
        json!({"0": "sms"}),
        json!("sms,voice"),
        json!(["sms", "email"]),
        json!(["voice", "sms", "email"]),
        json!(null),
    ] {
        let answer = send(&desk, channel.clone()).await;
        let told = (answer.status, answer.text("field"), answer.problem());
        let expected = (422, "channel".to_owned(), "invalid".to_owned());
        assert_eq!(told, expected, "{channel}");
    }
    let deep = format!(r#"{{"to":"{NUMBER}","channel":{}"#, "[".repeat(15_000));
    let answer = desk.raw("/v1/verify/send", deep).await;
    assert!(matches!(answer.status, 400 | 422), "{answer:?}");
    let words = json!({"to": NUMBER, "channel": "sms", "alphabet": ["digits"]});
    let answer = desk.post("/v1/verify/send", &words).await;
    assert_eq!(answer.text("field"), "alphabet", "only channels are listed");
    let id = desk.send("sms", NUMBER).await;
    let resend = json!({"session_id": id, "to": NUMBER, "channel": ["voice"]});
    let answer = desk.post("/v1/verify/resend", &resend).await;
    assert_eq!(
        (answer.status, answer.text("field").as_str()),
        (422, "channel")
    );
    assert_eq!(desk.recorder.len(), 1);
    let shown = desk.get("/v1/verify/destination?to=%2B4712345678").await;
    assert_eq!(shown.body["open"]["sends_left"], json!([4, 9]));
}

#[tokio::test]
async fn every_channel_of_a_list_needs_a_deliverer() {
    let (clock, _) = Desk::memory();
    let store = MemoryStore::with_clock(clock.clone());
    let desk = Desk::on(clock, Arc::new(store), &[Channel::Sms]);
    let answer = send(&desk, json!(["sms", "voice"])).await;
    let told = (answer.status, answer.problem(), answer.text("detail"));
    assert_eq!((told.0, told.1.as_str()), (422, "channel-unavailable"));
    assert!(told.2.contains("voice"), "{}", told.2);
    assert!(desk.recorder.is_empty());
}

#[tokio::test]
async fn nothing_leaves_by_the_next_channel_when_the_first_may_have_taken_it() {
    for failure in [
        DeliverError::transient().may_have_left(),
        DeliverError::permanent(Permanent::InvalidDestination),
    ] {
        let desk = desk(failure);
        let answer = send(&desk, json!(["sms", "voice"])).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (502, "undelivered")
        );
        assert!(desk.recorder.is_empty(), "{failure:?}");
    }
}

#[tokio::test]
async fn a54_nothing_leaves_by_the_next_channel_while_the_store_is_down() {
    let (clock, _) = Desk::memory();
    let store = Plugged::new(&clock);
    let plug = Arc::clone(&store);
    let around = |recorder: &Arc<Recorder>| {
        Arc::new(NoSms {
            recorder: Arc::clone(recorder),
            failure: DeliverError::transient(),
            plug: Some(plug),
        }) as Arc<dyn Deliverer>
    };
    let desk = Desk::with(
        clock,
        Arc::clone(&store) as _,
        &Channel::ALL,
        around,
        |api| api,
    );
    let answer = send(&desk, json!(["sms", "voice"])).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (502, "undelivered")
    );
    assert_eq!(answer.body["retryable"], true);
    assert!(desk.recorder.is_empty(), "voice was called");
}

#[tokio::test]
async fn in_the_background_the_outcome_is_in_the_status_and_in_the_metrics() {
    let desk = desk(DeliverError::transient());
    let meter = Meter::default();
    let id = {
        let _guard = metrics::set_default_local_recorder(&meter);
        let body = json!({"to": NUMBER, "channel": ["sms", "voice"], "delivery": "background"});
        let sent = desk.post("/v1/verify/send", &body).await;
        assert_eq!((sent.status, sent.text("channel").as_str()), (200, "sms"));
        desk.api.drain().await;
        sent.text("session_id")
    };
    let shown = desk.get(&format!("/v1/verify/status/{id}")).await;
    let told = (shown.text("channel"), shown.text("delivery"));
    assert_eq!(told, ("voice".to_owned(), "accepted".to_owned()));
    let seen = meter.seen("countersign_sends_total");
    let expected = [
        ("countersign_sends_total{channel=sms,outcome=passed_on}", 1),
        ("countersign_sends_total{channel=voice,outcome=sent}", 1),
    ];
    assert_eq!(seen, expected.map(|(name, n)| (name.to_owned(), n)));
}

#[tokio::test]
async fn a52_the_list_is_part_of_what_an_idempotency_key_stands_for() {
    let desk = desk(DeliverError::transient());
    let send = |channel: Value| {
        let body = json!({"to": NUMBER, "channel": channel}).to_string();
        let request = Request::post("/v1/verify/send")
            .header("x-api-key", &desk.key)
            .header("content-type", "application/json")
            .header("idempotency-key", "order-7");
        desk.call(request.body(Body::from(body)).unwrap())
    };
    let first = send(json!(["sms", "voice"])).await;
    let again = send(json!(["sms", "voice"])).await;
    assert_eq!((first.status, &again.body), (200, &first.body));
    assert_eq!(first.text("channel"), "voice");
    for other in [
        json!("sms"),
        json!("voice"),
        json!(["voice", "sms"]),
        json!(["voice"]),
    ] {
        let answer = send(other.clone()).await;
        let told = (answer.status, answer.problem());
        assert_eq!(told, (422, "idempotency-mismatch".to_owned()), "{other}");
    }
    assert_eq!(desk.recorder.len(), 1);
}
