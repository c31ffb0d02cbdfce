//! The layer that turns `X-API-Key` into a `Caller`.

use std::convert::Infallible;
use std::future::ready;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use tower::{Layer, Service};

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
        router.layer(Protect(self.clone()))
    }

    /// The caller as far as it is known without the store; none where that must be asked.
    fn known(
        &self,
        headers: &HeaderMap,
        source: Option<IpAddr>,
    ) -> Result<Option<Caller>, Problem> {
        let Some(key) = key_in(headers) else {
            metrics::auth_failed("missing");
            return Err(Problem::unauthorised());
        };
        // Before the limit: a neighbour's guessing must not shut out keys that are known
        // to be good.
        if let Some(caller) = self.recall(key) {
            return Ok(Some(caller));
        }
        match source.and_then(|source| self.0.limit.wait(source)) {
            // Nor those that are only not remembered now: behind a proxy that names nobody
            // all callers are one source. Nothing is guessed past this: the mark is 64 bits of
            // a secret's, over the key's own secret, so that who has a marked key was given it.
            // If it was revoked since, all that it buys is reads of the one record it names,
            // as many as a live key buys; while the record is remembered, none.
            Some(wait) if !self.is_issued(key) => Err(Problem::throttled("auth_failures", wait)),
            _ => Ok(None),
        }
    }

    async fn ask(&self, headers: &HeaderMap, source: Option<IpAddr>) -> Result<Caller, Problem> {
        let key = key_in(headers).ok_or_else(Problem::unauthorised)?;
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

/// A layer of its own and no function around `Next`: most keys are known, and then a
/// request goes on without a copy of the routes behind it.
#[derive(Clone)]
struct Protect(ApiKeys);

#[derive(Clone)]
struct Protected<S> {
    keys: ApiKeys,
    inner: S,
}

impl<S> Layer<S> for Protect {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Protected<S> {
        let keys = self.0.clone();
        Protected { keys, inner }
    }
}

impl<S> Service<Request> for Protected<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let proxies = &self.keys.0.proxies;
        let source = proxies.source(request.extensions(), request.headers());
        match self.keys.known(request.headers(), source) {
            Ok(Some(caller)) => Box::pin(self.inner.call(of(caller, request))),
            Err(problem) => Box::pin(ready(Ok(refused(problem)))),
            Ok(None) => {
                // The one that was polled ready is the one to call.
                let next = self.inner.clone();
                let mut inner = std::mem::replace(&mut self.inner, next);
                let keys = self.keys.clone();
                Box::pin(async move {
                    match keys.ask(request.headers(), source).await {
                        Ok(caller) => inner.call(of(caller, request)).await,
                        Err(problem) => Ok(refused(problem)),
                    }
                })
            }
        }
    }
}

/// The request as one of this caller's.
fn of(caller: Caller, mut request: Request) -> Request {
    // Nothing behind this layer has a use for the secret.
    request.headers_mut().remove(API_KEY);
    request.extensions_mut().insert(caller);
    request
}

fn refused(problem: Problem) -> Response {
    tracing::info!(outcome = problem.kind.name(), "not authenticated");
    problem.into_response()
}

/// The one key that a request carries; two are none.
fn key_in(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(API_KEY).iter();
    let key = values.next()?.to_str().ok()?;
    (values.next().is_none() && !key.is_empty() && key.len() <= MAX_KEY_BYTES).then_some(key)
}
