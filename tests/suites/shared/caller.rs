//! Somebody who calls all servers with one API key.

use std::sync::Arc;

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::fleet::Session;
use super::held::Gate;

/// One HTTP/2 connection to each server.
#[derive(Clone)]
pub(crate) struct Caller {
    ways: Arc<[(Client, String)]>,
    key: String,
}

/// What came of a guess, as far as its caller can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Verified,
    WrongCode {
        left: u64,
    },
    TooManyAttempts,
    AlreadyUsed,
    Expired,
    Throttled,
    Locked,
    /// No such session for this tenant and purpose.
    NotFound,
    /// The server could not be reached: it never had the request.
    Unreached,
    /// The server died over it: it may have been charged or approved.
    Lost,
}

impl Caller {
    pub(crate) fn new(servers: impl Iterator<Item = String>, key: &str) -> Self {
        let way = |base| {
            let client = crate::parts::http_builder()
                .http2_prior_knowledge()
                .pool_max_idle_per_host(1);
            (client.build().expect("a client"), base)
        };
        Self {
            ways: servers.map(way).collect(),
            key: key.to_owned(),
        }
    }

    /// The public part of the key.
    pub(crate) fn kid(&self) -> &str {
        let kid = self.key.split('_').nth(2);
        kid.expect("countersign_verify_<kid>_…")
    }

    pub(crate) async fn post(&self, at: usize, path: &str, body: &Value) -> reqwest::Result<Value> {
        let response = self.request(at, "POST", path).json(body).send().await?;
        response.json().await
    }

    /// A call as it is on the wire of HTTP/1, and the address to which it goes.
    pub(crate) fn on_the_wire(&self, at: usize, path: &str, body: &Value) -> (String, String) {
        let (address, body) = (self.ways[at].1.replace("http://", ""), body.to_string());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nx-api-key: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        (request, address)
    }

    /// Sends by SMS or the channel among more fields, and gives the whole answer.
    pub(crate) async fn send(&self, at: usize, to: &str, more: Value) -> Value {
        let mut body = more;
        body["to"] = json!(to);
        if body["channel"].is_null() {
            body["channel"] = json!("sms");
        }
        let sent = self.post(at, "/v1/verify/send", &body).await;
        sent.expect("the server answers")
    }

    /// A send with an idempotency key: the answer's status and body.
    pub(crate) async fn send_once(&self, at: usize, to: &str, key: &str) -> (u16, Value) {
        let answer = self.try_send_once(at, to, key).await;
        answer.expect("the server answers")
    }

