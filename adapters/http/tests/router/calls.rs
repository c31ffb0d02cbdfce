//! Every call, as the guide's client makes it.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::desk::Desk;

const NUMBER: &str = "+4712345678";

#[tokio::test]
async fn the_page_s_examples_are_answered_as_written() {
    let desk = Desk::new();
    for (channel, to) in [
        ("sms", NUMBER),
        ("voice", NUMBER),
        ("email", "user@example.com"),
    ] {
        let sent = desk
            .post("/v1/verify/send", &json!({"to": to, "channel": channel}))
            .await;
        assert_eq!(sent.status, 200);
        assert!(sent.text("session_id").starts_with("sess_"));
        assert_eq!(sent.body["status"], "sent");
        assert_eq!(sent.body["channel"], channel);
        assert_eq!(sent.body["expires_in"], 300);
        let message = desk.recorder.messages().pop().unwrap();
        assert_eq!(
            (message.channel.name(), message.destination.as_str()),
            (channel, to)
        );
        let id = sent.text("session_id");

        let failed = desk.check(&id, &desk.wrong_code()).await;
        assert_eq!(failed.body["session_id"], id);
        assert_eq!(failed.body["status"], "failed");
        assert_eq!(failed.body["attempts_remaining"], 4);
        assert_eq!(failed.body["reason"], "wrong_code");

        let verified = desk.check(&id, &desk.code()).await;
        let expected = json!({"session_id": id, "status": "verified", "channel": channel});
        assert_eq!((verified.status, verified.body), (200, expected));
        let again = desk.check(&id, &desk.code()).await;
        assert_eq!(again.body["reason"], "already_used");
        assert_eq!(again.body["attempts_remaining"], 0);
    }
}

#[tokio::test]
async fn five_wrong_codes_end_a_session_and_time_does_too() {
    let desk = Desk::new();
    let id = desk.send("email", "user@example.com").await;
    let (right, wrong) = (desk.code(), desk.wrong_code());
    for left in [4, 3, 2, 1] {
        assert_eq!(
            desk.check(&id, &wrong).await.body["attempts_remaining"],
            left
        );
    }
    for guess in [&wrong, &right] {
        let answer = desk.check(&id, guess).await.body;
        assert_eq!(answer["reason"], "too_many_attempts");
        assert_eq!(answer["attempts_remaining"], 0);
    }
    let id = desk.send("email", "other@example.com").await;
    desk.clock.advance_secs(300);
    assert_eq!(
        desk.check(&id, &desk.code()).await.body["reason"],
        "expired"
    );
    assert_eq!(
        desk.get(&format!("/v1/verify/status/{id}")).await.body["status"],
        "expired"
    );
}

#[tokio::test]
async fn start_takes_the_longer_form() {
    let desk = Desk::new();
    let body = json!({"channel": "sms", "recipient": NUMBER, "code_length": 8, "ttl_seconds": 120,
        "client_reference": "order 7", "locale": "nb-NO"});
    let sent = desk.post("/v1/verify/start", &body).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(sent.body["expires_in"], 120);
    assert_eq!(sent.body["code_length"], 8);
    assert_eq!(sent.body["client_reference"], "order 7");
    let message = desk.recorder.messages().pop().unwrap();
    assert_eq!(
        (message.code.len(), message.locale.as_deref()),
        (8, Some("nb-NO"))
    );
    let other = r#"{"channel":"sms","recipient":"+4787654321","ttl_seconds":120.0}"#;
    assert_eq!(
        desk.raw("/v1/verify/start", other).await.body["expires_in"],
        120
    );
    for (field, value) in [("code_length", 9), ("code_length", 3), ("ttl_seconds", 59)] {
        let mut body = body.clone();
        body[field] = json!(value);
        let refused = desk.post("/v1/verify/start", &body).await;
        assert_eq!(
            (refused.status, refused.text("field").as_str()),
            (422, field)
        );
    }
}

