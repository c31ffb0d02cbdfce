//! The calls over one verifier: routes, and the way that every call goes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use countersign::{Limit, Stopwatch, Verifier};
use tracing::{Instrument, Span, field};

use crate::ask::{Ask, Head};
use crate::call::Call;
use crate::calls::{cancel, check, destination, resend, reset, send, status};
use crate::failure_alarm::FailureAlarm;
use crate::forwarded::TrustedProxies;
use crate::metrics;
use crate::problem::{Problem, ProblemKind};
use crate::public::no_method;
use crate::reports::Readers;
use crate::tasks::Tasks;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The calls over one verifier. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Api {
    pub(crate) verifier: Verifier,
    pub(crate) tasks: Tasks,
    pub(crate) readers: Arc<Readers>,
    pub(crate) failures: Arc<FailureAlarm>,
    end_user_proxies: TrustedProxies,
    pub(crate) requests: Arc<Requests>,
}

/// Numbers the requests of this process.
#[derive(Debug)]
pub(crate) struct Requests {
    /// What each number begins with.
    process: String,
    next: AtomicU64,
}

/// What a call came to: the answer, and its outcome in a word for the log.
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) outcome: &'static str,
}

impl Api {
    /// The calls over `verifier`.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        // Only for telling the logs of two processes apart: without randomness, zero will do.
        let process = crate::api_key::random()
            .map(u32::from_be_bytes)
            .unwrap_or_default();
        let requests = Arc::new(Requests {
            process: format!("{process:08x}-"),
            next: AtomicU64::new(1),
        });
        Self {
            verifier,
            tasks: Tasks::default(),
            readers: Arc::default(),
            failures: Arc::new(FailureAlarm::new(Some(FailureAlarm::USUAL))),
            end_user_proxies: TrustedProxies::default(),
            requests,
        }
    }

    /// Counts a send or resend whose body names no `end_user_ip` as one from the client
    /// that one of `proxies` forwards for. Nobody is believed unless named here.
    ///
    /// Only for calls that end users' own devices make through these proxies. Where an
    /// auth server calls through them, the client is that server: all its sends would
    /// share the budget of one source, 20 an hour, and the rest be refused. Such a caller
    /// names `end_user_ip` itself. The address of the peer never counts, but for a trusted
    /// proxy that names no client. It is part of the request that an `Idempotency-Key`
    /// stands for: a repetition from another address is another request (422).
    ///
    /// It needs the server to note the peer of a connection
    /// (`into_make_service_with_connect_info::<SocketAddr>()`).
    #[must_use]
    pub fn end_user_from_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.end_user_proxies = proxies;
        self
    }

    /// Raises an alarm when more guesses fail than this, over all destinations that this
    /// process answers for: a warning in the log, and `countersign_failure_alarms_total`, once
    /// a minute while it lasts. Without a limit there is none; at first it is 100 in 60 s.
    #[must_use]
    pub fn failure_alarm(mut self, limit: Option<Limit>) -> Self {
        self.failures = Arc::new(FailureAlarm::new(limit));
        self
    }

    /// The routes under `/v1/verify`. Each needs a [`Caller`](crate::Caller) in the
    /// request's extensions, or answers 401.
    pub fn router(&self) -> Router {
        Router::new()
            .route(Call::Send.path(), on(Call::Send, send))
            .route(Call::Start.path(), on(Call::Start, send))
            .route(Call::Check.path(), on(Call::Check, check))
            .route(Call::Resend.path(), on(Call::Resend, resend))
            .route(Call::Status.path(), on(Call::Status, status))
            .route(Call::Cancel.path(), on(Call::Cancel, cancel))
            .route(Call::Reset.path(), on(Call::Reset, reset))
            .route(Call::Destination.path(), on(Call::Destination, destination))
            .method_not_allowed_fallback(|| async { no_method() })
            .with_state(Arc::new(self.clone()))
    }

    /// How many calls and deliveries are under way that nobody waits for: their callers have
    /// hung up or were answered. A server counts them with those it is answering when it
    /// bounds what it does at once.
    #[must_use]
    pub fn under_way_alone(&self) -> usize {
        self.tasks.alone()
    }

    /// Waits until what was begun is done: deliveries in the background, and calls whose
    /// callers have hung up. Call it after the listener has stopped, with a time-out.
    pub async fn drain(&self) {
        self.tasks.drained().await;
    }

    /// Reads a request, and runs its call to its end: a caller that hangs up must not cut
    /// a delivery in two, nor take others down who wait for the same record.
    ///
    /// The head is read before the future is made, which would be three times as large with
    /// the request in it.
    fn serve<F, R>(
        self: Arc<Self>,
        call: Call,
        session: Option<String>,
        request: Request,
        run: F,
    ) -> impl Future<Output = Response> + Send
    where
        F: FnOnce(Arc<Self>, Ask) -> R + Send + 'static,
        R: Future<Output = Result<Reply, Problem>> + Send + 'static,
    {
        let (watch, name) = (Stopwatch::start(), call.name());
        let id = self.requests.next_id();
        let (tenant, to) = (field::Empty, field::Empty);
        let span = tracing::info_span!("call", call = name, request_id = id.as_str(), tenant, to);
        let client = self
            .end_user_proxies
            .client(request.extensions(), request.headers());
        let head = span.in_scope(|| Head::read(call, session, request));
        let served = async move {
            let asked = match head {
                Ok(head) => head.with_body().await,
                Err(problem) => Err(problem),
            };
            let mut ask = match asked {
                Ok(ask) => ask,
                Err(problem) => return finish(name, watch, Err(problem)),
            };
            ask.client = client;
            let tasks = self.tasks.clone();
            let work = async move { finish(name, watch, run(self, ask).await) };
            let done = tasks.run(work).await;
            done.unwrap_or_else(|_| panicked(name, watch))
        };
        let served = served.instrument(span);
        async move { numbered(served.await, id) }
    }
}

