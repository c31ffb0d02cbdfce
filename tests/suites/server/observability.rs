//! Metrics, health, readiness and an orderly end.

use crate::api::Api;
use crate::mail::Mailboxes;
use crate::page::wrong;
use crate::parts::server::{Home, PATIENCE, pause};
use countersign::Stopwatch;

/// The value of the first sample whose line has all these parts.
fn sample(metrics: &str, parts: &[&str]) -> f64 {
    let line = metrics
        .lines()
        .find(|line| !line.starts_with('#') && parts.iter().all(|part| line.contains(part)));
    let line = line.unwrap_or_else(|| panic!("no {parts:?} in\n{metrics}"));
    line.rsplit(' ')
        .next()
        .and_then(|value| value.parse().ok())
        .expect("a number")
}

#[tokio::test]
async fn metrics_count_sends_and_verdicts_and_time_and_name_nobody() {
    let mail = Mailboxes::start();
    let home = Home::with_config(&mail.email_config());
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("some-tenant", &[]));
    let session = api.send("email", "metric@example.com").await.session();
    let code = mail.code_for("metric@example.com").await;
    api.check(&session, &wrong(&code)).await.reason();
    assert!(api.check(&session, &code).await.is_verified());
    api.check(&session, &code).await.reason();
    api.send("email", "unknown@example.com").await.problem(502);
    api.with_key("x")
        .send("email", "metric@example.com")
        .await
        .problem(401);

    let admin = Api::new(&home.admin(), "none");
    assert_eq!(admin.get("/healthz").await.status, 200);
    assert_eq!(admin.get("/readyz").await.status, 200);
    let metrics = admin.get("/metrics").await.expect(200).text;
    let close = |parts: &[&str], expected: f64| {
        let value = sample(&metrics, parts);
        assert!(
            (value - expected).abs() < 1e-9,
            "{parts:?} is {value}\n{metrics}"
        );
    };
    close(&["countersign_sends_total", "email", "sent"], 1.0);
    close(&["countersign_sends_total", "email", "undelivered"], 1.0);
    for verdict in ["wrong_code", "\"verified\"", "already_used"] {
        close(&["countersign_checks_total", verdict], 1.0);
    }
    close(
        &["countersign_request_seconds_count", "\"check\"", "200"],
        3.0,
    );
    close(&["countersign_delivery_seconds_count", "email"], 2.0);
    close(&["countersign_auth_failures_total"], 1.0);
    for nobody in [
        "example.com",
        "metric@",
        "some-tenant",
        session.as_str(),
        code.as_str(),
    ] {
        assert!(!metrics.contains(nobody), "{nobody} is in the metrics");
    }
    for path in ["/metrics", "/healthz", "/readyz"] {
        api.get(path).await.problem(404);
    }
    server.stop().await;
}

#[tokio::test]
async fn sigterm_turns_readiness_off_and_finishes_what_was_begun() {
    let mail = Mailboxes::start();
    let home =
        Home::with_config(&mail.email_config()).env("COUNTERSIGN_SHUTDOWN_GRACE_SECONDS", "1");
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let under_way = tokio::spawn({
        let api = api.clone();
        async move { api.send("email", "slow@example.com").await }
    });
    mail.held_back().await;
    server.signal("TERM");
    let admin = Api::new(&home.admin(), "none");
    let clock = Stopwatch::start();
    while admin.get("/readyz").await.status != 503 {
        assert!(clock.elapsed() < PATIENCE, "still ready");
        pause().await;
    }
    assert_eq!(admin.get("/healthz").await.status, 200);
    assert!(!under_way.is_finished());
    mail.server.let_go();
    let session = under_way.await.expect("no panic").session();
    assert!(server.ended().await.success());
    let server = home.serve().await;
    assert!(
        api.check(&session, &mail.code_for("slow@example.com").await)
            .await
            .is_verified()
    );
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_that_fails_says_whether_to_try_again() {
    let mail = Mailboxes::start();
    let home = Home::with_config(&mail.email_config());
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    for (to, retryable) in [("unknown@example.com", false), ("later@example.com", true)] {
        let problem = api.send("email", to).await.problem(502);
        assert_eq!(problem["retryable"], retryable, "{problem}");
        let session = problem["session_id"]
            .as_str()
            .expect("a session")
            .to_owned();
        assert_eq!(api.status(&session).await.text_of("status"), "failed");
        if !retryable {
            assert_eq!(
                api.check(&session, "123456").await.reason(),
                "undeliverable"
            );
        }
    }
    let nobody = api.send("sms", "+4740000050").await;
    assert!(
        nobody.problem(422)["detail"]
            .as_str()
            .is_some_and(|text| text.contains("sms")),
        "{nobody:?}"
    );
    server.stop().await;
}
