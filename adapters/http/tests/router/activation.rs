//! Activation: one token, one key, once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use countersign::{Clock, Tenant};
use countersign_http::{JwtError, JwtVerifier, Scope};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, JWT_SECRET};
use crate::faults::{Fault, Plugged};

async fn activate(desk: &Desk, authorization: &str) -> Answer {
    let mut request = Request::post("/v1/dashboard/verify/activate");
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    desk.call(request.body(Body::empty()).unwrap()).await
}

fn token(desk: &Desk, tenant: &str) -> String {
    desk.jwt
        .sign(&Tenant::new(tenant).unwrap(), Duration::from_secs(60))
        .unwrap()
}

#[tokio::test]
async fn the_page_s_activation_is_answered_with_a_key_that_works() {
    let desk = Desk::new();
    let answer = activate(&desk, &format!("Bearer {}", token(&desk, "newcomer"))).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, "no-store")
    );
    assert_eq!(answer.text("endpoint"), "http://127.0.0.1:8080/v1/verify");
    let key = answer.text("api_key");
    let body = json!({"to": "user@example.com", "channel": "email"});
    let sent = desk
        .post_as(&key, "192.0.2.1", "/v1/verify/send", &body)
        .await;
    assert_eq!(sent.status, 200);
    let body = json!({"to": "user@example.com"});
    let reset = desk
        .post_as(&key, "192.0.2.1", "/v1/verify/reset", &body)
        .await;
    assert_eq!(
        reset.status, 403,
        "the first key has the scopes send and check"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a66_of_many_activations_exactly_one_is_shown_the_key() {
    let desk = Arc::new(Desk::new());
    for round in 0..20 {
        let authorization = format!("Bearer {}", token(&desk, &format!("tenant-{round}")));
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let (desk, authorization) = (desk.clone(), authorization.clone());
                tokio::spawn(async move { activate(&desk, &authorization).await })
            })
            .collect();
        let mut shown = 0;
        for call in calls {
            let answer = call.await.unwrap();
            match answer.status {
                200 => shown += 1,
                409 => assert!(answer.text("detail").contains("revoke the old one")),
                other => panic!("{other}: {answer:?}"),
            }
        }
        assert_eq!(shown, 1);
    }
}

