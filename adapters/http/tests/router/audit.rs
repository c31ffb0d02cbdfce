//! The audit trail: a line for each operation that operators account for, and no other.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use countersign::Tenant;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::desk::{Answer, Desk};
use crate::faults::Plugged;

const NUMBER: &str = "+4712345678";

thread_local! {
    /// Where the lines of this thread go.
    static TRAIL: RefCell<Option<Trail>> = const { RefCell::new(None) };
}

/// Every line that was logged: its target, its fields, its message.
#[derive(Clone, Default)]
pub(crate) struct Trail(Arc<Mutex<Vec<String>>>);

impl Trail {
    /// From now on the lines of this thread are kept here.
    ///
    /// The subscriber is one for all threads: of several, one for each, a line that another
    /// thread was the first to reach might count as nobody's interest.
    pub(crate) fn begin() -> Self {
        static GLOBAL: Once = Once::new();
        GLOBAL.call_once(|| {
            tracing::subscriber::set_global_default(ByThread).unwrap();
            // What was reached while the subscriber was not yet set.
            tracing::callsite::rebuild_interest_cache();
        });
        let trail = Self::default();
        TRAIL.set(Some(trail.clone()));
        trail
    }

    /// Everything that was logged since the last call, as one text.
    pub(crate) fn take_all(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join("\n")
    }

    /// What was audited since the last call, without the target.
    pub(crate) fn take(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        let audit = |line: &String| line.strip_prefix("audit ").map(str::to_owned);
        lines.iter().filter_map(audit).collect()
    }
}

/// Hands each line to the trail of its thread.
struct ByThread;

impl Subscriber for ByThread {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(trail) = TRAIL.with_borrow(Clone::clone) else {
            return;
        };
        let metadata = event.metadata();
        let mut line = Line(metadata.target().to_owned());
        if *metadata.level() <= Level::WARN {
            write!(line.0, " level={}", metadata.level()).unwrap();
        }
        event.record(&mut line);
        trail.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

fn one(trail: &Trail) -> String {
    let [line] = <[String; 1]>::try_from(trail.take()).unwrap();
    for shown in ["12345678", "countersign_verify_"] {
        assert!(!line.contains(shown), "{line}");
    }
    line
}

#[tokio::test]
async fn what_operators_do_to_a_destination_is_audited_done_or_not() {
    let (desk, store) = Plugged::desk();
    let trail = Trail::begin();
    let id = desk.send("sms", NUMBER).await;
    desk.check(&id, &desk.wrong_code()).await;
    desk.get(&format!("/v1/verify/status/{id}")).await;
    assert_eq!(trail.take(), [""; 0], "the tenant's own calls are not");

    for (down, outcome) in [(false, "done"), (true, "unavailable")] {
        store.pull(down);
        let reset = desk.post("/v1/verify/reset", &json!({"to": NUMBER})).await;
        assert_eq!(reset.status, if down { 503 } else { 204 });
        let masked = format!("tenant=acme destination=+47••••••78 outcome={outcome}");
        let line = one(&trail);
        assert!(
            line.ends_with(&format!("operation=reset {masked}")),
            "{line}"
        );
        let shown = desk.get("/v1/verify/destination?to=%2B4712345678").await;
        assert_eq!(shown.status, if down { 503 } else { 200 });
        let line = one(&trail);
        assert!(
            line.ends_with(&format!("operation=inspect {masked}")),
            "{line}"
        );
    }
    store.pull(false);
    // Whoever may not, or names nobody, has done nothing.
    let (_, sends) = desk.new_key("acme", &[countersign_http::Scope::Send]).await;
    let body = json!({"to": NUMBER});
    desk.post_as(&sends, "192.0.2.1", "/v1/verify/reset", &body)
        .await;
    desk.post("/v1/verify/reset", &json!({"to": "nobody"}))
        .await;
    assert_eq!(trail.take(), [""; 0]);
}

async fn activate(desk: &Desk, token: &str) -> Answer {
    let request = Request::post("/v1/dashboard/verify/activate")
        .header("authorization", format!("Bearer {token}"));
    desk.call(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_activation_is_audited_with_the_key_s_name() {
    let desk = Desk::new();
    let trail = Trail::begin();
    let tenant = Tenant::new("newcomer").unwrap();
    let token = desk.jwt.sign(&tenant, Duration::from_secs(60)).unwrap();
    let key = activate(&desk, &token).await.text("api_key");
    let kid = key.split('_').nth(2).unwrap();
    let line = one(&trail);
    let expected = format!("operation=activate tenant=newcomer kid={kid} outcome=done");
    assert!(line.ends_with(&expected), "{line}");

    assert_eq!(activate(&desk, &token).await.status, 409);
    let line = one(&trail);
    let expected = "operation=activate tenant=newcomer outcome=activated";
    assert!(line.ends_with(expected), "{line}");

    assert_eq!(activate(&desk, &format!("{token}x")).await.status, 401);
    assert_eq!(trail.take(), [""; 0], "a stranger is no tenant");
}
