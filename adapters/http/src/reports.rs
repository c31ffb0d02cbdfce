//! Delivery reports: what providers call back with, believed only as far as they sign it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use axum::routing::get;
use axum::{RequestExt, Router};
use countersign::{
    Callback, Clock, DeliveryOutcome, Report, ReportReader, Stopwatch, StoreError, SystemClock,
};
use tokio::sync::Semaphore;
use tracing::{Instrument, Span, field};

use crate::api::{Api, Reply, finish, numbered};
use crate::body::read_bytes;
use crate::metrics;
use crate::problem::{Problem, ProblemKind};
use crate::public::no_method;

const REPORTS_PATH: &str = "/v1/verify/reports/{provider}";
const PREFIX: &str = "/v1/verify/reports/";

/// How long the rest of a report is waited for: providers send theirs in one go.
const PATIENCE: Duration = Duration::from_secs(5);
const WAITING: usize = 64;

impl Api {
    /// Takes what `provider` reports of its messages at `/v1/verify/reports/{provider}`, as
    /// `reader` reads it. The name is one segment of a path, such as `twilio`.
    #[must_use]
    pub fn report_reader(
        mut self,
        provider: impl Into<String>,
        reader: Arc<dyn ReportReader>,
    ) -> Self {
        Arc::make_mut(&mut self.readers).insert(provider.into(), reader);
        self
    }

    /// The address under which the world finds these calls, such as
    /// `https://verify.example.com`. Providers sign the address that they call, and a
    /// header could be made up, so without it no signed address is ever right.
    #[must_use]
    pub fn public_url(mut self, url: &str) -> Self {
        Arc::make_mut(&mut self.readers).set_public_url(url);
        self
    }

    /// Waits for the rest of at most so many reports at once; 64 at first. Further ones are
    /// read if they have arrived as a whole, and else told to come again.
    ///
    /// Until it is read, a report may be anybody's. It should be a small part of the
    /// requests that the server takes at once, or strangers can take the place of callers.
    #[must_use]
    pub fn waiting_reports(mut self, max: usize) -> Self {
        let places = Semaphore::new(max.min(Semaphore::MAX_PERMITS));
        Arc::make_mut(&mut self.readers).waiting = Arc::new(places);
        self
    }

    /// Judges the age of signatures by this clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        Arc::make_mut(&mut self.readers).set_clock(clock);
        self
    }

    /// The routes under `/v1/verify/reports`, for the callbacks of providers. They ask for no
    /// key and no [`Caller`](crate::Caller): the provider's signature is the credential.
    pub fn reports_router(&self) -> Router {
        Router::new()
            .route(REPORTS_PATH, get(on_report).post(on_report))
            .method_not_allowed_fallback(|| async { no_method() })
            .with_state(Arc::new(self.clone()))
    }

    /// One callback, which is none of the calls: no tenant makes it.
    async fn serve_report(&self, request: Request) -> Response {
        let (watch, name) = (Stopwatch::start(), "report");
        let id = self.requests.next_id();
        let provider = field::Empty;
        let span = tracing::info_span!("call", call = name, request_id = id.as_str(), provider);
        let served = async { finish(name, watch, report(self, request).await) };
        numbered(served.instrument(span).await, id)
    }
}

async fn on_report(State(api): State<Arc<Api>>, request: Request) -> Response {
    api.serve_report(request).await
}

/// Who reads whose callbacks, and what they need for it.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    by_provider: BTreeMap<String, Arc<dyn ReportReader>>,
    /// Without a slash at its end.
    public_url: String,
    clock: Arc<dyn Clock>,
    /// A place for each report whose body is waited for.
    waiting: Arc<Semaphore>,
}

