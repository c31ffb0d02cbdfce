//! What HTTP costs without anything behind it: the same JSON, behind the same layers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign::{Channel, KeyRing, MemoryStore, Recorder, Stopwatch, Tenant, Verifier};
use countersign_http::{ApiKeys, Scopes, StaticKey};
use metrics::histogram;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

use crate::bounds::bounded;
use crate::http_server;

pub(crate) const KEY: &str =
    "countersign_verify_the-key-of-the-floor-is-as-long-as-any-of-ours-and-fits-nothing";
const MAX_BODY_BYTES: usize = 16 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Guess {
    session_id: String,
    code: String,
}

/// An answer as long as that to a wrong code.
#[derive(Serialize)]
struct Judged {
    session_id: String,
    status: &'static str,
    attempts_remaining: usize,
    reason: &'static str,
}

#[derive(Deserialize)]
struct Wish {
    to: String,
    channel: String,
}

/// An answer as long as that to a send.
#[derive(Serialize)]
struct Sent {
    session_id: &'static str,
    status: &'static str,
    channel: String,
    expires_in: u64,
    code_length: usize,
    alphabet: &'static str,
    resend_after: u64,
    attempts_remaining: u8,
    delivery: &'static str,
}

fn judge(guess: Guess) -> Judged {
    Judged {
        session_id: guess.session_id,
        status: "failed",
        attempts_remaining: guess.code.len() % 10,
        reason: "wrong_code",
    }
}

fn send(wish: Wish) -> Sent {
    Sent {
        session_id: "sess_AAAAAAAAAAAAAAAAAAAAAAA",
        status: "sent",
        channel: wish.channel,
        expires_in: 300,
        code_length: wish.to.len() % 10,
        alphabet: "digits",
        resend_after: 30,
        attempts_remaining: 5,
        delivery: "accepted",
    }
}

/// A handler as an app would begin with it: `axum::serve`, and nothing around it.
pub(crate) async fn bare(port: u16) -> Result<(), Failure> {
    let router = Router::new().route(
        "/v1/verify/check",
        post(|Json(guess): Json<Guess>| async { Json(judge(guess)) }),
    );
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

/// The handlers behind what is around Countersign's calls: its server of connections, its
/// bounds and its layer of API keys themselves, and a bound on bodies, a request id, a
/// span, a histogram and a line of log as an app would write them.
pub(crate) async fn serve(port: u16) -> Result<(), Failure> {
    // As `countersign serve` logs under the bench: the line is not shown.
    let filter = EnvFilter::new("warn");
    tracing_subscriber::fmt().with_env_filter(filter).init();
    metrics::set_global_recorder(PrometheusBuilder::new().build_recorder())?;
    let calls = Router::new()
        .route("/v1/verify/check", post(on_check))
        .route("/v1/verify/send", post(on_send))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(AtomicU64::new(1)));
    let router = bounded(keys()?.protect(calls), 1024, Arc::new(|| 0));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let (_stop, stopped) = watch::channel(false);
    http_server::serve(listener, router, stopped).await;
    Ok(())
}

/// One key from a configuration, as the server under load has one.
fn keys() -> Result<ApiKeys, Failure> {
    let verifier = Verifier::builder(KeyRing::generate()?, Arc::new(MemoryStore::new()))
        .deliverer(Channel::Email, Arc::new(Recorder::new()))
        .build()?;
    let (tenant, hash) = (Tenant::new("bench")?, Sha256::digest(KEY).into());
    let key = StaticKey::new(tenant, Scopes::SEND_AND_CHECK, hash);
    Ok(ApiKeys::builder(verifier).static_keys([key]).build())
}

async fn on_check(State(next): State<Arc<AtomicU64>>, request: Request) -> Response {
    observed(&next, "check", answered(request, judge)).await
}

async fn on_send(State(next): State<Arc<AtomicU64>>, request: Request) -> Response {
    observed(&next, "send", answered(request, send)).await
}

async fn answered<A: DeserializeOwned, T: Serialize>(
    request: Request,
    run: fn(A) -> T,
) -> Response {
    match Json::<A>::from_request(request, &()).await {
        Ok(Json(asked)) => Json(run(asked)).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// No layer of its own, so that it costs no box.
async fn observed(
    next: &AtomicU64,
    call: &'static str,
    answer: impl Future<Output = Response>,
) -> Response {
    let watch = Stopwatch::start();
    let request_id = format!("01234567-{:x}", next.fetch_add(1, Ordering::Relaxed));
    let span = tracing::info_span!("call", call, request_id);
    let mut response = async {
        let response = answer.await;
        let status = response.status().as_u16();
        histogram!("floor_request_seconds", "status" => "200").record(watch.elapsed());
        tracing::info!(status, "answered");
        response
    }
    .instrument(span)
    .await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
