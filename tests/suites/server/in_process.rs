//! What takes time, without waiting: the router on a real listener, on a clock that the
//! test moves, over the memory store and over SQLite.

use std::sync::Arc;

use axum::Extension;
use countersign::{
    Channel, Clock, FakeClock, KeyRing, MemoryStore, Recorder, SessionStore, Tenant, Timestamp,
    Verifier,
};
use countersign_http::{Api as Calls, Caller, Scopes};
use countersign_sqlite::{Options, SqliteStore};
use serde_json::json;
use tempfile::TempDir;

use crate::api::Api;
use crate::page::wrong;
use crate::witness;

struct Place {
    clock: Arc<FakeClock>,
    recorder: Arc<Recorder>,
    api: Api,
    _folder: TempDir,
}

impl Place {
    async fn memory() -> Self {
        Self::of(|clock, _| Arc::new(MemoryStore::with_clock(clock))).await
    }

    async fn sqlite() -> Self {
        Self::of(|_, folder| {
            let store = SqliteStore::open(folder.path().join("test.db"), &Options::default());
            Arc::new(store.expect("the file opens"))
        })
        .await
    }

    async fn of(store: impl FnOnce(Arc<dyn Clock>, &TempDir) -> Arc<dyn SessionStore>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let recorder = Arc::new(Recorder::new());
        let store = store(clock.clone(), &folder);
        let verifier = Verifier::builder(KeyRing::generate().expect("randomness"), store)
            .clock(clock.clone())
            .deliverer(Channel::Email, recorder.clone())
            .deliverer(Channel::Sms, recorder.clone())
            .build()
            .expect("the default policy");
        let caller = Caller::new(Tenant::new("acme").expect("a name"), Scopes::ALL);
        let router = Calls::new(verifier).router().layer(Extension(caller));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            clock,
            recorder,
            api: Api::new(&base, "none"),
            _folder: folder,
        }
    }

    async fn sent(&self, to: &str) -> (String, String) {
        let session = self.api.send("email", to).await.session();
        (session, self.code())
    }

    fn code(&self) -> String {
        let code = self.recorder.last_code().expect("a message");
        witness::code(&code);
        code
    }

    async fn codes_expire(&self) {
        let (api, clock) = (&self.api, &self.clock);
        let (in_time, code) = self.sent("a@example.com").await;
        clock.advance_millis(299_999);
        assert!(api.check(&in_time, &code).await.is_verified());
        for late in [300_000, 300_001, 3_600_000] {
            clock.advance_secs(7200);
            let (session, code) = self.sent("b@example.com").await;
            clock.advance_millis(late.min(600_000));
            let answer = api.check(&session, &code).await;
            assert_eq!(answer.reason(), "expired");
            assert_eq!(answer.number_of("attempts_remaining"), Some(0));
            assert_eq!(api.status(&session).await.text_of("status"), "expired");
        }
    }

    async fn resends_keep_attempts_and_kill_the_old_code(&self) {
        let (api, clock) = (&self.api, &self.clock);
        let (session, first) = self.sent("c@example.com").await;
        api.check(&session, &wrong(&first)).await.reason();
        clock.advance_secs(30);
        let other = json!({ "session_id": session, "to": "other@example.com" });
        api.post("/v1/verify/resend", &other).await.problem(404);
        let body = json!({ "session_id": session, "to": "c@example.com" });
        let resent = api.post("/v1/verify/resend", &body).await;
        assert_eq!(resent.session(), session);
        assert_eq!(resent.number_of("attempts_remaining"), Some(4));
        let second = self.code();
        assert_eq!(self.recorder.len(), 2);
        if first != second {
            assert_eq!(api.check(&session, &first).await.reason(), "wrong_code");
        }
        assert!(api.check(&session, &second).await.is_verified());
    }

    async fn sends_are_limited_and_the_wait_is_told(&self) {
        let (api, clock) = (&self.api, &self.clock);
        for _ in 0..5 {
            let (session, code) = self.sent("d@example.com").await;
            assert!(api.check(&session, &code).await.is_verified());
        }
        let sent = self.recorder.len();
        let refused = api.send("email", "D+tag@example.com").await;
        assert_eq!(refused.problem(429)["limit"], "destination_sends");
        let wait: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((599..=601).contains(&wait), "{wait}");
        assert_eq!(self.recorder.len(), sent);
        clock.advance_secs(wait);
        self.sent("d@example.com").await;
    }
}

#[tokio::test]
async fn a19_a_code_is_refused_from_its_last_moment_on_memory() {
    Place::memory().await.codes_expire().await;
}

#[tokio::test]
async fn a19_a_code_is_refused_from_its_last_moment_on_sqlite() {
    Place::sqlite().await.codes_expire().await;
}

#[tokio::test]
async fn a13_a_resend_keeps_the_attempts_and_kills_the_old_code_on_memory() {
    Place::memory()
        .await
        .resends_keep_attempts_and_kill_the_old_code()
        .await;
}

#[tokio::test]
async fn a13_a_resend_keeps_the_attempts_and_kills_the_old_code_on_sqlite() {
    Place::sqlite()
        .await
        .resends_keep_attempts_and_kill_the_old_code()
        .await;
}

#[tokio::test]
async fn a47_sends_are_limited_and_the_wait_is_told_on_memory() {
    Place::memory()
        .await
        .sends_are_limited_and_the_wait_is_told()
        .await;
}

#[tokio::test]
async fn a47_sends_are_limited_and_the_wait_is_told_on_sqlite() {
    Place::sqlite()
        .await
        .sends_are_limited_and_the_wait_is_told()
        .await;
}
