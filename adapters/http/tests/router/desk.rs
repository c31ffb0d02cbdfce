//! A whole API on a desk: store, clock, recorder, keys, router.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use countersign::{
    Builder, Channel, Clock, Deliverer, FakeClock, KeyRing, MemoryStore, Recorder, SessionStore,
    Tenant, Timestamp, Verifier,
};
use countersign_http::{
    Api, ApiKeys, JwtVerifier, Scope, Scopes, StaticKey, TrustedProxies, activation_router,
    public_router,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::conforms::assert_documented;

pub(crate) const JWT_SECRET: &[u8; 32] = b"a secret of exactly 32 bytes ...";

pub(crate) struct Desk {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) keys: ApiKeys,
    pub(crate) jwt: JwtVerifier,
    pub(crate) api: Api,
    pub(crate) key: String,
    pub(crate) verifier: Verifier,
    router: Router,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let (clock, store) = Self::memory();
        Self::on(clock, store, &Channel::ALL)
    }

    /// A memory store on a clock that stands still.
    pub(crate) fn memory() -> (Arc<FakeClock>, Arc<dyn SessionStore>) {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        (clock, Arc::new(store))
    }

    pub(crate) fn on(
        clock: Arc<FakeClock>,
        store: Arc<dyn SessionStore>,
        channels: &[Channel],
    ) -> Self {
        let alike = |recorder: &Arc<Recorder>| Arc::clone(recorder) as _;
        Self::with(clock, store, channels, alike, |api| api)
    }

    /// With another deliverer around the recorder, and with changes to the API.
    pub(crate) fn with(
        clock: Arc<FakeClock>,
        store: Arc<dyn SessionStore>,
        channels: &[Channel],
        around: impl FnOnce(&Arc<Recorder>) -> Arc<dyn Deliverer>,
        change: impl FnOnce(Api) -> Api,
    ) -> Self {
        Self::built(clock, store, channels, around, |builder| builder, change)
    }

    /// With test destinations, say.
    pub(crate) fn built(
        clock: Arc<FakeClock>,
        store: Arc<dyn SessionStore>,
        channels: &[Channel],
        around: impl FnOnce(&Arc<Recorder>) -> Arc<dyn Deliverer>,
        finish: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(Api) -> Api,
    ) -> Self {
        let recorder = Arc::new(Recorder::new());
        let deliverer = around(&recorder);
        let mut builder = Verifier::builder(KeyRing::generate().unwrap(), store);
        for channel in channels {
            builder = builder.deliverer(*channel, Arc::clone(&deliverer));
        }
        Self::of(clock, recorder, finish(builder).build().unwrap(), change)
    }

    /// Around a verifier that delivers to the recorder.
    pub(crate) fn of(
        clock: Arc<FakeClock>,
        recorder: Arc<Recorder>,
        verifier: Verifier,
        change: impl FnOnce(Api) -> Api,
    ) -> Self {
        let tenant = Tenant::new("acme").unwrap();
        let (key, fixed) = StaticKey::draw(tenant, Scopes::ALL).unwrap();
        let keys = ApiKeys::builder(verifier.clone())
            .static_keys([fixed])
            .trusted_proxies(TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]))
            .clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .build();
        let jwt = JwtVerifier::hs256(JWT_SECRET)
            .unwrap()
            .audience("dashboard")
            .clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let api = change(Api::new(verifier.clone()));
        let endpoint = "http://127.0.0.1:8080/v1/verify".to_owned();
        let activation = activation_router(keys.clone(), jwt.clone(), endpoint);
        let router = public_router(&api, &keys, Some(activation));
        Self {
            clock,
            recorder,
            keys,
            jwt,
            api,
            key: key.reveal().to_owned(),
            verifier,
            router,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.raw(path, body.to_string()).await
    }

    pub(crate) async fn raw(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path)
            .header("x-api-key", &self.key)
            .header("content-type", "application/json");
        self.call(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("x-api-key", &self.key);
        self.call(request.body(Body::empty()).unwrap()).await
    }

    /// Posts with another key than the desk's own, from `peer`.
    pub(crate) async fn post_as(&self, key: &str, peer: &str, path: &str, body: &Value) -> Answer {
        let mut request = Request::post(path)
            .header("x-api-key", key)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        self.call(request).await
    }

    /// Calls, holds the answer against the document, and looks for codes in it.
    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        };
        assert_documented(method.as_str(), &path, &answer);
        self.assert_no_code(&format!("{text} {:?}", answer.headers));
        answer
    }

    pub(crate) async fn send(&self, channel: &str, to: &str) -> String {
        let sent = self
            .post("/v1/verify/send", &json!({"to": to, "channel": channel}))
            .await;
        assert_eq!(sent.status, 200, "{sent:?}");
        sent.text("session_id")
    }

    pub(crate) async fn check(&self, session_id: &str, code: &str) -> Answer {
        let body = json!({"session_id": session_id, "code": code});
        self.post("/v1/verify/check", &body).await
    }

    pub(crate) fn code(&self) -> String {
        self.recorder.last_code().unwrap()
    }

    /// A code of as many digits that is not the last one.
    pub(crate) fn wrong_code(&self) -> String {
        let right = self.code();
        let first = if right.starts_with('1') { "2" } else { "1" };
        format!("{first}{}", &right[1..])
    }

    pub(crate) async fn new_key(&self, tenant: &str, scopes: &[Scope]) -> (String, String) {
        let tenant = Tenant::new(tenant).unwrap();
        let key = self
            .keys
            .create(&tenant, scopes.iter().copied().collect())
            .await
            .unwrap();
        (key.kid().to_owned(), key.reveal().to_owned())
    }

    /// The keys as another server on the same store knows them.
    pub(crate) fn elsewhere(&self) -> ApiKeys {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        ApiKeys::builder(self.verifier.clone()).clock(clock).build()
    }

    /// A38: no word of the answer is a code that was sent.
    fn assert_no_code(&self, answer: &str) {
        let words: Vec<_> = answer.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for message in self.recorder.messages() {
            assert!(
                !words.contains(&message.code.as_str()),
                "a code is in an answer"
            );
        }
    }
}

impl Answer {
    pub(crate) fn text(&self, member: &str) -> String {
        self.body[member]
            .as_str()
            .unwrap_or_else(|| panic!("no {member}: {self:?}"))
            .to_owned()
    }

    pub(crate) fn problem(&self) -> String {
        let uri = self.text("type");
        uri.strip_prefix("urn:countersign:problem:")
            .unwrap()
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
