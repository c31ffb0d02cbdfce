//! Stores and deliverers that fail, and channels that nobody delivers.

use std::sync::{Arc, Mutex};

use countersign::record::{Effect, Step};
use countersign::store::{Entry, Incarnation, Loaded, Swap};
use countersign::{
    Channel, Clock, DeliverError, FakeClock, MemoryStore, Permanent, RecordKey, SessionStore,
    StoreError, Timestamp,
};
use countersign_http::Scope;
use serde_json::json;

use crate::desk::Desk;

/// A memory store whose plug can be pulled.
#[derive(Debug)]
pub(crate) struct Plugged {
    store: MemoryStore,
    fault: Mutex<Fault>,
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It cannot be reached.
    Down,
    /// Swaps happen, and their answers are lost.
    Unheard,
    /// As before, and from then on it is down.
    UnheardThenDown,
    /// Swaps do not happen, and nobody knows.
    Undone,
}

impl Plugged {
    pub(crate) fn new(clock: &Arc<FakeClock>) -> Arc<Self> {
        let store = MemoryStore::with_clock(Arc::clone(clock) as Arc<dyn Clock>);
        let fault = Mutex::new(Fault::None);
        Arc::new(Self { store, fault })
    }

    /// A desk on such a store.
    pub(crate) fn desk() -> (Desk, Arc<Self>) {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let store = Self::new(&clock);
        let desk = Desk::on(clock, Arc::clone(&store) as _, &Channel::ALL);
        (desk, store)
    }

    /// From now on down, or back again.
    pub(crate) fn pull(&self, so: bool) {
        self.set(if so { Fault::Down } else { Fault::None });
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.fault() == Fault::Down {
            return Err(StoreError::unavailable(
                "host db.internal refused the connection",
            ));
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl SessionStore for Plugged {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.check()?;
        self.store.load(key).await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        self.check()?;
        let lost = Err(StoreError::indeterminate("the connection was reset"));
        let fault = self.fault();
        if fault == Fault::Undone {
            return lost;
        }
        let swapped = self.store.swap(key, seen, next, incarnation).await;
        match fault {
            Fault::Unheard => lost,
            Fault::UnheardThenDown => {
                self.pull(true);
                lost
            }
            _ => swapped,
        }
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        self.check()?;
        self.store.apply(key, step).await
    }
}

#[tokio::test]
async fn a54_a55_while_the_store_is_down_nothing_is_sent_or_approved() {
    let (desk, store) = Plugged::desk();
    let id = desk.send("sms", "+4712345678").await;
    store.pull(true);
    let body = json!({"to": "+4787654321", "channel": "sms"});
    let send = desk.post("/v1/verify/send", &body).await;
    let check = desk.check(&id, &desk.code()).await;
    let status = desk.get(&format!("/v1/verify/status/{id}")).await;
    for answer in [send, check, status] {
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (503, "unavailable")
        );
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.body.to_string().contains("db.internal"));
    }
    assert_eq!(desk.recorder.len(), 1);
    store.pull(false);
    assert_eq!(
        desk.check(&id, &desk.code()).await.body["status"],
        "verified"
    );
}

/// What an issued key may do cannot be told then; that another was never issued can, so that
/// no flood of made-up keys reaches a store, and none is told by its time from one that is known.
#[tokio::test]
async fn a65_no_store_is_asked_about_a_key_that_was_never_issued() {
    let (desk, store) = Plugged::desk();
    let (_, issued) = desk.new_key("acme", &[Scope::Send]).await;
    let (_, made_up) = Desk::new().new_key("acme", &[Scope::Send]).await;
    let keys = desk.elsewhere();
    store.pull(true);
    assert!(keys.authenticate(&issued).await.is_err());
    assert_eq!(keys.authenticate(&made_up).await.unwrap(), None);
}

/// Revoked for ever: that is as good from memory, and a key that leaked costs no reads.
#[tokio::test]
async fn a65_the_store_is_asked_once_about_a_revoked_key() {
    let (desk, store) = Plugged::desk();
    let (kid, revoked) = desk.new_key("acme", &[Scope::Send]).await;
    assert!(desk.keys.revoke(&kid).await.unwrap());
    assert_eq!(desk.keys.authenticate(&revoked).await.unwrap(), None);
    store.pull(true);
    for _ in 0..10 {
        assert_eq!(desk.keys.authenticate(&revoked).await.unwrap(), None);
    }
    desk.clock.advance_secs(1);
    assert!(desk.keys.authenticate(&revoked).await.is_err());
}

#[tokio::test]
async fn a_failed_delivery_tells_whether_a_resend_makes_sense() {
    let desk = Desk::new();
    let body = json!({"to": "user@example.com", "channel": "email"});
    desk.recorder.fail_with(Some(DeliverError::transient()));
    let failed = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (failed.status, failed.problem().as_str()),
        (502, "undelivered")
    );
    assert_eq!(failed.body["retryable"], true);
    let id = failed.text("session_id");
    desk.recorder.fail_with(None);
    desk.clock.advance_secs(30);
    let resend = json!({"session_id": id, "to": "user@example.com"});
    assert_eq!(desk.post("/v1/verify/resend", &resend).await.status, 200);
    assert_eq!(
        desk.check(&id, &desk.code()).await.body["status"],
        "verified"
    );

    desk.recorder
        .fail_with(Some(DeliverError::permanent(Permanent::InvalidDestination)));
    let failed = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (failed.status, &failed.body["retryable"]),
        (502, &json!(false))
    );
    let shown = desk
        .get(&format!("/v1/verify/status/{}", failed.text("session_id")))
        .await;
    assert_eq!(shown.body["status"], "failed");
}

#[tokio::test]
async fn a_channel_that_nobody_delivers_is_a_clear_error() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
    let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let desk = Desk::on(clock, Arc::new(store), &[Channel::Email]);
    let body = json!({"to": "+4712345678", "channel": "sms"});
    let answer = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (422, "channel-unavailable")
    );
    assert!(answer.text("detail").contains("sms"));
}

#[tokio::test]
async fn a_limit_names_itself_and_tells_when_to_try_again() {
    let desk = Desk::new();
    for _ in 0..3 {
        desk.send("sms", "+4712345678").await;
    }
    let body = json!({"to": "+4712345678", "channel": "sms"});
    let refused = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (429, "throttled")
    );
    assert_eq!(refused.body["limit"], "live_sessions");
    assert_eq!(
        refused.header("retry-after"),
        refused.body["retry_after"].to_string()
    );
    assert_eq!(desk.recorder.len(), 3);
}
