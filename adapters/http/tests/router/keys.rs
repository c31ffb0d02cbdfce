//! API keys: recognised, limited, scoped, revoked.

use axum::body::Body;
use axum::http::Request;
use countersign::Tenant;
use countersign_http::{ApiKeyError, Scope, Scopes};
use serde_json::{Value, json};

use crate::desk::Desk;

const SEND: &str = "/v1/verify/send";

fn body() -> Value {
    json!({"to": "+4712345678", "channel": "sms"})
}

#[tokio::test]
async fn a65_every_wrong_key_is_refused_alike() {
    let desk = Desk::new();
    let (_, good) = desk.new_key("acme", &[Scope::Send]).await;
    let (_, other) = Desk::new().new_key("acme", &[Scope::Send]).await;
    let missing = Request::post(SEND).header("content-type", "application/json");
    let missing = desk
        .call(missing.body(Body::from(body().to_string())).unwrap())
        .await;
    assert_eq!(
        (missing.status, missing.problem().as_str()),
        (401, "unauthorised")
    );
    assert!(!missing.header("www-authenticate").is_empty());
    // The kid of one key with the secret of another has a wrong checksum; with its own
    // checksum it would be `other`.
    let kid_only = format!("{}{}", &good[..34], &other[34..]);
    for key in [
        "",
        "nonsense",
        &good[1..],
        &other,
        &kid_only,
        &good.to_uppercase(),
    ] {
        let answer = desk.post_as(key, "192.0.2.1", SEND, &body()).await;
        assert_eq!((answer.status, &answer.body), (401, &missing.body), "{key}");
    }
    assert!(desk.recorder.is_empty());
    assert_eq!(
        desk.post_as(&good, "192.0.2.1", SEND, &body()).await.status,
        200
    );
}

#[tokio::test]
async fn a65_a_source_that_guesses_keys_is_told_to_wait() {
    let desk = Desk::new();
    let (_, wrong) = Desk::new().new_key("acme", &[Scope::Send]).await;
    for _ in 0..30 {
        assert_eq!(
            desk.post_as(&wrong, "192.0.2.1", SEND, &body())
                .await
                .status,
            401
        );
    }
    let limited = desk.post_as(&wrong, "192.0.2.1", SEND, &body()).await;
    assert_eq!(
        (limited.status, limited.body["limit"].as_str()),
        (429, Some("auth_failures"))
    );
    assert_eq!(limited.header("retry-after"), "60");
    assert_eq!(
        desk.post_as(&wrong, "192.0.2.2", SEND, &body())
            .await
            .status,
        401
    );
    // The desk's own key is known without the store.
    assert_eq!(
        desk.post_as(&desk.key, "192.0.2.1", SEND, &body())
            .await
            .status,
        200
    );
    desk.clock.advance_secs(60);
    assert_eq!(
        desk.post_as(&wrong, "192.0.2.1", SEND, &body())
            .await
            .status,
        401
    );
}

/// As behind a proxy that names nobody: all callers come from one address.
#[tokio::test]
async fn a65_a_neighbour_s_guessing_locks_no_issued_key_out() {
    let desk = Desk::new();
    let (_, issued) = desk.new_key("acme", &[Scope::Send]).await;
    let (revoked, formerly) = desk.new_key("acme", &[Scope::Send]).await;
    assert!(desk.keys.revoke(&revoked).await.unwrap());
    let (_, wrong) = Desk::new().new_key("acme", &[Scope::Send]).await;
    let status = async |key: &str| desk.post_as(key, "192.0.2.1", SEND, &body()).await.status;
    for _ in 0..30 {
        assert_eq!(status(&wrong).await, 401);
    }
    assert_eq!(status(&issued).await, 200, "never seen before");
    desk.clock.advance_secs(30);
    assert_eq!(status(&issued).await, 200, "remembered no longer");
    assert_eq!(status(&formerly).await, 401, "issued, and of no use");
    assert_eq!(status(&wrong).await, 429);
}

#[tokio::test]
async fn a46_a_made_up_forwarded_header_does_not_split_a_source() {
    let desk = Desk::new();
    let (_, wrong) = Desk::new().new_key("acme", &[Scope::Send]).await;
    let try_from = |peer: &'static str, forwarded: String| {
        let mut request = Request::post(SEND)
            .header("x-api-key", &wrong)
            .header("x-forwarded-for", forwarded)
            .body(Body::empty())
            .unwrap();
        let peer: std::net::SocketAddr = format!("{peer}:1").parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        desk.call(request)
    };
    for n in 0..30 {
        assert_eq!(
            try_from("192.0.2.1", format!("203.0.113.{n}")).await.status,
            401
        );
        let behind = format!("203.0.113.{n}, 198.51.100.1");
        assert_eq!(try_from("10.0.0.1", behind).await.status, 401);
    }
    assert_eq!(
        try_from("192.0.2.1", "203.0.113.99".to_owned())
            .await
            .status,
        429
    );
    assert_eq!(
        try_from("10.0.0.1", "203.0.113.99, 198.51.100.1".to_owned())
            .await
            .status,
        429
    );
    assert_eq!(
        try_from("10.0.0.1", "198.51.100.2".to_owned()).await.status,
        401
    );
}

