//! The lives that a session can have, over HTTP.

use countersign::Stopwatch;
use serde_json::json;

use crate::api::Api;
use crate::page::wrong;
use crate::parts::http_fake::{HttpFake, Play};
use crate::parts::server::{Home, PATIENCE, pause};
use crate::parts::twilio::twilio;
use crate::stage::{Stage, stage};

async fn tenant(name: &str) -> (&'static Stage, Api) {
    let stage = stage().await;
    (stage, stage.tenant(name))
}

#[tokio::test]
async fn wrong_codes_count_down_and_the_last_one_ends_the_session() {
    let (stage, api) = tenant("countdown").await;
    let (session, code) = stage.emailed(&api, "countdown@example.com").await;
    for left in [4, 3, 2, 1] {
        let answer = api.check(&session, &wrong(&code)).await;
        assert_eq!(
            (answer.reason(), answer.number_of("attempts_remaining")),
            ("wrong_code".into(), Some(left))
        );
    }
    for guess in [wrong(&code), code] {
        let answer = api.check(&session, &guess).await;
        assert_eq!(answer.reason(), "too_many_attempts");
        assert_eq!(answer.number_of("attempts_remaining"), Some(0));
    }
    assert_eq!(api.status(&session).await.text_of("status"), "failed");
}

#[tokio::test]
async fn a_code_is_accepted_once() {
    let (stage, api) = tenant("once").await;
    let (session, code) = stage.texted(&api, "+4740000001").await;
    let verified = api.check(&session, &code).await;
    assert!(verified.is_verified(), "{verified:?}");
    assert_eq!(verified.text_of("channel"), "sms");
    for _ in 0..20 {
        let answer = api.check(&session, &code).await;
        assert_eq!(answer.reason(), "already_used");
        assert_eq!(answer.number_of("attempts_remaining"), Some(0));
    }
    assert_eq!(api.status(&session).await.text_of("status"), "verified");
}

#[tokio::test]
async fn a_cancelled_session_approves_nothing() {
    let (stage, api) = tenant("cancel").await;
    let (session, code) = stage.emailed(&api, "cancel@example.com").await;
    assert_eq!(
        api.status(&session).await.expect(200).text_of("status"),
        "pending"
    );
    let cancelled = api.delete(&format!("/v1/verify/sessions/{session}")).await;
    assert!((200..300).contains(&cancelled.status), "{cancelled:?}");
    assert_eq!(api.check(&session, &code).await.reason(), "cancelled");
    assert_eq!(api.status(&session).await.text_of("status"), "cancelled");
}

#[tokio::test]
async fn an_answer_to_send_says_what_a_screen_needs() {
    let (_, api) = tenant("screen").await;
    let sent = api
        .send("email", "screen@example.com")
        .await
        .expect(200)
        .json();
    assert_eq!(sent["expires_in"], 300, "{sent}");
    assert_eq!(sent["code_length"], 6, "{sent}");
    assert_eq!(sent["attempts_remaining"], 5, "{sent}");
    // The second that has begun counts as one.
    assert!(
        sent["resend_after"] == 30 || sent["resend_after"] == 31,
        "{sent}"
    );
    assert!(!sent.to_string().contains("screen@example.com"), "{sent}");
}

#[tokio::test]
async fn a_resend_at_once_is_refused_with_the_time_to_wait() {
    let (stage, api) = tenant("cooldown").await;
    let (session, code) = stage.emailed(&api, "cooldown@example.com").await;
    let body = json!({ "session_id": session, "to": "cooldown@example.com" });
    let refused = api.post("/v1/verify/resend", &body).await;
    assert_eq!(
        refused.problem(429)["limit"],
        "resend_cooldown",
        "{refused:?}"
    );
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=31).contains(&wait), "{refused:?}");
    assert!(api.check(&session, &code).await.is_verified());
}

#[tokio::test]
async fn an_idempotency_key_makes_repetitions_one() {
    let (stage, api) = tenant("idempotent").await;
    let to = "idempotent@example.com";
    let body = json!({ "to": to, "channel": "email" });
    let post = |body: serde_json::Value| {
        crate::api::answer(
            api.request("POST", "/v1/verify/send")
                .header("idempotency-key", "order-1")
                .json(&body),
        )
    };
    let first = post(body.clone()).await.session();
    for _ in 0..5 {
        assert_eq!(post(body.clone()).await.session(), first);
    }
    assert_eq!(stage.mail.messages_to(to).len(), 1);
    let other = post(json!({ "to": "other-idempotent@example.com", "channel": "email" })).await;
    other.problem(422);
    assert!(
        stage
            .mail
            .messages_to("other-idempotent@example.com")
            .is_empty()
    );
    assert!(
        api.check(&first, &stage.mail.code_for(to).await)
            .await
            .is_verified()
    );
}

#[tokio::test]
async fn a_background_send_answers_at_once_and_its_code_is_right() {
    let (stage, api) = tenant("background").await;
    let to = "background@example.com";
    let body = json!({ "to": to, "channel": "email", "delivery": "background" });
    let session = api.post("/v1/verify/send", &body).await.session();
    let code = stage.mail.code_for(to).await;
    assert!(api.check(&session, &code).await.is_verified());
}

#[tokio::test]
async fn a_decoy_looks_alike_and_never_succeeds() {
    let (stage, api) = tenant("decoy").await;
    let send = |to: &str, decoy: bool| {
        let body =
            json!({ "to": to, "channel": "email", "delivery": "background", "decoy": decoy });
        let api = api.clone();
        async move { api.post("/v1/verify/send", &body).await }
    };
    let real = send("real-decoy@example.com", false).await;
    let decoy = send("decoy@example.com", true).await;
    let shape = |answer: &crate::api::Answer| {
        let mut json = answer.json();
        json.as_object_mut()
            .expect("an object")
            .remove("session_id");
        json
    };
    assert_eq!(shape(&real), shape(&decoy));
    stage.mail.code_for("real-decoy@example.com").await;
    assert!(stage.mail.messages_to("decoy@example.com").is_empty());
    let answer = api.check(&decoy.session(), "123456").await;
    assert_eq!(
        (answer.reason(), answer.number_of("attempts_remaining")),
        ("wrong_code".into(), Some(4))
    );
}