#[tokio::test]
async fn options_reach_the_session() {
    let desk = Desk::new();
    let mut body = json!({"to": NUMBER, "channel": "sms", "purpose": "payment",
        "binding": "12.00 NOK to 1234", "custom_code": "975310", "known_device": true,
        "end_user_ip": "2001:db8::1", "app_hash": "FA+9qCX9VSu", "origin": "example.com"});
    let sent = desk.post("/v1/verify/send", &body).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let id = sent.text("session_id");
    assert_eq!(desk.code(), "975310");
    let plain = desk.check(&id, "975310").await;
    assert_eq!(
        (plain.status, plain.problem().as_str()),
        (404, "unknown-session")
    );
    let check = json!({"session_id": id, "code": "975310", "purpose": "payment",
        "binding": "12.00 NOK to 1234", "attempt_id": "a-1"});
    let mut other = check.clone();
    other["binding"] = json!("13.00 NOK to 1234");
    other["attempt_id"] = json!("a-2");
    assert_eq!(
        desk.post("/v1/verify/check", &other).await.body["reason"],
        "wrong_code"
    );
    for _ in 0..2 {
        let same = desk.post("/v1/verify/check", &check).await;
        assert_eq!(
            same.body["status"], "verified",
            "the same attempt has the same answer"
        );
    }
    body["code_length"] = json!(6);
    let refused = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (refused.status, refused.text("field").as_str()),
        (422, "code_length")
    );
}

#[tokio::test]
async fn a_resend_needs_the_same_destination_and_a_pause() {
    let desk = Desk::new();
    let id = desk.send("sms", NUMBER).await;
    let body = json!({"session_id": id, "to": NUMBER});
    let early = desk.post("/v1/verify/resend", &body).await;
    assert_eq!((early.status, early.problem().as_str()), (429, "throttled"));
    assert_eq!(early.body["limit"], "resend_cooldown");
    assert_eq!(early.header("retry-after"), "30");
    desk.clock.advance_secs(30);
    let mut elsewhere = body.clone();
    elsewhere["to"] = json!("+4787654321");
    let refused = desk.post("/v1/verify/resend", &elsewhere).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (404, "unknown-session")
    );
    assert_eq!(desk.recorder.len(), 1);
    let mut spoken = body.clone();
    spoken["channel"] = json!("voice");
    let resent = desk.post("/v1/verify/resend", &spoken).await;
    assert_eq!(
        (resent.status, resent.text("channel").as_str()),
        (200, "voice")
    );
    assert_eq!(resent.body["session_id"], id);
    assert_eq!(desk.recorder.len(), 2);
    assert_eq!(
        desk.check(&id, &desk.code()).await.body["status"],
        "verified"
    );
}

#[tokio::test]
async fn status_and_cancel_show_how_a_session_stands() {
    let desk = Desk::new();
    let id = desk.send("sms", NUMBER).await;
    let path = format!("/v1/verify/status/{id}");
    let shown = desk.get(&path).await;
    assert_eq!(
        (shown.status, shown.text("status").as_str()),
        (200, "pending")
    );
    assert_eq!(shown.body["expires_at"], 1_800_000_300);
    let cancel =
        Request::delete(format!("/v1/verify/sessions/{id}")).header("x-api-key", &desk.key);
    let cancelled = desk.call(cancel.body(Body::empty()).unwrap()).await;
    assert_eq!(cancelled.body["status"], "cancelled");
    assert_eq!(
        desk.check(&id, &desk.code()).await.body["reason"],
        "cancelled"
    );
    let unknown = desk
        .get("/v1/verify/status/sess_AAAAAAAAAAAAAAAAAAAAAAA")
        .await;
    assert_eq!(
        (unknown.status, unknown.problem().as_str()),
        (404, "unknown-session")
    );
    assert_eq!(desk.get("/v1/verify/status/%ff%fe").await.status, 404);
}

