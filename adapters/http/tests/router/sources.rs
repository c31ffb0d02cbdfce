//! Whose send it is: what proxies may say of it, and what they may not.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use countersign::{Channel, Recorder};
use countersign_http::TrustedProxies;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::desk::{Answer, Desk};

const PROXY: &str = "10.0.0.1";
/// Sends of one source in an hour.
const BUDGET: u32 = 20;

/// A desk whose trusted proxies name end users.
fn desk() -> Desk {
    let (clock, store) = Desk::memory();
    let alike = |recorder: &Arc<Recorder>| Arc::clone(recorder) as _;
    Desk::with(clock, store, &Channel::ALL, alike, |api| {
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        api.end_user_from_proxies(TrustedProxies::new(proxies))
    })
}

async fn post(desk: &Desk, path: &str, peer: &str, forwarded: &str, body: &Value) -> Answer {
    let mut request = Request::post(path)
        .header("x-api-key", &desk.key)
        .header("content-type", "application/json");
    if !forwarded.is_empty() {
        request = request.header("x-forwarded-for", forwarded);
    }
    let mut request = request.body(Body::from(body.to_string())).unwrap();
    let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    desk.call(request).await
}

/// Sends to a number that nobody else sends to.
async fn send(desk: &Desk, peer: &str, forwarded: &str, said: Option<&str>) -> Answer {
    let to = format!("+47{}", 40_000_000 + desk.recorder.len());
    let body = json!({"to": to, "channel": "sms", "end_user_ip": said});
    post(desk, "/v1/verify/send", peer, forwarded, &body).await
}

fn assert_throttled(answer: &Answer) {
    let limit = answer.body["limit"].as_str();
    assert_eq!((answer.status, limit), (429, Some("source_sends")));
}

#[tokio::test]
async fn a46_made_up_addresses_to_the_left_change_no_count() {
    let desk = desk();
    for n in 0..BUDGET {
        let forwarded = format!("198.51.100.{n}, 203.0.113.9, 10.0.0.{n}");
        let sent = send(&desk, PROXY, &forwarded, None).await;
        assert_eq!(sent.status, 200, "{n}: {sent:?}");
    }
    for forwarded in [
        "203.0.113.9",
        "203.0.113.10, 203.0.113.9",
        "::ffff:203.0.113.9",
    ] {
        assert_throttled(&send(&desk, PROXY, forwarded, None).await);
    }
    assert_eq!(desk.recorder.len(), 20);
    let other = send(&desk, PROXY, "203.0.113.9, 203.0.113.10", None).await;
    assert_eq!(other.status, 200, "who stands to the left is not blamed");
}

#[tokio::test]
async fn a46_the_body_wins_over_the_header() {
    let desk = desk();
    for n in 0..BUDGET {
        let forwarded = format!("203.0.113.{n}");
        let sent = send(&desk, PROXY, &forwarded, Some("192.0.2.7")).await;
        assert_eq!(sent.status, 200, "{n}: {sent:?}");
    }
    assert_throttled(&send(&desk, PROXY, "203.0.113.9", Some("192.0.2.7")).await);
    // The clients in the header were not counted, and the address of the body was.
    for _ in 0..BUDGET {
        assert_eq!(send(&desk, PROXY, "203.0.113.9", None).await.status, 200);
    }
    assert_throttled(&send(&desk, PROXY, "203.0.113.9", None).await);
    assert_throttled(&send(&desk, PROXY, "192.0.2.7", None).await);
}

#[tokio::test]
async fn a46_a_peer_that_is_no_trusted_proxy_says_nothing_and_counts_for_nothing() {
    let desk = desk();
    for _ in 0..BUDGET + 5 {
        let sent = send(&desk, "192.0.2.1", "203.0.113.9", None).await;
        assert_eq!(sent.status, 200, "{sent:?}");
    }
    for client in ["203.0.113.9", "192.0.2.1"] {
        let sent = send(&desk, PROXY, client, None).await;
        assert_eq!(sent.status, 200, "{client} had sent nothing so far");
    }
}

#[tokio::test]
async fn a46_a_trusted_proxy_that_names_nobody_is_the_source() {
    let desk = desk();
    for n in 0..BUDGET {
        let forwarded = if n % 2 == 0 { "" } else { "1.2.3.4, nonsense" };
        assert_eq!(send(&desk, PROXY, forwarded, None).await.status, 200);
    }
    assert_throttled(&send(&desk, PROXY, "", None).await);
}

#[tokio::test]
async fn a46_a_resend_counts_as_its_client_s_too() {
    let desk = desk();
    let sent = send(&desk, PROXY, "203.0.113.10", None).await;
    for _ in 0..BUDGET {
        send(&desk, PROXY, "203.0.113.9", None).await;
    }
    desk.clock.advance_secs(30);
    let body = json!({"session_id": sent.text("session_id"), "to": "+4740000000"});
    let resend = |client: &'static str| post(&desk, "/v1/verify/resend", PROXY, client, &body);
    assert_throttled(&resend("203.0.113.9").await);
    assert_eq!(resend("203.0.113.10").await.status, 200);
}

#[tokio::test]
async fn a46_unless_proxies_may_name_end_users_one_client_has_no_budget() {
    // As an auth server behind a load balancer calls: from one address, for everybody.
    let desk = Desk::new();
    for _ in 0..BUDGET + 5 {
        let sent = send(&desk, PROXY, "203.0.113.9", None).await;
        assert_eq!(sent.status, 200, "{sent:?}");
    }
}
