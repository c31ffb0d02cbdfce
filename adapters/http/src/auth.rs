//! The layer that turns `X-API-Key` into a `Caller`.

use std::net::IpAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::caller::Caller;
use crate::key_store::ApiKeys;
use crate::metrics;
use crate::problem::Problem;

pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const MAX_KEY_BYTES: usize = 256;

impl ApiKeys {
    /// Lets only requests with a valid `X-API-Key` reach the routes of `router`, and
    /// puts their [`Caller`] into the extensions.
    ///
    /// Failures are limited per source where the server notes the peer of a connection
    /// (`into_make_service_with_connect_info::<SocketAddr>()`).
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        router.layer(from_fn_with_state(self.clone(), authenticate))
    }

    async fn caller(&self, headers: &HeaderMap, source: Option<IpAddr>) -> Result<Caller, Problem> {
        let Some(key) = key_in(headers) else {
            metrics::auth_failed("missing");
            return Err(Problem::unauthorised());
        };
        if let Some(wait) = source.and_then(|source| self.0.limit.wait(source)) {
            // A neighbour's guessing must not shut out keys that are known to be good.
            let limited = || Problem::throttled("auth_failures", wait);
            return self.recall(key).ok_or_else(limited);
        }
        if let Some(caller) = self.authenticate(key).await? {
            return Ok(caller);
        }
        metrics::auth_failed("api_key");
        if let Some(source) = source {
            self.0.limit.note_failure(source);
        }
        Err(Problem::unauthorised())
    }
}

async fn authenticate(State(keys): State<ApiKeys>, mut request: Request, next: Next) -> Response {
    let source = keys
        .0
        .proxies
        .source(request.extensions(), request.headers());
    match keys.caller(request.headers(), source).await {
        Ok(caller) => {
            // Nothing behind this layer has a use for the secret.
            request.headers_mut().remove(API_KEY);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => {
            tracing::info!(outcome = problem.kind.name(), "not authenticated");
            problem.into_response()
        }
    }
}

/// The one key that a request carries; two are none.
fn key_in(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(API_KEY).iter();
    let key = values.next()?.to_str().ok()?;
    (values.next().is_none() && !key.is_empty() && key.len() <= MAX_KEY_BYTES).then_some(key)
}
