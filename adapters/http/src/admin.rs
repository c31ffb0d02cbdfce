//! For operators and their machines: liveness, readiness, metrics.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use countersign::Verifier;

/// Whether requests should be sent here: while the store answers, and until a shutdown
/// begins. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Readiness {
    verifier: Verifier,
    stopping: Arc<AtomicBool>,
}

impl Readiness {
    /// Ready as long as `verifier`'s store answers.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            stopping: Arc::default(),
        }
    }

    /// From now on not ready: balancers send new requests elsewhere.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    async fn problem(&self) -> Option<&'static str> {
        if self.stopping.load(Ordering::SeqCst) {
            return Some("stopping\n");
        }
        let error = self.verifier.store().ping().await.err()?;
        crate::metrics::store_error(&error);
        tracing::warn!(%error, "not ready");
        Some("the store does not answer\n")
    }
}

/// Gives the metrics in Prometheus' text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

#[derive(Clone)]
struct Admin {
    readiness: Readiness,
    render: RenderMetrics,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("readiness", &self.readiness)
            .finish_non_exhaustive()
    }
}

/// The routes `/healthz`, `/readyz` and `/metrics`. They ask for no key: serve them on
/// an address of their own that only operators reach.
pub fn admin_router(readiness: Readiness, render: RenderMetrics) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Admin { readiness, render })
}

async fn readyz(State(admin): State<Admin>) -> Response {
    match admin.readiness.problem().await {
        None => "ok\n".into_response(),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let format = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], (admin.render)()).into_response()
}
