//! What machines watch: metrics by their names, liveness and readiness.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use countersign::{Channel, DeliverError, FakeClock, Limit, Mode, Permanent, Timestamp};
use countersign_http::{Api, Readiness, admin_router, describe_metrics};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;
use tower::ServiceExt;

use crate::desk::Desk;
use crate::faults::Plugged;

/// How often each metric was counted or recorded, by name and labels.
#[derive(Default)]
pub(crate) struct Meter {
    seen: Mutex<BTreeMap<String, u64>>,
    described: Mutex<Vec<String>>,
}

impl Meter {
    /// How often each metric whose name begins so was counted, by name and labels.
    pub(crate) fn seen(&self, name: &str) -> Vec<(String, u64)> {
        let seen = self.seen.lock().unwrap();
        let named = seen.iter().filter(|(known, _)| known.starts_with(name));
        named.map(|(known, n)| (known.clone(), *n)).collect()
    }

    fn count(&self, key: &Key) {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        *self.seen.lock().unwrap().entry(name).or_default() += 1;
    }

    fn describe(&self, sort: &str, name: &KeyName, unit: Option<Unit>) {
        let unit = unit.map_or("", |unit| unit.as_str());
        let told = format!("{sort} {} {unit}", name.as_str());
        self.described
            .lock()
            .unwrap()
            .push(told.trim_end().to_owned());
    }
}

impl Recorder for Meter {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe("counter", &name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe("gauge", &name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe("histogram", &name, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.count(key);
        Counter::from_arc(Arc::new(AtomicU64::new(0)))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.count(key);
        Histogram::noop()
    }
}

#[test]
fn every_metric_is_described_under_its_lasting_name() {
    let meter = Meter::default();
    metrics::with_local_recorder(&meter, describe_metrics);
    assert_eq!(
        *meter.described.lock().unwrap(),
        [
            "counter countersign_sends_total",
            "counter countersign_checks_total",
            "histogram countersign_request_seconds seconds",
            "counter countersign_store_errors_total",
            "histogram countersign_delivery_seconds seconds",
            "counter countersign_reports_total",
            "counter countersign_auth_failures_total",
            "counter countersign_would_refuse_total",
            "counter countersign_failure_alarms_total",
        ]
    );
}

#[tokio::test]
async fn a18_more_failures_than_the_limit_over_all_destinations_raise_one_alarm() {
    for (limit, alarms) in [
        (Some(Limit::new(5, 60)), 1),
        (Some(Limit::new(6, 60)), 0),
        (None, 0),
    ] {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let store = Plugged::new(&clock);
        let alike = |recorder: &Arc<countersign::Recorder>| Arc::clone(recorder) as _;
        let alarm = |api: Api| api.failure_alarm(limit);
        let desk = Desk::with(clock, store, &Channel::ALL, alike, alarm);
        let meter = Meter::default();
        let _guard = metrics::set_default_local_recorder(&meter);
        for n in 0..6 {
            let id = desk.send("email", &format!("user-{n}@example.com")).await;
            desk.check(&id, &desk.wrong_code()).await;
            desk.check(&id, &desk.code()).await;
        }
        let seen = meter.seen("countersign_failure_alarms_total");
        let counted: u64 = seen.into_iter().map(|(_, n)| n).sum();
        assert_eq!(counted, alarms, "{limit:?}");
    }
}

#[tokio::test]
async fn every_call_is_counted_under_the_described_names() {
    let (desk, store) = Plugged::desk();
    let meter = Meter::default();
    {
        let _guard = metrics::set_default_local_recorder(&meter);
        let id = desk.send("email", "user@example.com").await;
        desk.check(&id, &desk.wrong_code()).await;
        desk.check(&id, &desk.code()).await;
        let refused = DeliverError::permanent(Permanent::Refused);
        desk.recorder.fail_with(Some(refused));
        let body = json!({"to": "user@example.com", "channel": "email"});
        desk.post("/v1/verify/send", &body).await;
        desk.post_as("x", "192.0.2.1", "/v1/verify/send", &body)
            .await;
        store.pull(true);
        desk.get(&format!("/v1/verify/status/{id}")).await;
    }
    let seen = meter.seen.lock().unwrap();
    let seen: Vec<_> = seen.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(
        seen,
        [
            ("countersign_auth_failures_total{kind=api_key}", 1),
            ("countersign_checks_total{verdict=verified}", 1),
            ("countersign_checks_total{verdict=wrong_code}", 1),
            ("countersign_delivery_seconds{channel=email}", 2),
            ("countersign_request_seconds{call=check,status=200}", 2),
            ("countersign_request_seconds{call=send,status=200}", 1),
            ("countersign_request_seconds{call=send,status=502}", 1),
            ("countersign_request_seconds{call=status,status=503}", 1),
            ("countersign_sends_total{channel=email,outcome=sent}", 1),
            (
                "countersign_sends_total{channel=email,outcome=undelivered}",
                1
            ),
            ("countersign_store_errors_total{kind=unavailable}", 1),
        ]
    );
}

#[tokio::test]
async fn what_a_dry_run_would_have_refused_is_counted_by_limit() {
    let desk = crate::numbers::desk(|policy| {
        policy.prefix_sends = Some(Limit::new(2, 3600));
        policy.prefix_sends_mode = Mode::Report;
    });
    let meter = Meter::default();
    {
        let _guard = metrics::set_default_local_recorder(&meter);
        for n in 0..5 {
            desk.send("sms", &format!("+471234567{n}")).await;
        }
    }
    let seen = meter.seen.lock().unwrap();
    let would = seen
        .iter()
        .filter(|(name, _)| name.starts_with("countersign_would_refuse_total"));
    let would: Vec<_> = would.map(|(name, n)| (name.as_str(), *n)).collect();
    let counted = "countersign_would_refuse_total{limit=prefix_sends}";
    assert_eq!(would, [(counted, 3)]);
    assert_eq!(desk.recorder.len(), 5);
}

async fn get(router: &Router, path: &str) -> (u16, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let format = response.headers().get(header::CONTENT_TYPE);
    let format = format.map_or("", |format| format.to_str().unwrap());
    let format = format.to_owned();
    let body = axum::body::to_bytes(response.into_body(), 4096).await;
    let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
    (status, format, body)
}

#[tokio::test]
async fn a_server_is_ready_while_its_store_answers_and_until_it_stops() {
    let (desk, store) = Plugged::desk();
    let readiness = Readiness::new(desk.verifier.clone());
    let admin = admin_router(readiness.clone(), Arc::new(|| "some 1\n".to_owned()));
    assert_eq!(get(&admin, "/readyz").await.0, 200);
    store.pull(true);
    let (status, _, told) = get(&admin, "/readyz").await;
    assert_eq!(
        (status, told.as_str()),
        (503, "the store does not answer\n")
    );
    assert_eq!(get(&admin, "/healthz").await.0, 200, "alive all the same");
    store.pull(false);
    assert_eq!(get(&admin, "/readyz").await.0, 200);
    readiness.stop();
    let (status, _, told) = get(&admin, "/readyz").await;
    assert_eq!((status, told.as_str()), (503, "stopping\n"));
    assert_eq!(get(&admin, "/healthz").await.0, 200);

    let (status, format, body) = get(&admin, "/metrics").await;
    assert_eq!((status, body.as_str()), (200, "some 1\n"));
    assert_eq!(format, "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(get(&admin, "/v1/verify/send").await.0, 404);
}
