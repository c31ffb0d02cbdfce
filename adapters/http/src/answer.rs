//! Successful answers: JSON that nobody caches, its members in the documented order.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use countersign::{Inspection, LaneView, Sent, SessionView, Verdict};
use serde::Serialize;

use crate::problem::{Problem, ProblemKind};

pub(crate) fn answer<T: Serialize>(body: &T) -> Response {
    let Ok(text) = serde_json::to_string(body) else {
        return Problem::new(ProblemKind::Internal, "the answer could not be written")
            .into_response();
    };
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Serialize)]
pub(crate) struct Activated<'a> {
    pub(crate) api_key: &'a str,
    pub(crate) endpoint: &'a str,
}

#[derive(Serialize)]
pub(crate) struct SentAnswer<'a> {
    session_id: String,
    status: &'static str,
    channel: &'static str,
    expires_in: u64,
    code_length: u8,
    alphabet: &'static str,
    resend_after: Option<u64>,
    attempts_remaining: u8,
    delivery: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_reference: Option<&'a str>,
}

impl<'a> SentAnswer<'a> {
    pub(crate) fn new(sent: &Sent, client_reference: Option<&'a str>) -> Self {
        Self {
            session_id: sent.session_id.to_string(),
            status: "sent",
            channel: sent.channel.name(),
            expires_in: sent.expires_in,
            code_length: sent.form.length(),
            alphabet: sent.form.alphabet().name(),
            resend_after: sent.resend_after,
            attempts_remaining: sent.attempts_remaining,
            delivery: sent.delivery.name(),
            client_reference,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct CheckAnswer<'a> {
    session_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_remaining: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl<'a> CheckAnswer<'a> {
    /// The answer that a verdict stands for; none where there is no such session.
    pub(crate) fn new(session_id: &'a str, verdict: &Verdict) -> Option<Self> {
        let failed = || Self {
            session_id,
            status: "failed",
            channel: None,
            attempts_remaining: Some(verdict.attempts_remaining()),
            reason: Some(verdict.reason()),
            retry_after: None,
        };
        match verdict {
            Verdict::Verified { channel } => Some(Self {
                session_id,
                status: "verified",
                channel: Some(channel.name()),
                attempts_remaining: None,
                reason: None,
                retry_after: None,
            }),
            Verdict::Throttled { retry_after, .. } => Some(Self {
                retry_after: Some(*retry_after),
                ..failed()
            }),
            Verdict::WrongCode { .. }
            | Verdict::Exhausted
            | Verdict::Malformed { .. }
            | Verdict::Expired
            | Verdict::AlreadyUsed
            | Verdict::Cancelled
            | Verdict::Undeliverable
            | Verdict::Locked { .. } => Some(failed()),
            Verdict::Unknown => None,
        }
    }
}

/// A session as its owner sees it. Times are seconds since the Unix epoch.
#[derive(Serialize)]
pub(crate) struct StatusAnswer {
    session_id: Option<String>,
    status: &'static str,
    channel: &'static str,
    delivery: &'static str,
    attempts_remaining: u8,
    sends: u8,
    code_length: u8,
    alphabet: &'static str,
    opened_at: u64,
    expires_at: u64,
}

impl StatusAnswer {
    pub(crate) fn new(session_id: Option<String>, view: &SessionView) -> Self {
        Self {
            session_id,
            status: view.status(),
            channel: view.channel.name(),
            delivery: view.delivery.name(),
            attempts_remaining: view.attempts_remaining,
            sends: view.sends,
            code_length: view.form.length(),
            alphabet: view.form.alphabet().name(),
            opened_at: view.opened_at.as_millis() / 1000,
            expires_at: view.expires_at.as_millis() / 1000,
        }
    }
}

/// A destination as an operator sees it: masked, with both lanes of its gate.
#[derive(Serialize)]
pub(crate) struct DestinationAnswer {
    destination: String,
    open: Lane,
    known_device: Lane,
    sessions: Vec<OperatorSession>,
}

#[derive(Serialize)]
struct Lane {
    sends_left: [u16; 2],
    failures_left: [u16; 2],
    failures_in_a_row: u16,
    locked: bool,
    next_send_in: u64,
    next_check_in: u64,
}

#[derive(Serialize)]
struct OperatorSession {
    #[serde(flatten)]
    session: StatusAnswer,
    decoy: bool,
    custom_code: bool,
    known_device: bool,
}

impl DestinationAnswer {
    /// `id_of` gives the public id of a session; none once its key is gone.
    pub(crate) fn new(
        destination: String,
        inspection: &Inspection,
        id_of: impl Fn(&SessionView) -> Option<String>,
    ) -> Self {
        let session = |view: &SessionView| OperatorSession {
            session: StatusAnswer::new(id_of(view), view),
            decoy: view.decoy,
            custom_code: view.custom,
            known_device: view.known_device,
        };
        Self {
            destination,
            open: Lane::new(&inspection.open),
            known_device: Lane::new(&inspection.known_device),
            sessions: inspection.sessions.iter().map(session).collect(),
        }
    }
}

impl Lane {
    fn new(view: &LaneView) -> Self {
        Self {
            sends_left: view.sends_left,
            failures_left: view.failures_left,
            failures_in_a_row: view.streak,
            locked: view.locked,
            next_send_in: view.next_send_in,
            next_check_in: view.next_check_in,
        }
    }
}