#[tokio::test]
async fn operators_inspect_and_reset_a_destination() {
    let desk = Desk::new();
    for _ in 0..3 {
        let id = desk.send("sms", NUMBER).await;
        let _ = desk.check(&id, &desk.wrong_code()).await;
    }
    let shown = desk.get("/v1/verify/destination?to=%2B4712345678").await;
    assert_eq!(shown.status, 200, "{shown:?}");
    assert_eq!(shown.body["open"]["sends_left"], json!([2, 7]));
    assert_eq!(shown.body["open"]["failures_in_a_row"], 3);
    assert_eq!(shown.body["sessions"].as_array().unwrap().len(), 3);
    assert!(
        !shown.body.to_string().contains("12345678"),
        "the destination is masked"
    );
    let reset = desk.post("/v1/verify/reset", &json!({"to": NUMBER})).await;
    assert_eq!(reset.status, 204);
    let shown = desk.get("/v1/verify/destination?to=+4712345678").await;
    assert_eq!(shown.body["open"]["failures_in_a_row"], 0);
    for query in [
        "",
        "?to=",
        "?to=%2B4712345678&to=%2B4787654321",
        "?of=%2B4712345678",
    ] {
        assert_eq!(
            desk.get(&format!("/v1/verify/destination{query}"))
                .await
                .status,
            422,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a52_an_idempotency_key_makes_repetitions_one() {
    let desk = Desk::new();
    let send = |key: &'static str, to: &'static str| {
        let body = json!({"to": to, "channel": "sms"}).to_string();
        let request = Request::post("/v1/verify/send")
            .header("x-api-key", &desk.key)
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        desk.call(request.body(Body::from(body)).unwrap())
    };
    let first = send("order-7", NUMBER).await;
    assert_eq!(first.status, 200);
    let again = send("order-7", NUMBER).await;
    assert_eq!(again.body["session_id"], first.body["session_id"]);
    assert_eq!(desk.recorder.len(), 1);
    let other = send("order-7", "+4787654321").await;
    assert_eq!(
        (other.status, other.problem().as_str()),
        (422, "idempotency-mismatch")
    );
    assert_eq!(send("", NUMBER).await.status, 422);
    assert_eq!(desk.recorder.len(), 1);
}

#[tokio::test]
async fn background_deliveries_are_waited_for() {
    let desk = Desk::new();
    let body = json!({"to": NUMBER, "channel": "sms", "delivery": "background"});
    let sent = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (sent.status, sent.text("delivery").as_str()),
        (200, "background")
    );
    desk.api.drain().await;
    assert_eq!(desk.recorder.len(), 1);
    let verified = desk.check(&sent.text("session_id"), &desk.code()).await;
    assert_eq!(verified.body["status"], "verified");

    let mut decoy = body.clone();
    decoy["decoy"] = json!(true);
    decoy["to"] = json!("+4787654321");
    let alike = desk.post("/v1/verify/send", &decoy).await;
    assert_eq!(
        alike.body.as_object().unwrap().len(),
        sent.body.as_object().unwrap().len()
    );
    desk.api.drain().await;
    assert_eq!(desk.recorder.len(), 1, "a decoy sends nothing");
    decoy["delivery"] = json!("wait");
    assert_eq!(
        desk.post("/v1/verify/send", &decoy).await.text("field"),
        "decoy"
    );
}

#[tokio::test]
async fn unknown_calls_and_methods_are_problems() {
    let desk = Desk::new();
    let none = desk.get("/v1/verify/nothing").await;
    assert_eq!((none.status, none.problem().as_str()), (404, "no-route"));
    let get = desk.get("/v1/verify/send").await;
    assert_eq!((get.status, get.problem().as_str()), (405, "no-method"));
    assert_eq!(get.header("allow"), "POST");
    let document = desk.get("/openapi.json").await;
    assert_eq!(
        (document.status, document.body["openapi"].as_str()),
        (200, Some("3.1.0"))
    );
    assert_eq!(desk.get("/docs").await.status, 200);
}
