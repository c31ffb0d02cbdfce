//! Delivery reports: what providers sign is believed, and nothing else.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, request};
use countersign::{
    Callback, Channel, Clock, DeliveryOutcome, FakeClock, Report, ReportReader, SessionStore,
    Timestamp, Unsigned,
};
use countersign_http::Api;
use sha2::{Digest, Sha256};

use crate::audit::Trail;
use crate::desk::{Answer, Desk};
use crate::faults::Plugged;
use crate::observed::Meter;

const NUMBER: &str = "+4712345678";
const NOW: u64 = 1_800_000_000;
const PUBLIC: &str = "https://verify.example.com/otp";
pub(crate) const PATH: &str = "/v1/verify/reports/acme-sms";

/// A provider that signs address, time and body with a secret, in a header.
#[derive(Debug)]
struct Acme(&'static str);

impl Acme {
    fn sign(&self, url: &str, time: u64, body: &str) -> String {
        let hash = Sha256::digest(format!("{} {time} {url} {body}", self.0));
        format!("{hash:?}")
    }
}

/// `token=…&status=…`, in the body, else in the query.
fn field<'a>(form: &'a str, name: &str) -> &'a str {
    form.split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_default()
}

impl ReportReader for Acme {
    fn read(&self, callback: &Callback<'_>, now: u64) -> Result<Option<Report>, Unsigned> {
        let time = callback.header("x-acme-time").and_then(|t| t.parse().ok());
        let time: u64 = time.ok_or_else(Unsigned::new)?;
        let body = std::str::from_utf8(callback.body).map_err(|_| Unsigned::new())?;
        let right = self.sign(callback.url, time, body);
        if callback.header("x-acme-signature") != Some(&*right) || time.abs_diff(now) > 300 {
            return Err(Unsigned::new());
        }
        let query = callback.url.split_once('?').map_or("", |(_, query)| query);
        let form = if body.is_empty() { query } else { body };
        let outcome = match field(form, "status") {
            "delivered" => DeliveryOutcome::Delivered,
            "failed" => DeliveryOutcome::Failed,
            "landline" => DeliveryOutcome::Undeliverable,
            _ => return Ok(None),
        };
        let token = field(form, "token").to_owned();
        Ok(Some(Report { token, outcome }))
    }
}

fn desk_on(clock: Arc<FakeClock>, store: Arc<dyn SessionStore>) -> Desk {
    desk_with(clock, store, |api| api)
}

pub(crate) fn desk_with(
    clock: Arc<FakeClock>,
    store: Arc<dyn SessionStore>,
    change: impl FnOnce(Api) -> Api,
) -> Desk {
    let alike = |recorder: &Arc<_>| Arc::clone(recorder) as _;
    let time = Arc::clone(&clock) as Arc<dyn Clock>;
    Desk::with(clock, store, &Channel::ALL, alike, |api: Api| {
        let api = api.public_url(&format!("{PUBLIC}/")).clock(time);
        change(api.report_reader("acme-sms", Arc::new(Acme("a secret"))))
    })
}

fn desk() -> Desk {
    let (clock, store) = Desk::memory();
    desk_on(clock, store)
}

