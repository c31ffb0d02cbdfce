//! A verifier on one store, with its clock and its messages in the test's hands.

use std::future::Future;
use std::sync::Arc;

use countersign::{
    Channel, CheckError, CheckRequest, Destination, FakeClock, KeyRing, MemoryStore, Policy,
    Recorder, ResendRequest, SendError, SendRequest, Sent, SessionStore, Tenant, Timestamp,
    Verdict, Verifier,
};
use countersign_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// The stores that every row is run on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
}

pub(crate) const STORES: [Kind; 2] = [Kind::Memory, Kind::Sqlite];

/// One deployment.
pub(crate) struct Bench {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) inbox: Arc<Recorder>,
    pub(crate) tenant: Tenant,
    _folder: TempDir,
}

impl Bench {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::with(kind, Policy::default())
    }

    pub(crate) fn with(kind: Kind, policy: Policy) -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let folder = TempDir::new().unwrap();
        let store: Arc<dyn SessionStore> = match kind {
            Kind::Memory => Arc::new(MemoryStore::with_clock(clock.clone())),
            Kind::Sqlite => {
                let mut options = Options::default();
                options.clock = clock.clone();
                Arc::new(SqliteStore::open(folder.path().join("attacks.db"), &options).unwrap())
            }
        };
        let inbox = Arc::new(Recorder::new());
        let mut builder = Verifier::builder(KeyRing::generate().unwrap(), store).policy(policy);
        for channel in Channel::ALL {
            builder = builder.deliverer(channel, inbox.clone());
        }
        let tenant = Tenant::new("acme").unwrap();
        Self {
            verifier: builder.build().unwrap(),
            clock,
            inbox,
            tenant,
            _folder: folder,
        }
    }

    /// A session and its code.
    pub(crate) async fn send(&self, to: &str) -> Result<(Sent, String), SendError> {
        let to = Destination::parse_any(to).unwrap();
        let channel = if to.is_reached_by(Channel::Email) {
            Channel::Email
        } else {
            Channel::Sms
        };
        let sent = self
            .verifier
            .send(&SendRequest::new(&self.tenant, channel, &to))
            .await?;
        Ok((sent, self.inbox.last_code().unwrap()))
    }

    pub(crate) async fn resend(&self, sent: &Sent, to: &str) -> Result<String, SendError> {
        let to = Destination::parse_any(to).unwrap();
        let request = ResendRequest::new(&self.tenant, sent.session_id, &to);
        self.verifier.resend(&request).await?;
        Ok(self.inbox.last_code().unwrap())
    }

    pub(crate) async fn check(&self, sent: &Sent, code: &str) -> Verdict {
        self.try_check(sent, code).await.unwrap()
    }

    pub(crate) async fn try_check(&self, sent: &Sent, code: &str) -> Result<Verdict, CheckError> {
        let id = sent.session_id.to_string();
        self.verifier
            .check(&CheckRequest::new(&self.tenant, &id, code))
            .await
    }
}

/// A code of the same form that is not this one: the n-th of them.
pub(crate) fn wrong(code: &str, n: u32) -> String {
    let right: u32 = code.parse().unwrap();
    format!("{:06}", (right + 1 + n) % 1_000_000)
}

/// How a count of verdicts is told apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Guesses that were compared: wrong ones, and approvals.
    pub(crate) compared: u32,
    /// Approvals.
    pub(crate) approved: u32,
}

impl Tally {
    /// Counts a verdict. `Exhausted` is a comparison only for the guess that used the
    /// last attempt: the caller adds that one where a session ends.
    pub(crate) fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Verified { .. } => {
                self.compared += 1;
                self.approved += 1;
            }
            Verdict::WrongCode { .. } => self.compared += 1,
            _ => {}
        }
    }
}

/// Runs a row on real threads, on every store.
pub(crate) fn on_every_store<F: Future<Output = ()>>(row: impl Fn(Kind) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap();
    for kind in STORES {
        runtime.block_on(row(kind));
    }
}

/// Rounds of a race: many in memory, fewer on a disk, all of them in the long suite.
pub(crate) fn rounds(kind: Kind) -> u32 {
    match (std::env::var_os("COUNTERSIGN_LONG").is_some(), kind) {
        (true, _) | (false, Kind::Memory) => 1000,
        (false, Kind::Sqlite) => 100,
    }
}
