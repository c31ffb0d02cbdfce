//! What a caller asks for: read from a request, checked, and owned.

use std::net::IpAddr;

use axum::RequestExt;
use axum::extract::{Path, Query, Request};
use axum::http::{HeaderMap, HeaderName};
use countersign::{Channel, Destination, DestinationError, Purpose, Tenant, Verifier};
use tracing::Span;

use crate::body::Values;
use crate::call::Call;
use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request that may be run.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) tenant: Tenant,
    pub(crate) values: Values,
    pub(crate) idempotency_key: Option<String>,
    /// The session in the path, or the destination in the query.
    pub(crate) subject: String,
    /// Who calls, as far as proxies may tell.
    pub(crate) client: Option<IpAddr>,
}

impl Ask {
    /// Who calls and what for, before the body is read; then the body.
    pub(crate) async fn read(call: Call, mut request: Request) -> Result<Self, Problem> {
        let caller = Caller::take(request.extensions_mut(), call.scopes())?;
        Span::current().record("tenant", caller.tenant.name());
        let mut ask = Self {
            tenant: caller.tenant,
            values: Values::default(),
            idempotency_key: None,
            subject: String::new(),
            client: None,
        };
        match call {
            Call::Status | Call::Cancel => ask.subject = session_in_path(&mut request).await?,
            Call::Destination => ask.subject = destination_in_query(&mut request).await?,
            Call::Send | Call::Start => ask.idempotency_key = idempotency_key(request.headers())?,
            Call::Check | Call::Resend | Call::Reset | Call::Activate => {}
        }
        if let Some(fields) = call.fields() {
            ask.values = Values::read(fields, request).await?;
        }
        Ok(ask)
    }

    pub(crate) fn channel(&self) -> Option<Channel> {
        self.values.text("channel").and_then(Channel::from_name)
    }

    /// The channels that were asked for, in their order.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let words = self.values.words("channel");
        words.into_iter().filter_map(Channel::from_name).collect()
    }

    /// The purpose; none stands for the default one.
    pub(crate) fn purpose(&self) -> Option<Purpose> {
        self.values
            .text("purpose")
            .and_then(|name| Purpose::new(name).ok())
    }

    /// Where a send comes from: as the caller says, else as a proxy that may say so does.
    pub(crate) fn source(&self) -> Option<IpAddr> {
        self.values.address("end_user_ip").or(self.client)
    }

    pub(crate) fn binding(&self) -> Option<&[u8]> {
        self.values.text("binding").map(str::as_bytes)
    }
}

/// Reads the destination in `field`, of a channel if one is given.
pub(crate) fn destination(
    verifier: &Verifier,
    field: &'static str,
    text: &str,
    channel: Option<Channel>,
) -> Result<Destination, Problem> {
    let read = match channel {
        Some(channel) => verifier.read_destination(channel, text),
        None => verifier.read_any(text),
    };
    let to = read.map_err(|error: DestinationError| Problem::invalid(field, error.to_string()))?;
    Span::current().record("to", to.masked());
    Ok(to)
}

async fn session_in_path(request: &mut Request) -> Result<String, Problem> {
    let path = request.extract_parts::<Path<String>>().await;
    // What is no text is no session's id.
    path.map(|Path(id)| id)
        .map_err(|_| Problem::unknown_session())
}

async fn destination_in_query(request: &mut Request) -> Result<String, Problem> {
    let refused = || Problem::invalid("to", "exactly one `to` is expected in the query");
    let query = request
        .extract_parts::<Query<Vec<(String, String)>>>()
        .await;
    let Query(mut query) = query.map_err(|_| refused())?;
    match (query.pop(), query.is_empty()) {
        // A `+` in a query stands for a space; no destination begins with one.
        (Some((name, to)), true) if name == "to" => Ok(match to.strip_prefix(' ') {
            Some(digits) => format!("+{digits}"),
            None => to,
        }),
        _ => Err(refused()),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if !fits || values.next().is_some() {
        let detail = "one `Idempotency-Key` of 1 to 255 printable ASCII characters is expected";
        let problem = Problem::new(ProblemKind::Invalid, detail);
        return Err(problem.with("field", "Idempotency-Key"));
    }
    Ok(Some(text.to_owned()))
}
