//! Countersign over HTTP: a library that nests into somebody's own axum app.
//!
//! [`Api::router`] is the calls themselves. They read a [`Caller`] from the request's
//! extensions: [`ApiKeys::protect`] puts one there for `X-API-Key`, and an app with its
//! own authentication puts its own. [`public_router`] is all that a server of its own
//! shows to its users: the calls behind API keys, activation, the OpenAPI document and
//! the page that explains it. Nothing here binds a socket.

mod activate;
mod admin;
mod answer;
mod api;
mod api_key;
mod ask;
mod audit;
mod auth;
mod auth_limit;
mod base62;
mod body;
mod call;
mod caller;
mod calls;
mod docs;
mod failure_alarm;
mod fields;
mod forwarded;
mod jwt;
mod key_cache;
mod key_record;
mod key_store;
mod metrics;
mod openapi;
mod problem;
mod public;
mod reports;
mod tasks;

pub use activate::activation_router;
pub use admin::{Readiness, RenderMetrics, admin_router};
pub use api::Api;
pub use api_key::{ApiKeyError, NewKey};
pub use caller::{Caller, Scope, Scopes};
pub use docs::docs_router;
pub use forwarded::TrustedProxies;
pub use jwt::{JwtError, JwtVerifier};
pub use key_store::{ApiKeys, ApiKeysBuilder, KeyInfo, StaticKey};
pub use metrics::{DryRun, describe_metrics};
pub use openapi::openapi;
pub use problem::Problem;
pub use public::public_router;
