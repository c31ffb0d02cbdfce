//! Requests through the whole router: nothing that a client writes makes it fail (5xx), send
//! twice for one request, or tell a code.
//!
//! An input is text: requests divided by lines of `---`, each a line `POST /v1/verify/send`,
//! headers, an empty line and a body. `$SESSION` and `$CODE` stand for the last ones; a line
//! `WAIT 60` moves the clock by as many seconds.
#![no_main]

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use countersign::{Clock, Tenant};
use countersign_fuzz::Desk;
use countersign_http::{Api, ApiKeys, JwtVerifier, Scopes, StaticKey};
use countersign_http::{activation_router, public_router};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const MOST_REQUESTS: usize = 8;
const SECRET: &[u8; 32] = b"a secret of exactly 32 bytes ...";

fuzz_target!(|text: &str| {
    runtime().block_on(async {
        let mut client = Client::new();
        for request in text.split("\n---\n").take(MOST_REQUESTS) {
            client.call(request).await;
        }
    });
});

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let build = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    };
    RUNTIME.get_or_init(|| build().expect("a runtime"))
}

/// A client with an API key, and the server that it calls.
struct Client {
    desk: Desk,
    router: Router,
    key: String,
    token: String,
    session: String,
}

impl Client {
    fn new() -> Self {
        let desk = Desk::new();
        let clock = || Arc::clone(&desk.clock) as Arc<dyn Clock>;
        let tenant = Tenant::new("acme").expect("a name");
        let (key, fixed) = StaticKey::draw(tenant.clone(), Scopes::ALL).expect("a key");
        let keys = ApiKeys::builder(desk.verifier.clone()).static_keys([fixed]);
        let keys = keys.clock(clock()).build();
        let jwt = JwtVerifier::hs256(SECRET).expect("long enough");
        let jwt = jwt.audience("dashboard").clock(clock());
        let token = jwt.sign(&tenant, std::time::Duration::from_secs(3600));
        let endpoint = "http://127.0.0.1:8080/v1/verify".to_owned();
        let activation = activation_router(keys.clone(), jwt, endpoint);
        let api = Api::new(desk.verifier.clone());
        Self {
            router: public_router(&api, &keys, Some(activation)),
            key: key.reveal().to_owned(),
            token: token.expect("a token"),
            session: String::new(),
            desk,
        }
    }

    async fn call(&mut self, text: &str) {
        if let Some(seconds) = text.strip_prefix("WAIT ") {
            let seconds = seconds.trim().parse::<u32>().unwrap_or_default();
            return self.desk.clock.advance_secs(seconds.into());
        }
        let code = self.desk.post.last_code().unwrap_or_default();
        let text = text
            .replace("$SESSION", &self.session)
            .replace("$CODE", &code);
        let Some(request) = self.request(&text) else {
            return;
        };
        let before = self.desk.post.len();
        let response = self.router.clone().oneshot(request).await;
        let (parts, body) = response.expect("a router answers").into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole body");
        let answer = String::from_utf8(body.to_vec()).expect("text");
        // What was begun in the background is done before anything is counted.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert!(parts.status.as_u16() < 500, "{}: {answer}", parts.status);
        let sent = self.desk.post.len() - before;
        assert!(sent <= 1, "{sent} messages for one request");
        assert!(
            sent == 0 || parts.status == 200,
            "refused, and sent: {answer}"
        );
        self.assert_no_code(&text, &answer);
        self.keep_session(&answer);
    }

    /// Shorter codes may stand in an answer by chance, and a caller's own by its own doing.
    fn assert_no_code(&self, request: &str, answer: &str) {
        for message in self.desk.post.messages() {
            let code = message.code.as_str();
            let told = code.len() >= 6 && !request.contains(code) && answer.contains(code);
            assert!(!told, "a code in an answer: {answer}");
        }
    }

    fn keep_session(&mut self, answer: &str) {
        if let Some(at) = answer.find("sess_") {
            answer
                .get(at..at + 28)
                .unwrap_or_default()
                .clone_into(&mut self.session);
        }
    }

    fn request(&self, text: &str) -> Option<Request<Body>> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, path) = lines.next()?.split_once(' ')?;
        let mut request = Request::builder().method(method).uri(path);
        let mut given = String::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            request = request.header(name, value);
            given.push_str(&name.to_ascii_lowercase());
        }
        for (name, value) in [
            ("x-api-key", self.key.as_str()),
            ("content-type", "application/json"),
            ("authorization", &format!("Bearer {}", self.token)),
        ] {
            if !given.contains(name) {
                request = request.header(name, value);
            }
        }
        request.body(Body::from(body.to_owned())).ok()
    }
}
