//! A verifier on an SQLite file, with keys that outlive a process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Channel, CheckError, CheckRequest, Clock, Destination, KeyRing, Policy, Recorder, Secret,
    SendError, SendRequest, SystemClock, Tenant, Verdict, Verifier,
};
use countersign_sqlite::{Options, SqliteStore};

/// One verifier, what it has sent, and its tenant.
pub(crate) struct Bench {
    pub(crate) verifier: Verifier,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) tenant: Tenant,
}

/// An open session and the code that its person was sent.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) code: String,
}

impl Session {
    /// A code of the right form that is not the right one.
    pub(crate) fn wrong(&self) -> String {
        let first = if self.code.starts_with('0') { "1" } else { "0" };
        self.code.replacen(|_: char| true, first, 1)
    }
}

pub(crate) fn options(clock: Arc<dyn Clock>) -> Options {
    let mut options = Options::default();
    options.clock = clock;
    options.busy_timeout = Duration::from_millis(250);
    // The log is copied back every thousand records: so that short loads see it.
    options.wal_limit = 8 << 20;
    options
}

impl Bench {
    /// On the system's clock, and patient with locks.
    pub(crate) fn open(path: &Path) -> Self {
        let mut options = options(Arc::new(SystemClock::default()));
        options.busy_timeout = Duration::from_secs(10);
        Self::with(SqliteStore::open(path, &options).unwrap())
    }

    pub(crate) fn on_clock(path: &Path, clock: Arc<dyn Clock>) -> Self {
        Self::with(SqliteStore::open(path, &options(clock)).unwrap())
    }

    fn with(store: SqliteStore) -> Self {
        let secret = |byte| Secret::new(vec![byte; 32]).unwrap();
        let keys = KeyRing::new(&secret(1), &[secret(2)]).unwrap();
        let (store, recorder) = (Arc::new(store), Arc::new(Recorder::new()));
        let verifier = Verifier::builder(keys, store.clone())
            .policy(Policy::for_console())
            .deliverer(Channel::Email, recorder.clone())
            .build()
            .unwrap();
        Self {
            verifier,
            store,
            recorder,
            tenant: Tenant::new("acme").unwrap(),
        }
    }

    /// Opens a session for a person of this name.
    pub(crate) async fn send(&self, name: &str) -> Result<Session, SendError> {
        let to = format!("{name}@example.com");
        let destination = Destination::parse(Channel::Email, &to).unwrap();
        let request = SendRequest::new(&self.tenant, Channel::Email, &destination);
        let id = self.verifier.send(&request).await?.session_id.to_string();
        let code = self.recorder.last_code_to(&to).unwrap();
        Ok(Session { id, code })
    }

    pub(crate) async fn check(&self, id: &str, code: &str) -> Result<Verdict, CheckError> {
        self.verifier
            .check(&CheckRequest::new(&self.tenant, id, code))
            .await
    }

    /// How many attempts are left, if the session is there.
    pub(crate) async fn left(&self, id: &str) -> Option<u8> {
        let seen = self.verifier.status(&self.tenant, id).await.unwrap();
        seen.map(|seen| seen.attempts_remaining)
    }
}

/// Lets a call queue its work, without waiting for the answer.
pub(crate) async fn poll_once<F: Future + Unpin>(call: &mut F) {
    std::future::poll_fn(|context| {
        let answered = std::pin::Pin::new(&mut *call).poll(context).is_ready();
        assert!(!answered, "the call should have waited");
        std::task::Poll::Ready(())
    })
    .await;
}