#[tokio::test]
async fn a67_a_revoked_key_is_refused_within_a_second_everywhere() {
    let desk = Desk::new();
    let (kid, key) = desk.new_key("acme", &[Scope::Send]).await;
    let elsewhere = desk.elsewhere();
    assert!(elsewhere.authenticate(&key).await.unwrap().is_some());
    assert_eq!(
        desk.post_as(&key, "192.0.2.1", SEND, &body()).await.status,
        200
    );
    desk.clock.advance_millis(500);
    assert!(desk.keys.revoke(&kid).await.unwrap());
    assert_eq!(
        desk.post_as(&key, "192.0.2.1", SEND, &body()).await.status,
        401
    );
    assert!(
        elsewhere.authenticate(&key).await.unwrap().is_some(),
        "it remembers for a while"
    );
    desk.clock.advance_millis(499);
    assert!(elsewhere.authenticate(&key).await.unwrap().is_none());
    assert_eq!(desk.recorder.len(), 1);
    assert!(!desk.keys.revoke("00000000000000").await.unwrap());
}

#[tokio::test]
async fn a67_a_key_does_only_what_its_scopes_say() {
    let desk = Desk::new();
    let (_, checks) = desk.new_key("acme", &[Scope::Check]).await;
    let (_, sends) = desk.new_key("acme", &[Scope::Send]).await;
    let check = json!({"session_id": "sess_x", "code": "123456"});
    let reset = json!({"to": "+4712345678"});
    for (key, path, body, scope) in [
        (&checks, SEND, &body(), "send"),
        (&checks, "/v1/verify/start", &body(), "send"),
        (&checks, "/v1/verify/resend", &body(), "send"),
        (&sends, "/v1/verify/check", &check, "check"),
        (&sends, "/v1/verify/reset", &reset, "admin"),
    ] {
        let answer = desk.post_as(key, "192.0.2.1", path, body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (403, "forbidden"),
            "{path}"
        );
        assert!(answer.text("detail").contains(&format!("`{scope}`")));
    }
    assert!(desk.recorder.is_empty());
    assert_eq!(
        desk.post_as(&checks, "192.0.2.1", "/v1/verify/check", &check)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a08_another_tenant_s_key_knows_nothing_of_a_session() {
    let desk = Desk::new();
    let id = desk.send("sms", "+4712345678").await;
    let (_, stranger) = desk.new_key("stranger", &[Scope::Send, Scope::Check]).await;
    let check = json!({"session_id": id, "code": desk.code()});
    let theirs = desk
        .post_as(&stranger, "192.0.2.1", "/v1/verify/check", &check)
        .await;
    let none = json!({"session_id": "sess_AAAAAAAAAAAAAAAAAAAAAAA", "code": desk.code()});
    let unknown = desk
        .post_as(&stranger, "192.0.2.1", "/v1/verify/check", &none)
        .await;
    assert_eq!((theirs.status, &theirs.body), (404, &unknown.body));
    assert_eq!(
        desk.check(&id, &desk.code()).await.body["status"],
        "verified"
    );
}

#[tokio::test]
async fn a_new_key_works_at_once_and_a_tenant_has_at_most_eight() {
    let desk = Desk::new();
    let tenant = Tenant::new("acme").unwrap();
    for n in 0..8 {
        let key = desk.keys.create(&tenant, Scopes::ALL).await.unwrap();
        let caller = desk.keys.authenticate(key.reveal()).await.unwrap().unwrap();
        assert_eq!((caller.tenant.name(), caller.scopes), ("acme", Scopes::ALL));
        assert_eq!(desk.keys.list(&tenant).await.unwrap().len(), n + 1);
    }
    let full = desk.keys.create(&tenant, Scopes::ALL).await;
    assert!(matches!(full, Err(ApiKeyError::TooMany)));
    let oldest = desk.keys.list(&tenant).await.unwrap().remove(0);
    assert!(desk.keys.revoke(&oldest.kid).await.unwrap());
    assert!(desk.keys.list(&tenant).await.unwrap()[0].revoked);
    assert!(desk.keys.create(&tenant, Scopes::ALL).await.is_ok());
}