#[tokio::test]
async fn start_takes_the_longer_form_with_its_options() {
    let (stage, api) = tenant("start").await;
    let body = json!({
        "channel": "email", "recipient": "start@example.com", "code_length": 8,
        "ttl_seconds": 120, "client_reference": "order-7", "locale": "nb",
    });
    let sent = api.post("/v1/verify/start", &body).await;
    assert_eq!(sent.number_of("expires_in"), Some(120), "{sent:?}");
    assert_eq!(sent.number_of("code_length"), Some(8), "{sent:?}");
    let code = stage.mail.code_for("start@example.com").await;
    assert_eq!(code.len(), 8);
    assert!(api.check(&sent.session(), &code).await.is_verified());
    for (field, value) in [
        ("code_length", 3),
        ("code_length", 9),
        ("ttl_seconds", 59),
        ("ttl_seconds", 901),
    ] {
        let mut outside = body.clone();
        outside[field] = value.into();
        let refused = api.post("/v1/verify/start", &outside).await;
        assert!(
            refused.problem(422).to_string().contains(field),
            "{refused:?}"
        );
    }
    assert_eq!(stage.mail.messages_to("start@example.com").len(), 1);
}

#[tokio::test]
async fn a_code_is_good_for_its_purpose_and_binding_only() {
    let (stage, api) = tenant("bound").await;
    let to = "bound@example.com";
    let body =
        json!({ "to": to, "channel": "email", "purpose": "pay", "binding": "10 EUR to Ann" });
    let session = api.post("/v1/verify/send", &body).await.session();
    let code = stage.mail.code_for(to).await;
    let check = |purpose: &str, binding: &str| {
        let body =
            json!({ "session_id": session, "code": code, "purpose": purpose, "binding": binding });
        let api = api.clone();
        async move { api.post("/v1/verify/check", &body).await }
    };
    check("login", "10 EUR to Ann").await.problem(404);
    assert_eq!(check("pay", "99 EUR to Ann").await.reason(), "wrong_code");
    assert!(check("pay", "10 EUR to Ann").await.is_verified());
}

#[tokio::test]
async fn another_tenant_sees_an_unknown_session() {
    let (stage, api) = tenant("owner").await;
    let (session, code) = stage.emailed(&api, "owner@example.com").await;
    let stranger = stage.tenant("stranger");
    let unknown = format!("sess_{}", "A".repeat(23));
    let foreign = stranger.check(&session, &code).await.problem(404);
    assert_eq!(foreign, stranger.check(&unknown, &code).await.problem(404));
    stranger.status(&session).await.problem(404);
    stranger
        .delete(&format!("/v1/verify/sessions/{session}"))
        .await
        .problem(404);
    assert!(api.check(&session, &code).await.is_verified());
}

#[tokio::test]
async fn an_operator_resets_what_failures_have_closed() {
    let (stage, api) = tenant("operator").await;
    let to = "operator@example.com";
    for _ in 0..2 {
        let (session, code) = stage.emailed(&api, to).await;
        for _ in 0..5 {
            api.check(&session, &wrong(&code)).await.reason();
        }
    }
    let (session, code) = stage.emailed(&api, to).await;
    let throttled = api.check(&session, &code).await;
    assert_eq!(throttled.reason(), "throttled");
    assert_eq!(throttled.number_of("attempts_remaining"), Some(5));
    let seen = api
        .get(&format!("/v1/verify/destination?to={to}"))
        .await
        .expect(200);
    assert!(!seen.text.contains(to), "{seen:?}");
    assert_eq!(
        seen.json()["sessions"].as_array().map(Vec::len),
        Some(3),
        "{seen:?}"
    );
    api.post("/v1/verify/reset", &json!({ "to": to }))
        .await
        .expect(204);
    assert!(api.check(&session, &code).await.is_verified());
}

/// A message in the background and a caller who hung up take the two places there are, until
/// they are done: whoever asks and goes away, again and again, holds no more than others.
#[tokio::test]
async fn what_nobody_waits_for_takes_its_place_until_it_is_done() {
    let provider = HttpFake::start([Play::Silence, Play::Silence]);
    let home = Home::with_config(&format!(
        "max_in_flight = 2\n[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}",
        twilio(&provider)
    ));
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let server = home.serve().await;
    let nobody = format!("sess_{}", "A".repeat(23));
    let asked = async |count: usize| {
        let clock = Stopwatch::start();
        while provider.asked().len() < count {
            assert!(clock.elapsed() < PATIENCE, "the provider was not asked");
            pause().await;
        }
    };

    let body = json!({ "to": "+4740000011", "channel": "sms", "delivery": "background" });
    api.post("/v1/verify/send", &body).await.expect(200);
    asked(1).await;
    api.status(&nobody).await.problem(404);
    let caller = api.clone();
    let sending = tokio::spawn(async move { caller.send("sms", "+4740000012").await });
    asked(2).await;
    sending.abort();
    for _ in 0..20 {
        api.status(&nobody).await.problem(503);
        pause().await;
    }
    drop(provider);
    let clock = Stopwatch::start();
    while api.status(&nobody).await.status != 404 {
        assert!(clock.elapsed() < PATIENCE, "the places are not free again");
        pause().await;
    }
    server.stop().await;
}