impl Default for Readers {
    fn default() -> Self {
        Self {
            by_provider: BTreeMap::new(),
            public_url: String::new(),
            clock: Arc::new(SystemClock::default()),
            waiting: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

impl Readers {
    fn insert(&mut self, provider: String, reader: Arc<dyn ReportReader>) {
        self.by_provider.insert(provider, reader);
    }

    fn set_public_url(&mut self, url: &str) {
        url.trim_end_matches('/').clone_into(&mut self.public_url);
    }

    fn set_clock(&mut self, clock: Arc<dyn Clock>) {
        self.clock = clock;
    }

    /// The body of what calls itself a report. Anybody may begin one and never end it, and
    /// nothing tells it from a genuine one before its end, for signatures cover the body.
    ///
    /// So it is the places to wait that are few, and not the time alone that is short: who
    /// opens streams anew each five seconds would hold all the server's seats all the same.
    /// What has arrived takes no place, or the same stranger could stop all reports.
    async fn body(&self, body: Body) -> Result<Bytes, Problem> {
        let mut reading = pin!(read_bytes(body));
        let at_once = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context)));
        if let Poll::Ready(read) = at_once.await {
            return read;
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(Problem::busy());
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .unwrap_or_else(|_| Err(Problem::timed_out()))
    }
}

/// One callback. Whatever is signed is taken, or the provider would send it again and
/// again; only while the store is down is it asked to.
async fn report(api: &Api, mut request: Request) -> Result<Reply, Problem> {
    let named = request.extract_parts::<Path<String>>().await;
    let named = named.ok().map(|Path(name)| name);
    let found = named.and_then(|name| api.readers.by_provider.get_key_value(&name));
    let (provider, reader) = found.ok_or_else(unknown_provider)?;
    Span::current().record("provider", provider);
    let told = Told::read(&api.readers, provider, request).await?;
    let outcome = match told.believed(&**reader, &*api.readers.clock) {
        Err(problem) => {
            metrics::reported(provider, "unsigned");
            return Err(problem);
        }
        Ok(None) => "nothing",
        Ok(Some(report)) => note(api, report).await.inspect_err(|_| {
            metrics::reported(provider, "unavailable");
        })?,
    };
    metrics::reported(provider, outcome);
    Ok(Reply::empty(outcome))
}

/// Notes a report to the end: a provider that hangs up does not cut it off.
async fn note(api: &Api, report: Report) -> Result<&'static str, Problem> {
    let (verifier, outcome) = (api.verifier.clone(), name(report.outcome));
    let noted = api.tasks.run(async move { verifier.report(&report).await });
    match noted.await {
        Ok(Ok(Some(_))) => Ok(outcome),
        Ok(Ok(None)) => Ok("unknown"),
        Ok(Err(error)) => refused_by_store(error),
        Err(_) => Err(Problem::new(
            ProblemKind::Internal,
            "the report was not noted",
        )),
    }
}

/// What will never be noted is not asked for again.
fn refused_by_store(error: StoreError) -> Result<&'static str, Problem> {
    let transient = error.is_transient();
    let problem = Problem::from(error);
    if transient { Err(problem) } else { Ok("lost") }
}

const fn name(outcome: DeliveryOutcome) -> &'static str {
    match outcome {
        DeliveryOutcome::Accepted => "accepted",
        DeliveryOutcome::Failed => "failed",
        DeliveryOutcome::Undeliverable => "undeliverable",
        DeliveryOutcome::Delivered => "delivered",
    }
}

fn unknown_provider() -> Problem {
    Problem::new(
        ProblemKind::NoRoute,
        "no provider of this name reports here",
    )
}

/// A callback, owned.
struct Told {
    url: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Told {
    /// The address is the one that was configured, with the query that was called: what
    /// the headers say of it, anybody may have made up.
    async fn read(readers: &Readers, provider: &str, request: Request) -> Result<Self, Problem> {
        let mut url = format!("{}{PREFIX}{provider}", readers.public_url);
        if let Some(query) = request.uri().query() {
            url.push('?');
            url.push_str(query);
        }
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = request.headers().iter().filter_map(text).collect();
        let body = readers.body(request.into_body()).await?;
        Ok(Self { url, headers, body })
    }

    fn believed(
        &self,
        reader: &dyn ReportReader,
        clock: &dyn Clock,
    ) -> Result<Option<Report>, Problem> {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let callback = Callback {
            url: &self.url,
            headers: &headers,
            body: &self.body,
        };
        let read = reader.read(&callback, clock.now().as_millis() / 1000);
        read.map_err(|error| Problem::new(ProblemKind::Unauthorised, error.to_string()))
    }
}
