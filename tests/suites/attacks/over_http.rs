//! A19, A66: what happens before a call comes to its store, in the HTTP API's own router.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::{Extension, Router};
use countersign::Tenant;
use countersign_http::{Api, ApiKeys, Caller, JwtVerifier, Scopes, activation_router};
use http_body::Frame;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::bench::{Bench, Setup};
use super::desk::Desk;
use super::movable::Movable;
use super::races::PROCESSES;
use super::stores::on_every_store;

const MINUTE: i64 = 60_000;
const LIFE: i64 = 5 * MINUTE;

/// A body in two halves, of which the second comes so many milliseconds later.
struct Slow {
    halves: VecDeque<Bytes>,
    store: Arc<Movable>,
    later: i64,
}

impl Slow {
    fn new(body: &Value, store: &Arc<Movable>, later: i64) -> Self {
        let whole = Bytes::from(body.to_string());
        let half = whole.len() / 2;
        Self {
            halves: VecDeque::from([whole.slice(..half), whole.slice(half..)]),
            store: Arc::clone(store),
            later,
        }
    }
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.halves.len() == 1 {
            self.store.wind(self.later);
        }
        let half = self.halves.pop_front();
        Poll::Ready(half.map(|half| Ok(Frame::data(half))))
    }
}

/// The status and the body of an answer.
async fn call(router: &Router, request: Request<Body>) -> (u16, Value) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await;
    (status, serde_json::from_slice(&body.unwrap()).unwrap())
}

#[test]
fn a19_a_check_whose_body_ends_after_its_code_is_refused() {
    on_every_store(|kind| async move {
        let store = Arc::new(Movable::start(kind, 1).await);
        let desk = Desk::of_the_store_s_time(&store.handles[0]);
        let caller = Caller::new(desk.tenant.clone(), Scopes::ALL);
        let api = Api::new(desk.verifier.clone()).router();
        let router = api.layer(Extension(caller));
        let (mut slow, mut approved) = (0, 0);
        // The test itself takes some of the life that is left.
        for (number, later) in (0..).zip([LIFE - MINUTE, LIFE, LIFE + 1, 12 * LIFE]) {
            let (id, code) = desk.send(number).await.unwrap();
            let body = Slow::new(&json!({ "session_id": id, "code": code }), &store, later);
            let request = Request::post("/v1/verify/check")
                .header("content-type", "application/json")
                .body(Body::new(body));
            let (status, told) = call(&router, request.unwrap()).await;
            store.wind(-later);
            assert_eq!(status, 200, "{kind}, {later} ms: {told}");
            if later < LIFE {
                assert_eq!(told["status"], "verified", "{kind}, {later} ms: {told}");
                continue;
            }
            slow += 1;
            approved += u32::from(told["status"] == "verified");
            assert_eq!(told["reason"], "expired", "{kind}, {later} ms: {told}");
        }
        let tried = format!("{slow} checks that came in time and whose bodies ended late");
        kind.note("a19", &tried, &format!("{approved} approvals"));
    });
}

#[test]
fn a66_of_a_hundred_activations_at_once_one_is_shown_the_key() {
    on_every_store(|kind| async move {
        let setup = Setup {
            processes: PROCESSES,
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        let jwt = || JwtVerifier::hs256(b"a secret of the test's own, of 32 bytes").unwrap();
        let keys = bench.verifiers.iter().cloned();
        let keys: Vec<_> = keys.map(|of| ApiKeys::builder(of).build()).collect();
        let routers = keys.iter().cloned();
        let routers: Vec<_> = routers
            .map(|keys| activation_router(keys, jwt(), "http://localhost".to_owned()))
            .collect();
        let rounds = kind.rounds(100);
        for round in kind.each_of("a66", rounds) {
            let tenant = Tenant::new(&format!("tenant-{round}")).unwrap();
            let token = jwt().sign(&tenant, Duration::from_secs(600)).unwrap();
            let activate = |process: usize| {
                let router = routers[process % PROCESSES].clone();
                let request = Request::post("/v1/dashboard/verify/activate")
                    .header("authorization", format!("Bearer {token}"))
                    .body(Body::empty());
                async move { call(&router, request.unwrap()).await }
            };
            let tasks: Vec<_> = (0..100).map(|n| tokio::spawn(activate(n))).collect();
            let mut shown = Vec::new();
            for task in tasks {
                match task.await.unwrap() {
                    (200, told) => shown.push(told["api_key"].as_str().unwrap().to_owned()),
                    (status, told) => assert_eq!(status, 409, "{kind}: {told}"),
                }
            }
            let [key] = <[String; 1]>::try_from(shown).expect("one is shown the key");
            for (process, keys) in keys.iter().enumerate() {
                let (status, told) = activate(process).await;
                assert_eq!(status, 409, "{kind}: {told}");
                assert!(!told.to_string().contains(&key), "{kind}");
                let caller = keys.authenticate(&key).await.unwrap();
                assert!(caller.is_some(), "{kind}: process {process}");
                assert_eq!(keys.list(&tenant).await.unwrap().len(), 1, "{kind}");
            }
        }
        let tried = format!("{rounds} tokens, each 100 times at once at {PROCESSES} processes");
        kind.note("a66", &tried, "one is shown the key, and nobody again");
    });
}
