//! What a caller asks for: read from a request, checked, and owned.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, HeaderName, Uri};
use countersign::{Channel, Destination, DestinationError, Purpose, Tenant, Verifier};
use tracing::Span;

use crate::body::{Values, read_bytes, require_json};
use crate::call::Call;
use crate::caller::Caller;
use crate::fields::Field;
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

/// A request of which only the body is not yet read, and nothing else is kept: what waits for
/// the body is small.
pub(crate) struct Head {
    ask: Ask,
    body: Option<(&'static [Field], Body)>,
}

impl Head {
    /// Who calls and what for; `session` is what the path named, if it was text.
    pub(crate) fn read(
        call: Call,
        session: Option<String>,
        request: Request,
    ) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::take(&mut parts.extensions, call.scopes())?;
        Span::current().record("tenant", caller.tenant.name());
        let mut ask = Ask {
            tenant: caller.tenant,
            values: Values::default(),
            idempotency_key: None,
            subject: String::new(),
            client: None,
        };
        match call {
            Call::Status | Call::Cancel => {
                // What is no text is no session's id.
                ask.subject = session.ok_or_else(Problem::unknown_session)?;
            }
            Call::Destination => ask.subject = destination_in_query(&parts.uri)?,
            Call::Send | Call::Start => ask.idempotency_key = idempotency_key(&parts.headers)?,
            Call::Check | Call::Resend | Call::Reset | Call::Activate => {}
        }
        let fields = call.fields();
        if fields.is_some() {
            require_json(&parts.headers)?;
        }
        let body = fields.map(|fields| (fields, body));
        Ok(Self { ask, body })
    }

    /// Reads the body, if the call has one.
    pub(crate) async fn with_body(self) -> Result<Ask, Problem> {
        let Self { mut ask, body } = self;
        if let Some((fields, body)) = body {
            ask.values = Values::parse(fields, &read_bytes(body).await?)?;
        }
        Ok(ask)
    }
}

impl Ask {
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

fn destination_in_query(uri: &Uri) -> Result<String, Problem> {
    let refused = || Problem::invalid("to", "exactly one `to` is expected in the query");
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
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
