//! A caller that hangs up while its message is on its way.

use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{Channel, DeliverError, Deliverer, Message, Receipt, Recorder};
use serde_json::json;
use tokio::sync::Notify;

use crate::desk::Desk;

/// Holds every message back at a gate.
#[derive(Debug)]
struct Gate {
    recorder: Arc<Recorder>,
    reached: Notify,
    opened: Notify,
}

#[async_trait]
impl Deliverer for Gate {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        self.reached.notify_one();
        self.opened.notified().await;
        self.recorder.deliver(message).await
    }
}

fn gated() -> (Desk, Arc<Gate>) {
    let (clock, store) = Desk::memory();
    let mut gate = None;
    let around = |recorder: &Arc<Recorder>| {
        let made = Arc::new(Gate {
            recorder: Arc::clone(recorder),
            reached: Notify::new(),
            opened: Notify::new(),
        });
        gate = Some(Arc::clone(&made));
        made as Arc<dyn Deliverer>
    };
    let desk = Desk::with(clock, store, &Channel::ALL, around, |api| api);
    (desk, gate.unwrap())
}

#[tokio::test]
async fn a_caller_that_hangs_up_cannot_cut_a_delivery_in_two() {
    let (desk, gate) = gated();
    let body = json!({"to": "+4712345678", "channel": "sms"});
    {
        let mut call = pin!(desk.post("/v1/verify/send", &body));
        tokio::select! {
            answer = &mut call => panic!("answered before it was delivered: {answer:?}"),
            () = gate.reached.notified() => {}
        }
    }
    assert!(desk.recorder.is_empty(), "the message is held back");
    gate.opened.notify_one();
    desk.api.drain().await;
    assert_eq!(desk.recorder.len(), 1, "the message left all the same");

    let shown = desk.get("/v1/verify/destination?to=%2B4712345678").await;
    let session = &shown.body["sessions"][0];
    assert_eq!(
        (session["status"].as_str(), session["delivery"].as_str()),
        (Some("pending"), Some("accepted")),
        "{shown:?}"
    );
    let id = session["session_id"].as_str().unwrap();
    let verified = desk.check(id, &desk.code()).await;
    assert_eq!(verified.body["status"], "verified");
}
