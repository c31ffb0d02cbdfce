//! Problem details (RFC 9457): every refusal as an answer.

mod from_core;
mod kind;

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

pub(crate) use self::kind::ProblemKind;

/// A refusal as an HTTP answer: `application/problem+json`, and never a value that the
/// caller sent.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) kind: ProblemKind,
    detail: Cow<'static, str>,
    retry_after: Option<u64>,
    members: Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
            members: Map::new(),
        }
    }

    /// The answer to a request that nobody has authenticated: always the same.
    #[must_use]
    pub fn unauthorised() -> Self {
        Self::new(
            ProblemKind::Unauthorised,
            "a valid credential is needed for this call",
        )
    }

    /// The answer of a server that has too many requests under way to read one more.
    #[must_use]
    pub fn busy() -> Self {
        let detail = "too many requests are under way: come again in a second";
        Self::new(ProblemKind::Busy, detail).after(1)
    }

    /// The answer of a server that stops waiting for a request to be read and answered.
    #[must_use]
    pub fn timed_out() -> Self {
        let detail = "the request was not read and answered in time";
        Self::new(ProblemKind::Timeout, detail)
    }

    /// A field that is not as documented; `detail` says what is right and shows no value.
    pub(crate) fn invalid(field: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::Invalid, detail).with("field", field)
    }

    pub(crate) fn throttled(limit: &'static str, retry_after: u64) -> Self {
        Self::new(ProblemKind::Throttled, "too many: try again later")
            .with("limit", limit)
            .after(retry_after)
    }

    pub(crate) fn unknown_session() -> Self {
        Self::new(
            ProblemKind::UnknownSession,
            "no such session for this key and purpose",
        )
    }

    pub(crate) fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    pub(crate) fn after(mut self, seconds: u64) -> Self {
        let seconds = seconds.max(1);
        self.retry_after = Some(seconds);
        self.with("retry_after", seconds)
    }

    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".to_owned(), self.kind.uri().into());
        body.insert("title".to_owned(), self.kind.title().into());
        body.insert("status".to_owned(), self.kind.status().into());
        body.insert("detail".to_owned(), self.detail.clone().into());
        body.extend(self.members.clone());
        Value::Object(body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body().to_string()).into_response();
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: HeaderValue| {
            headers.insert(name, value);
        };
        set(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            set(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == ProblemKind::Unauthorised {
            let scheme = HeaderValue::from_static("ApiKey realm=\"countersign\"");
            set(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