#[tokio::test]
async fn a66_a_key_that_was_made_is_shown_though_the_store_s_answer_was_lost() {
    let (desk, store) = Plugged::desk();
    let authorization = format!("Bearer {}", token(&desk, "newcomer"));
    store.set(Fault::Unheard);
    let activated = activate(&desk, &authorization).await;
    assert_eq!(activated.status, 200, "{activated:?}");
    store.set(Fault::None);
    let key = activated.text("api_key");
    assert!(desk.keys.authenticate(&key).await.unwrap().is_some());
    assert_eq!(activate(&desk, &authorization).await.status, 409);
    let tenant = Tenant::new("newcomer").unwrap();
    assert_eq!(desk.keys.list(&tenant).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a66_a_key_that_may_not_have_been_made_is_not_shown() {
    for (fault, made) in [(Fault::Undone, 0), (Fault::UnheardThenDown, 1)] {
        let (desk, store) = Plugged::desk();
        let authorization = format!("Bearer {}", token(&desk, "newcomer"));
        store.set(fault);
        let refused = activate(&desk, &authorization).await;
        let told = (refused.status, refused.problem());
        assert_eq!(told, (503, "indeterminate".to_owned()), "{fault:?}");
        store.set(Fault::None);
        let tenant = Tenant::new("newcomer").unwrap();
        assert_eq!(desk.keys.list(&tenant).await.unwrap().len(), made);
        let again = if made == 0 { 200 } else { 409 };
        assert_eq!(activate(&desk, &authorization).await.status, again);
    }
}

/// What a store may forget again must not pass for a revocation: it is asked for once more.
#[tokio::test]
async fn a67_a_revocation_whose_answer_was_lost_is_not_called_done() {
    let (desk, store) = Plugged::desk();
    let (kid, key) = desk.new_key("acme", &[Scope::Send]).await;
    store.set(Fault::Unheard);
    assert!(desk.keys.revoke(&kid).await.is_err());
    store.set(Fault::None);
    assert!(desk.keys.revoke(&kid).await.unwrap());
    assert_eq!(desk.keys.authenticate(&key).await.unwrap(), None);
}

#[tokio::test]
async fn bad_tokens_are_refused_alike() {
    let desk = Desk::new();
    let good = token(&desk, "acme");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let swapped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{head}.{swapped}{}", &signature[1..]);
    let missing = activate(&desk, "").await;
    assert_eq!(
        (missing.status, missing.problem().as_str()),
        (401, "unauthorised")
    );
    assert!(missing.header("www-authenticate").starts_with("Bearer"));
    for authorization in [
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        &format!("Basic {good}"),
        &format!("Bearer {forged}"),
        &format!("Bearer {head}."),
        &good,
    ] {
        let answer = activate(&desk, authorization).await;
        assert_eq!(
            (answer.status, &answer.body),
            (401, &missing.body),
            "{authorization}"
        );
    }
    assert_eq!(activate(&desk, &format!("Bearer {good}")).await.status, 200);
}

/// As behind a proxy that names nobody: all dashboards come from one address.
#[tokio::test]
async fn a65_a_neighbour_s_guessing_shuts_no_good_token_out() {
    let desk = Desk::new();
    let good = token(&desk, "acme");
    let status = async |token: &str| {
        let mut request = Request::post("/v1/dashboard/verify/activate")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let peer: std::net::SocketAddr = "192.0.2.1:1".parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        desk.call(request).await.status
    };
    for _ in 0..30 {
        assert_eq!(status("a.b.c").await, 401);
    }
    assert_eq!(status("a.b.c").await, 429);
    assert_eq!(status(&good).await, 200);
    assert_eq!(status("a.b.c").await, 429, "a good one lets no bad one in");
    desk.clock.advance_secs(60);
    assert_eq!(status("a.b.c").await, 401);
}

fn encode(value: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
}

fn hs256(header: &Value, claims: &Value) -> String {
    use base64::Engine as _;
    let signed = format!("{}.{}", encode(header), encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, JWT_SECRET);
    let tag = ring::hmac::sign(&key, signed.as_bytes());
    format!(
        "{signed}.{}",
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag)
    )
}

#[test]
fn the_claims_of_a_signed_token_are_held_against_clock_and_audience() {
    let desk = Desk::new();
    let now = desk.clock.now().as_millis() / 1000;
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let good = json!({"sub": "acme", "aud": "dashboard", "exp": now + 60});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        hs256(&header, &claims)
    };
    let tenant = |token: String| {
        desk.jwt
            .verify(&token)
            .map(|tenant| tenant.name().to_owned())
    };
    assert_eq!(tenant(hs256(&header, &good)), Ok("acme".to_owned()));
    assert_eq!(
        tenant(with("aud", json!(["other", "dashboard"]))),
        Ok("acme".to_owned())
    );
    for (name, value, error) in [
        ("exp", json!(now - 10), JwtError::Expired),
        ("exp", json!(null), JwtError::Expired),
        ("exp", json!("tomorrow"), JwtError::Expired),
        ("nbf", json!(now + 11), JwtError::TooEarly),
        ("nbf", json!(null), JwtError::TooEarly),
        ("aud", json!("other"), JwtError::Audience),
        ("aud", json!(null), JwtError::Audience),
        ("sub", json!(7), JwtError::Tenant),
        ("sub", json!("no such name"), JwtError::Tenant),
    ] {
        assert_eq!(
            tenant(with(name, value.clone())),
            Err(error),
            "{name} {value}"
        );
    }
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "hs256"}),
        json!({"alg": "HS512"}),
        json!({"alg": "EdDSA"}),
        json!({"typ": "JWT"}),
        json!({"alg": "HS256", "crit": ["x"]}),
    ] {
        assert_eq!(
            tenant(hs256(&header, &good)),
            Err(JwtError::Form("HS256")),
            "{header}"
        );
    }
    assert!(JwtVerifier::hs256(b"short").is_err());
}

#[test]
fn eddsa_tokens_are_verified_by_the_public_key() {
    use base64::Engine as _;
    let desk = Desk::new();
    let now = desk.clock.now().as_millis() / 1000;
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let mut der = vec![
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 3, 0x21, 0,
    ];
    der.extend_from_slice(pair.public_key().as_ref());
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    let jwt = JwtVerifier::eddsa(&pem)
        .unwrap()
        .tenant_claim("org")
        .clock(desk.clock.clone());
    let sign = |header: Value, claims: Value| {
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = pair.sign(signed.as_bytes());
        let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(signature);
        format!("{signed}.{signature}")
    };
    let claims = json!({"org": "acme", "exp": now + 60});
    let good = sign(json!({"alg": "EdDSA"}), claims.clone());
    assert_eq!(jwt.verify(&good).unwrap().name(), "acme");
    let for_somebody = json!({"org": "acme", "exp": now + 60, "aud": "other"});
    let token = sign(json!({"alg": "EdDSA"}), for_somebody);
    assert_eq!(jwt.verify(&token), Err(JwtError::Audience));
    // The public key is no secret: it must not do as one.
    assert_eq!(
        jwt.verify(&hs256(&json!({"alg": "HS256"}), &claims)),
        Err(JwtError::Form("EdDSA"))
    );
    let tenant = Tenant::new("acme").unwrap();
    assert_eq!(
        jwt.sign(&tenant, Duration::from_secs(1)),
        Err(JwtError::CannotSign)
    );
    assert!(JwtVerifier::eddsa("nonsense").is_err());
}