/// A callback with the signature of `secret` for `url`, and everything else as it should be.
async fn call_back(desk: &Desk, secret: &'static str, url: &str, body: &str) -> Answer {
    let time = desk.clock.now().as_millis() / 1000;
    let request = Request::post(PATH)
        .header("x-acme-time", time)
        .header("x-acme-signature", Acme(secret).sign(url, time, body));
    desk.call(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

pub(crate) async fn report(desk: &Desk, token: &str, status: &str) -> Answer {
    let body = format!("token={token}&status={status}");
    call_back(desk, "a secret", &format!("{PUBLIC}{PATH}"), &body).await
}

async fn status(desk: &Desk, id: &str) -> (String, String) {
    let shown = desk.get(&format!("/v1/verify/status/{id}")).await;
    (shown.text("status"), shown.text("delivery"))
}

fn told(status: &str, delivery: &str) -> (String, String) {
    (status.to_owned(), delivery.to_owned())
}

fn token(desk: &Desk) -> String {
    desk.recorder
        .messages()
        .pop()
        .unwrap()
        .report_token
        .unwrap()
}

#[tokio::test]
async fn a_signed_report_moves_the_status_and_is_answered_with_nothing() {
    let desk = desk();
    for (reported, shown) in [
        ("delivered", told("delivered", "delivered")),
        ("failed", told("failed", "failed")),
    ] {
        let id = desk.send("sms", NUMBER).await;
        assert_eq!(status(&desk, &id).await, told("pending", "accepted"));
        let answer = report(&desk, &token(&desk), "queued").await;
        assert_eq!(answer.status, 204, "nothing final is taken too");
        assert_eq!(status(&desk, &id).await, told("pending", "accepted"));
        let answer = report(&desk, &token(&desk), reported).await;
        assert_eq!((answer.status, answer.body.is_null()), (204, true));
        assert!(!answer.header("x-request-id").is_empty());
        assert_eq!(status(&desk, &id).await, shown);
        let verified = desk.check(&id, &desk.code()).await;
        assert_eq!(
            verified.body["status"], "verified",
            "a code that came all the same"
        );
    }
    let id = desk.send("sms", NUMBER).await;
    assert_eq!(report(&desk, &token(&desk), "landline").await.status, 204);
    let answer = desk.check(&id, &desk.code()).await;
    assert_eq!(answer.body["reason"], "undeliverable");
}

#[tokio::test]
async fn a_report_by_get_has_everything_in_its_query() {
    let desk = desk();
    let id = desk.send("voice", NUMBER).await;
    let path = format!("{PATH}?token={}&status=delivered", token(&desk));
    let get = |signed: String| {
        let request = Request::get(&path)
            .header("x-acme-time", NOW)
            .header("x-acme-signature", Acme("a secret").sign(&signed, NOW, ""));
        desk.call(request.body(Body::empty()).unwrap())
    };
    assert_eq!(
        get(format!("{PUBLIC}{PATH}")).await.status,
        401,
        "the query is signed"
    );
    assert_eq!(status(&desk, &id).await, told("pending", "accepted"));
    assert_eq!(get(format!("{PUBLIC}{path}")).await.status, 204);
    assert_eq!(status(&desk, &id).await, told("delivered", "delivered"));
}

#[tokio::test]
async fn a_late_report_of_the_message_before_a_resend_changes_nothing() {
    let desk = desk();
    let id = desk.send("sms", NUMBER).await;
    let first = token(&desk);
    desk.clock.advance_secs(30);
    let spoken = serde_json::json!({"session_id": id, "to": NUMBER, "channel": "voice"});
    let sent = desk.post("/v1/verify/resend", &spoken).await;
    assert_eq!((sent.status, sent.text("channel").as_str()), (200, "voice"));
    assert_eq!(report(&desk, &token(&desk), "delivered").await.status, 204);
    assert_eq!(report(&desk, &first, "failed").await.status, 204);
    assert_eq!(status(&desk, &id).await, told("delivered", "delivered"));
}

fn unsigned(request: request::Builder, body: &str) -> Request<Body> {
    request.body(Body::from(body.to_owned())).unwrap()
}

/// Callbacks that somebody who knows everything but the secret could make of a genuine
/// `body` and its signature.
fn forgeries(desk: &Desk, body: &str) -> Vec<(&'static str, Request<Body>)> {
    let right = format!("{PUBLIC}{PATH}");
    let signature = |time: u64| Acme("a secret").sign(&right, time, body);
    let post = || Request::post(PATH);
    let signed = |time: u64| {
        post()
            .header("x-acme-time", time)
            .header("x-acme-signature", signature(time))
    };
    let stolen_url = "https://evil.example.com/v1/verify/reports/acme-sms";
    let for_host = post()
        .header("x-acme-time", NOW)
        .header(
            "x-acme-signature",
            Acme("a secret").sign(stolen_url, NOW, body),
        )
        .header("host", "evil.example.com")
        .header("x-forwarded-host", "evil.example.com")
        .header("x-forwarded-proto", "https");
    let with_key = post().header("x-api-key", &desk.key);
    let timeless = post().header("x-acme-signature", signature(NOW));
    let other_body = body.replace("landline", "failed");
    vec![
        ("no signature", unsigned(post(), body)),
        ("no time", unsigned(timeless, body)),
        ("too old", unsigned(signed(NOW - 301), body)),
        ("of the future", unsigned(signed(NOW + 301), body)),
        ("another body", unsigned(signed(NOW), &other_body)),
        ("no body", unsigned(signed(NOW), "")),
        ("an API key", unsigned(with_key, body)),
        ("the headers' address", unsigned(for_host, body)),
    ]
}

#[tokio::test]
async fn a70_an_unsigned_report_is_refused_and_changes_nothing() {
    let desk = desk();
    let id = desk.send("sms", NUMBER).await;
    let body = format!("token={}&status=landline", token(&desk));
    let before = desk.get(&format!("/v1/verify/status/{id}")).await.body;
    let right = format!("{PUBLIC}{PATH}");
    for (why, request) in forgeries(&desk, &body) {
        let answer = desk.call(request).await;
        let told = (answer.status, answer.problem());
        assert_eq!(told, (401, "unauthorised".to_owned()), "{why}");
    }
    let other = call_back(&desk, "another secret", &right, &body).await;
    assert_eq!(other.status, 401);
    let after = desk.get(&format!("/v1/verify/status/{id}")).await.body;
    assert_eq!(after, before);
    let genuine = call_back(&desk, "a secret", &right, &body).await;
    assert_eq!(genuine.status, 204);
    assert_eq!(
        status(&desk, &id).await,
        told("failed", "failed"),
        "the same, signed"
    );
}

#[tokio::test]
async fn a70_a_signed_report_of_a_made_up_token_is_taken_and_changes_nothing() {
    let desk = desk();
    let id = desk.send("sms", NUMBER).await;
    let genuine = token(&desk);
    let before = desk.get(&format!("/v1/verify/status/{id}")).await.body;
    for made_up in [
        "",
        "x",
        &id,
        &genuine[..27],
        &genuine.replace("rep_", "rep-"),
    ] {
        assert_eq!(
            report(&desk, made_up, "landline").await.status,
            204,
            "{made_up}"
        );
    }
    let after = desk.get(&format!("/v1/verify/status/{id}")).await.body;
    assert_eq!(after, before);
}

#[tokio::test]
async fn who_is_not_configured_does_not_report() {
    let desk = desk();
    for path in [
        "/v1/verify/reports/twilio",
        "/v1/verify/reports/ACME-SMS",
        "/v1/verify/reports/%ff",
        "/v1/verify/reports/",
        "/v1/verify/reports",
        "/v1/verify/reports/acme-sms/more",
    ] {
        let answer = desk.call(unsigned(Request::post(path), "")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "no-route"),
            "{path}"
        );
    }
    let answer = desk.call(unsigned(Request::delete(PATH), "")).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (405, "no-method")
    );
    let bare = Desk::new();
    assert_eq!(
        bare.call(unsigned(Request::post(PATH), "")).await.status,
        404
    );
}

