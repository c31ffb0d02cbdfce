//! A verifier over the store, and codes to use up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::{
    Channel, CheckRequest, Destination, KeyRing, Recorder, Secret, SendRequest, SessionStore,
    StoreError, Tenant, Verdict, Verifier,
};
use countersign_redis::{Options, RedisStore};

use crate::parts::redis::Redis;

/// Options with the defaults, but for what a test on a busy machine needs.
pub(crate) fn options() -> Options {
    let mut options = Options::default();
    options.timeout = Duration::from_secs(5);
    options
}

pub(crate) fn unfenced() -> Options {
    let mut options = options();
    options.fence = false;
    options
}

pub(crate) async fn connect(url: &str, options: Options) -> Arc<RedisStore> {
    Arc::new(RedisStore::connect(url, options).await.unwrap())
}

/// A session and its code.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) code: String,
}

/// Somebody who sends and checks; always with the same keys.
pub(crate) struct Desk {
    pub(crate) verifier: Verifier,
    pub(crate) tenant: Tenant,
    inbox: Arc<Recorder>,
}

impl Desk {
    pub(crate) fn over(store: Arc<dyn SessionStore>) -> Self {
        let secret = |first: u8| Secret::new((first..first + 32).collect()).unwrap();
        let keys = KeyRing::new(&secret(0), &[secret(100)]).unwrap();
        let inbox = Arc::new(Recorder::new());
        let verifier = Verifier::builder(keys, store)
            .deliverer(Channel::Email, Arc::clone(&inbox) as _)
            .build()
            .unwrap();
        Self {
            verifier,
            tenant: Tenant::new("acme").unwrap(),
            inbox,
        }
    }

    /// Sends so many codes, each to somebody else.
    pub(crate) async fn send(&self, codes: usize) -> Vec<Sent> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let mut sent = Vec::new();
        for _ in 0..codes {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let to = Destination::parse_any(&format!("person{n}@example.com")).unwrap();
            let request = SendRequest::new(&self.tenant, Channel::Email, &to);
            let id = self.verifier.send(&request).await.unwrap().session_id;
            let code = self.inbox.last_code().unwrap();
            sent.push(Sent {
                id: id.to_string(),
                code,
            });
        }
        sent
    }

    pub(crate) async fn check(&self, id: &str, code: &str) -> Result<Verdict, StoreError> {
        let request = CheckRequest::new(&self.tenant, id, code);
        match self.verifier.check(&request).await {
            Ok(verdict) => Ok(verdict),
            Err(countersign::CheckError::Store(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    /// Tries every code once, and counts the approvals.
    pub(crate) async fn try_all(&self, codes: &[Sent]) -> usize {
        let mut approved = 0;
        for Sent { id, code } in codes {
            approved += usize::from(self.check(id, code).await.unwrap().is_verified());
        }
        approved
    }

    /// The same with all of them at once.
    pub(crate) async fn try_all_at_once(&self, codes: &[Sent]) -> usize {
        let check = |Sent { id, code }: Sent| {
            let (verifier, tenant) = (self.verifier.clone(), self.tenant.clone());
            async move {
                let request = CheckRequest::new(&tenant, &id, &code);
                verifier.check(&request).await.unwrap().is_verified()
            }
        };
        let checks: tokio::task::JoinSet<_> = codes.iter().cloned().map(check).collect();
        checks
            .join_all()
            .await
            .into_iter()
            .filter(|one| *one)
            .count()
    }
}

/// A code that is not this one.
pub(crate) fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

/// The name of this release's library, beside that of another release which a test made up.
pub(crate) fn library(redis: &Redis) -> String {
    let listed = redis.cli(&["FUNCTION", "LIST"]);
    let ours = listed.lines().find(|line| {
        line.starts_with("countersign_") && line.len() == 20 && !line.ends_with("_00000000")
    });
    ours.unwrap().to_owned()
}
