//! One process of a deployment, on a clock and with keys of its own.

use std::sync::Arc;

use countersign::{
    Channel, CheckRequest, Destination, FakeClock, KeyRing, Recorder, Secret, SendError,
    SendRequest, SessionStore, Tenant, Timestamp, Verdict, Verifier,
};

use super::timed::Timed;

/// Where the clocks begin.
pub(crate) const BEGIN: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) struct Desk {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) inbox: Arc<Recorder>,
    pub(crate) tenant: Tenant,
}

impl Desk {
    pub(crate) fn new(store: &Arc<dyn SessionStore>, keys: KeyRing) -> Self {
        let clock = Arc::new(FakeClock::at(BEGIN));
        let timed = Timed::over(Arc::clone(store), Arc::clone(&clock));
        Self::with(Arc::new(timed), keys, clock)
    }

    /// One that has no clock, as servers have none: the store's own decides.
    pub(crate) fn of_the_store_s_time(store: &Arc<dyn SessionStore>) -> Self {
        let unused = Arc::new(FakeClock::at(BEGIN));
        Self::with(Arc::clone(store), ring(), unused)
    }

    fn with(store: Arc<dyn SessionStore>, keys: KeyRing, clock: Arc<FakeClock>) -> Self {
        let inbox = Arc::new(Recorder::new());
        let verifier = Verifier::builder(keys, store)
            .deliverer(Channel::Sms, Arc::clone(&inbox) as _)
            .deliverer(Channel::Email, Arc::clone(&inbox) as _)
            .build();
        Self {
            verifier: verifier.unwrap(),
            clock,
            inbox,
            tenant: Tenant::new("acme").unwrap(),
        }
    }

    /// So many milliseconds before or after the beginning.
    pub(crate) fn at(&self, millis: i64) -> &Self {
        let now = BEGIN.as_millis().checked_add_signed(millis);
        self.clock.set(Timestamp::from_millis(now.unwrap()));
        self
    }

    /// A session of somebody's and its code.
    pub(crate) async fn send(&self, number: u32) -> Result<(String, String), SendError> {
        let to = person(number);
        let request = SendRequest::new(&self.tenant, Channel::Sms, &to);
        let sent = self.verifier.send(&request).await?;
        let code = self.inbox.last_code().unwrap();
        Ok((sent.session_id.to_string(), code))
    }

    pub(crate) async fn check(&self, session: &(String, String)) -> Verdict {
        self.guess(&session.0, &session.1).await
    }

    pub(crate) async fn guess(&self, id: &str, code: &str) -> Verdict {
        let request = CheckRequest::new(&self.tenant, id, code);
        self.verifier.check(&request).await.unwrap()
    }
}

/// The destination of this number.
pub(crate) fn person(number: u32) -> Destination {
    Destination::parse_any(&format!("+4740{number:06}")).unwrap()
}

/// The secret of this number: the same each time.
pub(crate) fn secret(number: u32) -> Secret {
    let bytes = (0..8).flat_map(|n| (number.wrapping_mul(0x9e37_79b9) ^ n).to_be_bytes());
    Secret::new(bytes.collect()).unwrap()
}

/// Keys that are the same each time.
pub(crate) fn ring() -> KeyRing {
    KeyRing::new(&secret(0), &[secret(1)]).unwrap()
}