#[tokio::test]
async fn a27_a_long_report_is_not_read() {
    let desk = desk();
    let url = format!("{PUBLIC}{PATH}");
    let most = "x".repeat(16 * 1024);
    assert_eq!(call_back(&desk, "a secret", &url, &most).await.status, 204);
    let long = "x".repeat(16 * 1024 + 1);
    let answer = call_back(&desk, "a secret", &url, &long).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "too-large")
    );
}

#[tokio::test]
async fn while_the_store_is_down_the_provider_is_asked_to_come_again() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(NOW)));
    let store = Plugged::new(&clock);
    let desk = desk_on(clock, Arc::clone(&store) as _);
    let id = desk.send("sms", NUMBER).await;
    store.pull(true);
    let answer = report(&desk, &token(&desk), "delivered").await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (503, "unavailable")
    );
    assert_eq!(answer.header("retry-after"), "1");
    let forged = call_back(&desk, "another secret", &format!("{PUBLIC}{PATH}"), "x").await;
    assert_eq!(forged.status, 401, "that needs no store");
    store.pull(false);
    assert_eq!(report(&desk, &token(&desk), "delivered").await.status, 204);
    assert_eq!(status(&desk, &id).await, told("delivered", "delivered"));
}

#[tokio::test]
async fn reports_are_counted_by_provider_and_outcome_and_name_nobody() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(NOW)));
    let store = Plugged::new(&clock);
    let desk = desk_on(clock, Arc::clone(&store) as _);
    desk.send("sms", NUMBER).await;
    let (token, trail, meter) = (token(&desk), Trail::begin(), Meter::default());
    {
        let _counted = metrics::set_default_local_recorder(&meter);
        for status in ["queued", "delivered", "delivered", "failed"] {
            report(&desk, &token, status).await;
        }
        report(&desk, "rep_AAAA", "delivered").await;
        call_back(&desk, "another secret", &format!("{PUBLIC}{PATH}"), "x").await;
        desk.call(unsigned(
            Request::post("/v1/verify/reports/+4712345678"),
            "",
        ))
        .await;
        store.pull(true);
        report(&desk, &token, "failed").await;
    }
    let outcomes = [
        ("delivered", 2),
        ("failed", 1),
        ("nothing", 1),
        ("unavailable", 1),
        ("unknown", 1),
        ("unsigned", 1),
    ];
    let expected = outcomes.map(|(outcome, n)| {
        let labels = format!("provider=acme-sms,outcome={outcome}");
        (format!("countersign_reports_total{{{labels}}}"), n)
    });
    assert_eq!(meter.seen("countersign_reports_total"), expected);
    let logged = trail.take_all();
    assert!(logged.contains("outcome=delivered"), "{logged}");
    for secret in [&*token, &*desk.code(), "12345678"] {
        assert!(!logged.contains(secret), "{logged}");
    }
}
