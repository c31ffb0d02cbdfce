//! A client of the HTTP API that shows every answer to the witness.

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::witness;

/// Calls of one API key.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
    key: String,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Api {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        Self {
            client: crate::parts::http_client(),
            base: base.to_owned(),
            key: key.to_owned(),
        }
    }

    /// The same calls over one HTTP/2 connection.
    pub(crate) fn http2(base: &str, key: &str) -> Self {
        let client = crate::parts::http_builder()
            .http2_prior_knowledge()
            .pool_max_idle_per_host(1);
        Self {
            client: client.build().expect("a client"),
            base: base.to_owned(),
            key: key.to_owned(),
        }
    }

    /// The same calls with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        self.client
            .request(method, format!("{}{path}", self.base))
            .header("x-api-key", &self.key)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request("POST", path).json(body)).await
    }

    /// A body that is not what a JSON library would write.
    pub(crate) async fn post_text(&self, path: &str, body: impl Into<String>) -> Answer {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json");
        answer(request.body(body.into())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.request("DELETE", path)).await
    }

    pub(crate) async fn send(&self, channel: &str, to: &str) -> Answer {
        self.post("/v1/verify/send", &json!({ "to": to, "channel": channel }))
            .await
    }

    pub(crate) async fn check(&self, session: &str, code: &str) -> Answer {
        let body = json!({ "session_id": session, "code": code });
        self.post("/v1/verify/check", &body).await
    }

    pub(crate) async fn status(&self, session: &str) -> Answer {
        self.get(&format!("/v1/verify/status/{session}")).await
    }
}

/// Sends a request and keeps all of its answer.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("the server answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    witness::response(&format!("{headers:?}\n{text}"));
    Answer {
        status,
        headers,
        text,
    }
}

impl Answer {
    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// A text of the body, empty if there is none.
    pub(crate) fn text_of(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_default().to_owned()
    }

    /// A number of the body.
    pub(crate) fn number_of(&self, member: &str) -> Option<u64> {
        self.json()[member].as_u64()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Passes on if the answer has this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The session of a send, which must have succeeded.
    pub(crate) fn session(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.text_of("status"), "sent", "{self:?}");
        self.text_of("session_id")
    }

    /// The reason of a failed check, which is an answer and not an error.
    pub(crate) fn reason(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.text_of("status"), "failed", "{self:?}");
        self.text_of("reason")
    }

    /// Whether the check was an approval.
    pub(crate) fn is_verified(&self) -> bool {
        self.status == 200 && self.text_of("status") == "verified"
    }

    /// That this is a problem (RFC 9457) of this status, with a type and its number.
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert!(
            self.header("content-type")
                .starts_with("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], status, "{self:?}");
        assert!(
            problem["type"].is_string() && problem["title"].is_string(),
            "{self:?}"
        );
        problem
    }
}
