//! Activation: a dashboard's token buys the tenant's first key, once.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use countersign::Stopwatch;

use crate::answer::{Activated, answer};
use crate::api_key::{ApiKeyError, NewKey};
use crate::audit;
use crate::jwt::{JwtError, JwtVerifier};
use crate::key_store::ApiKeys;
use crate::metrics;
use crate::problem::{Problem, ProblemKind};

pub(crate) const ACTIVATE: &str = "/v1/dashboard/verify/activate";

#[derive(Debug)]
struct Activation {
    keys: ApiKeys,
    jwt: JwtVerifier,
    endpoint: String,
}

/// The route `POST /v1/dashboard/verify/activate`. It answers with a key and with
/// `endpoint`, the base of the calls that the key is for.
pub fn activation_router(keys: ApiKeys, jwt: JwtVerifier, endpoint: String) -> Router {
    let state = Arc::new(Activation {
        keys,
        jwt,
        endpoint,
    });
    Router::new()
        .route(ACTIVATE, post(activate))
        .with_state(state)
}

async fn activate(State(activation): State<Arc<Activation>>, request: Request) -> Response {
    let watch = Stopwatch::start();
    // The body says nothing: it is not read.
    let (parts, _) = request.into_parts();
    let response = match activation.run(&parts).await {
        Ok(key) => answer(&Activated {
            api_key: key.reveal(),
            endpoint: &activation.endpoint,
        }),
        Err(problem) => refuse(problem),
    };
    metrics::answered("activate", response.status().as_u16(), watch.elapsed());
    response
}

impl Activation {
    async fn run(&self, request: &Parts) -> Result<NewKey, Problem> {
        let source = self
            .keys
            .0
            .proxies
            .source(&request.extensions, &request.headers);
        let token = bearer(&request.headers).ok_or_else(Problem::unauthorised)?;
        // Before the limit: a neighbour's guessing must not shut out tokens that are good.
        // Nothing is guessed past this: neither a signature nor what makes it is found by trying.
        let verified = self.jwt.verify(token);
        let tenant = verified.map_err(|error| self.refused(error, source))?;
        let key = self.keys.activate(&tenant).await.map_err(Problem::from);
        let kid = key.as_ref().ok().map(NewKey::kid);
        audit::of_key("activate", &tenant, kid, &key);
        key
    }

    fn refused(&self, error: JwtError, source: Option<IpAddr>) -> Problem {
        let limit = &self.keys.0.limit;
        if let Some(wait) = source.and_then(|source| limit.wait(source)) {
            return Problem::throttled("auth_failures", wait);
        }
        metrics::auth_failed("token");
        if let Some(source) = source {
            limit.note_failure(source);
        }
        // The reason is for the operator: a stranger learns nothing from it.
        tracing::info!(%error, "a token was refused");
        Problem::unauthorised()
    }
}

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::AlreadyActivated | ApiKeyError::TooMany => {
                Self::new(ProblemKind::Activated, error.to_string())
            }
            ApiKeyError::Random => {
                Self::new(ProblemKind::Unavailable, "there is no randomness for a key").after(1)
            }
            ApiKeyError::Store(error) => error.into(),
        }
    }
}

fn refuse(problem: Problem) -> Response {
    let mut response = problem.into_response();
    if let Some(challenge) = response.headers_mut().get_mut(header::WWW_AUTHENTICATE) {
        *challenge = HeaderValue::from_static("Bearer realm=\"countersign\"");
    }
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(token.trim())
}
