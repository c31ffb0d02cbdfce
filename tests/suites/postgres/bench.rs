//! A verifier on a PostgreSQL store, with keys that outlive a process.

use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Channel, CheckError, CheckRequest, Destination, KeyRing, Policy, Recorder, Secret, SendError,
    SendRequest, SessionStore, Tenant, Verdict, Verifier,
};
use countersign_postgres::{Options, PostgresStore};

/// One verifier, what it has sent, and its tenant.
pub(crate) struct Bench {
    pub(crate) verifier: Verifier,
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
    /// The n-th code of the right form that is not the right one.
    pub(crate) fn wrong(&self, n: u32) -> String {
        let right: u32 = self.code.parse().unwrap();
        format!("{:06}", (right + 1 + n) % 1_000_000)
    }
}

/// Options with time-outs long enough for a slow machine.
pub(crate) fn patient() -> Options {
    let mut options = Options::default();
    options.connect_timeout = Duration::from_secs(20);
    options.acquire_timeout = Duration::from_secs(30);
    options.statement_timeout = Duration::from_secs(20);
    options
}

/// Options for servers that will not answer.
pub(crate) fn impatient() -> Options {
    let mut options = Options::default();
    options.connect_timeout = Duration::from_secs(2);
    options.acquire_timeout = Duration::from_secs(2);
    options.statement_timeout = Duration::from_secs(1);
    options
}

/// A store, opened.
pub(crate) async fn store(url: &str, options: Options) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::connect(url, options).await.unwrap())
}

impl Bench {
    pub(crate) async fn open(url: &str) -> Self {
        Self::on(store(url, patient()).await, Policy::for_console())
    }

    /// All benches have the same keys: a code sent by one can be checked by another.
    pub(crate) fn on(store: Arc<dyn SessionStore>, policy: Policy) -> Self {
        let secret = |byte| Secret::new(vec![byte; 32]).unwrap();
        let keys = KeyRing::new(&secret(1), &[secret(2)]).unwrap();
        let recorder = Arc::new(Recorder::new());
        let verifier = Verifier::builder(keys, store)
            .policy(policy)
            .deliverer(Channel::Email, recorder.clone())
            .build()
            .unwrap();
        Self {
            verifier,
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
        let request = CheckRequest::new(&self.tenant, id, code);
        self.verifier.check(&request).await
    }

    /// Whether the right code is approved.
    pub(crate) async fn approves(&self, session: &Session) -> bool {
        let verdict = self.check(&session.id, &session.code).await;
        verdict.unwrap().is_verified()
    }
}