impl Reply {
    pub(crate) fn new(outcome: &'static str, response: Response) -> Self {
        Self { response, outcome }
    }

    pub(crate) fn empty(outcome: &'static str) -> Self {
        Self::new(outcome, StatusCode::NO_CONTENT.into_response())
    }
}

impl Requests {
    pub(crate) fn next_id(&self) -> String {
        let mut id = String::with_capacity(self.process.len() + 16);
        id.push_str(&self.process);
        // Writing to a `String` cannot fail.
        let _ = write!(id, "{:x}", self.next.fetch_add(1, Ordering::Relaxed));
        id
    }
}

/// The answer with its request's number.
pub(crate) fn numbered(mut response: Response, id: String) -> Response {
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Writes the one line about a call.
pub(crate) fn finish(
    call: &'static str,
    watch: Stopwatch,
    result: Result<Reply, Problem>,
) -> Response {
    let (outcome, response) = match result {
        Ok(reply) => (reply.outcome, reply.response),
        Err(problem) => (problem.kind.name(), problem.into_response()),
    };
    let status = response.status().as_u16();
    let took = watch.elapsed();
    metrics::answered(call, status, took);
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(parent: &Span::current(), status, outcome, millis, "answered");
    response
}

/// Work that ended without a result: a bug. Nobody is told that a code was right.
fn panicked(call: &'static str, watch: Stopwatch) -> Response {
    let problem = Problem::new(ProblemKind::Internal, "the call ended without a result");
    finish(call, watch, Err(problem))
}

/// A call's method, and its way to `run`; a session where its path names one.
fn on<F, R>(call: Call, run: F) -> MethodRouter<Arc<Api>>
where
    F: Fn(Arc<Api>, Ask) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    let serve = move |State(api): State<Arc<Api>>, session: Named, request: Request| {
        let session = session.ok().map(|Path(id)| id);
        api.serve(call, session, request, run)
    };
    match call.method() {
        "get" => get(serve),
        "delete" => delete(serve),
        _ => post(serve),
    }
}

/// What a path names; nothing where that is no text.
type Named = Result<Path<String>, PathRejection>;
