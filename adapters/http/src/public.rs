//! All that a server of its own shows to its users.

use axum::Router;

use crate::api::Api;
use crate::docs::docs_router;
use crate::key_store::ApiKeys;
use crate::problem::{Problem, ProblemKind};

/// The calls behind API keys, activation where one is given (see
/// [`activation_router`](crate::activation_router)), delivery reports, `/openapi.json` and
/// `/docs`.
/// Everything else is a 404 problem.
pub fn public_router(api: &Api, keys: &ApiKeys, activation: Option<Router>) -> Router {
    let calls = keys.protect(api.router());
    let activation = activation.unwrap_or_default();
    calls
        .merge(activation)
        .merge(api.reports_router())
        .merge(docs_router())
        .method_not_allowed_fallback(|| async { no_method() })
        .fallback(|| async { no_route() })
}

pub(crate) fn no_method() -> Problem {
    Problem::new(ProblemKind::NoMethod, "this call does not take this method")
}

fn no_route() -> Problem {
    Problem::new(ProblemKind::NoRoute, "there is no such call")
}