    /// The same; none if the server dies over it.
    pub(crate) async fn try_send_once(
        &self,
        at: usize,
        to: &str,
        key: &str,
    ) -> Option<(u16, Value)> {
        let body = json!({ "to": to, "channel": "sms" });
        let request = self.request(at, "POST", "/v1/verify/send").json(&body);
        let response = request.header("idempotency-key", key).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.ok()?))
    }

    /// The HTTP status of a send by SMS with more fields, and its `Retry-After` in seconds.
    pub(crate) async fn send_status(&self, at: usize, to: &str, more: Value) -> (u16, Option<u64>) {
        let mut body = more;
        (body["to"], body["channel"]) = (json!(to), json!("sms"));
        let request = self.request(at, "POST", "/v1/verify/send").json(&body);
        let response = request.send().await.expect("the server answers");
        let after = response.headers().get("retry-after");
        let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
        (response.status().as_u16(), after)
    }

    /// The HTTP status of a harmless call.
    pub(crate) async fn status_code(&self, at: usize) -> u16 {
        let unknown = format!("/v1/verify/status/sess_{}", "A".repeat(23));
        let response = self.request(at, "GET", &unknown).send().await;
        response.expect("the server answers").status().as_u16()
    }

    /// Resends a session, and gives the whole answer.
    pub(crate) async fn resend(&self, at: usize, session: &Session) -> Value {
        let body = json!({ "session_id": session.id, "to": session.to });
        let sent = self.post(at, "/v1/verify/resend", &body).await;
        sent.expect("the server answers")
    }

    /// Ends a session, and gives the HTTP status.
    pub(crate) async fn cancel(&self, at: usize, session: &str) -> reqwest::Result<u16> {
        let path = format!("/v1/verify/sessions/{session}");
        let response = self.request(at, "DELETE", &path).send().await?;
        Ok(response.status().as_u16())
    }

    /// Guesses at a server.
    pub(crate) async fn check(&self, at: usize, session: &Session, guess: &str) -> Answer {
        self.check_with(at, session, guess, &json!({})).await
    }

    /// The same, with more fields.
    pub(crate) async fn check_with(
        &self,
        at: usize,
        session: &Session,
        guess: &str,
        more: &Value,
    ) -> Answer {
        let mut body = more.clone();
        (body["session_id"], body["code"]) = (json!(session.id), json!(guess));
        self.judge(at, serde_json::to_vec(&body).expect("JSON").into())
            .await
    }

    /// Guesses at a server; none if it answers that its store does not (503).
    pub(crate) async fn try_check(
        &self,
        at: usize,
        session: &Session,
        guess: &str,
    ) -> Option<Answer> {
        let body = json!({ "session_id": session.id, "code": guess });
        let answer = self.post(at, "/v1/verify/check", &body).await;
        let answer = answer.expect("the server answers");
        (answer["status"] != 503).then(|| judged(at, &answer))
    }

    /// Types a session's code in a request whose last byte waits at a gate.
    pub(crate) async fn check_held(&self, at: usize, session: &Session, gate: &Gate) -> Answer {
        let body = json!({ "session_id": session.id, "code": session.code });
        self.judge(at, gate.hold(body.to_string().as_bytes())).await
    }

    async fn judge(&self, at: usize, body: reqwest::Body) -> Answer {
        let request = self.request(at, "POST", "/v1/verify/check").body(body);
        let request = request.header("content-type", "application/json");
        let answer: Value = match request.send().await {
            Ok(response) if response.status() == 404 => return Answer::NotFound,
            Ok(response) => match response.json().await {
                Ok(answer) => answer,
                Err(_) => return Answer::Lost,
            },
            Err(error) if error.is_connect() => return Answer::Unreached,
            Err(_) => return Answer::Lost,
        };
        judged(at, &answer)
    }

    /// All these guesses at once, spread over all servers, one connection to each, and their
    /// answers. Each lacks its last byte until all of them are there.
    pub(crate) async fn check_at_once(
        &self,
        session: &Session,
        guesses: impl IntoIterator<Item = String>,
    ) -> Vec<Answer> {
        let guesses: Vec<_> = guesses.into_iter().collect();
        let gate = Gate::of(guesses.len());
        let guess = |(n, guess): (usize, &String)| {
            let body = json!({ "session_id": session.id, "code": guess });
            let body = gate.hold(body.to_string().as_bytes());
            let (caller, at) = (self.clone(), n % self.ways.len());
            tokio::spawn(async move { caller.judge(at, body).await })
        };
        let tasks: Vec<_> = guesses.iter().enumerate().map(guess).collect();
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            answers.push(task.await.expect("no panic"));
        }
        answers
    }

    /// Wrong guesses that were charged to a destination since its last success, as its
    /// operator sees them.
    pub(crate) async fn charged(&self, session: &Session) -> u64 {
        let seen = self.destination(&session.to).await;
        let failures = seen["open"]["failures_in_a_row"].as_u64();
        failures.unwrap_or_else(|| panic!("no count: {seen}"))
    }

    /// How many sessions a destination has.
    pub(crate) async fn sessions(&self, to: &str) -> usize {
        let seen = self.destination(to).await;
        let sessions = seen["sessions"].as_array();
        sessions
            .unwrap_or_else(|| panic!("no sessions: {seen}"))
            .len()
    }

    /// The same caller, who knows but one of the servers.
    pub(crate) fn only(&self, at: usize) -> Self {
        Self {
            ways: Arc::from([self.ways[at].clone()]),
            key: self.key.clone(),
        }
    }

    /// A destination as its operator sees it.
    async fn destination(&self, to: &str) -> Value {
        let path = format!("/v1/verify/destination?to={}", to.replace('+', "%2B"));
        let response = self.request(0, "GET", &path).send().await;
        response.expect("an answer").json().await.expect("JSON")
    }

    fn request(&self, at: usize, method: &str, path: &str) -> RequestBuilder {
        let (client, base) = &self.ways[at];
        client
            .request(method.parse().expect("a method"), format!("{base}{path}"))
            .header("x-api-key", &self.key)
    }
}

/// What a server answered to a guess.
fn judged(at: usize, answer: &Value) -> Answer {
    let left = answer["attempts_remaining"].as_u64();
    match answer["reason"].as_str() {
        None if answer["status"] == "verified" => Answer::Verified,
        Some("wrong_code") => Answer::WrongCode {
            left: left.expect("a number"),
        },
        Some("too_many_attempts") => Answer::TooManyAttempts,
        Some("already_used") => Answer::AlreadyUsed,
        Some("expired") => Answer::Expired,
        Some("throttled") => Answer::Throttled,
        Some("locked") => Answer::Locked,
        _ => panic!("guess at server {at}: {answer}"),
    }
}

/// A code of the same form that is not this one: the n-th of them.
pub(crate) fn wrong(code: &str, n: usize) -> String {
    let right: usize = code.parse().expect("digits");
    format!("{:06}", (right + 1 + n) % 1_000_000)
}

/// How many of these answers are this one.
pub(crate) fn count(answers: &[Answer], wanted: Answer) -> usize {
    answers.iter().filter(|answer| **answer == wanted).count()
}
