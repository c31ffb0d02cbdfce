//! One tenant, one store, one inbox, on a clock that stands still.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::at_once::now;
use crate::store::{Entry, Incarnation, Loaded, Swap};
use crate::{
    Builder, Channel, CheckRequest, Clock, Destination, FakeClock, KeyRing, LimitName, MemoryStore,
    NumberPlan, Observer, PhoneNumber, Policy, Purpose, RecordKey, Recorder, ResendRequest, Secret,
    SendError, SendRequest, Sent, Served, SessionStore, SessionView, StoreError, Tenant, Timestamp,
    Unserved, Verdict, Verifier,
};

pub(super) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(super) struct Scene {
    pub(super) verifier: Verifier,
    pub(super) store: Arc<MemoryStore>,
    pub(super) inbox: Arc<Recorder>,
    pub(super) clock: Arc<FakeClock>,
    pub(super) tenant: Tenant,
    pub(super) to: Destination,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(super) fn with_policy(change: impl FnOnce(&mut Policy)) -> Self {
        let mut policy = Policy::default();
        change(&mut policy);
        Self::with(|builder| builder.policy(policy))
    }

    /// With changes to a builder that delivers everything to the inbox.
    pub(super) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(FakeClock::at(START));
        let store = Arc::new(MemoryStore::with_clock(clock.clone() as Arc<dyn Clock>));
        let inbox = Arc::new(Recorder::new());
        let mut builder = Verifier::builder(keys(), store.clone());
        for channel in Channel::ALL {
            builder = builder.deliverer(channel, inbox.clone());
        }
        Self {
            verifier: change(builder).build().unwrap(),
            store,
            inbox,
            clock,
            tenant: tenant("acme"),
            to: number(1),
        }
    }

    pub(super) fn request(&self) -> SendRequest<'_> {
        SendRequest::new(&self.tenant, Channel::Sms, &self.to)
    }

    pub(super) fn try_send(&self, request: &SendRequest<'_>) -> Result<Sent, SendError> {
        now(self.verifier.send(request))
    }

    #[track_caller]
    pub(super) fn send(&self) -> Sent {
        self.try_send(&self.request()).unwrap()
    }

    pub(super) fn try_resend(&self, request: &ResendRequest<'_>) -> Result<Sent, SendError> {
        now(self.verifier.resend(request))
    }

    #[track_caller]
    pub(super) fn check(&self, sent: &Sent, code: &str) -> Verdict {
        self.check_with(sent, code, With::default())
    }

    #[track_caller]
    pub(super) fn check_with(&self, sent: &Sent, code: &str, with: With<'_>) -> Verdict {
        let id = sent.session_id.to_string();
        let mut request = CheckRequest::new(&self.tenant, &id, code);
        request.purpose = with.purpose;
        request.binding = with.binding;
        request.attempt_id = with.attempt_id;
        now(self.verifier.check(&request)).unwrap()
    }

    pub(super) fn code(&self) -> String {
        self.inbox.last_code().unwrap()
    }

    /// Another code of the same form.
    pub(super) fn wrong(&self) -> String {
        let right: u32 = self.code().parse().unwrap();
        format!("{:06}", (right + 1) % 1_000_000)
    }

    #[track_caller]
    pub(super) fn status(&self, sent: &Sent) -> SessionView {
        let id = sent.session_id.to_string();
        now(self.verifier.status(&self.tenant, &id))
            .unwrap()
            .unwrap()
    }

    /// How many records there are.
    pub(super) fn records(&self) -> usize {
        now(self.store.scan(None, usize::MAX)).unwrap().len()
    }
}

/// What a check may bring beside the code.
#[derive(Clone, Copy, Default)]
pub(super) struct With<'a> {
    pub(super) purpose: Option<&'a Purpose>,
    pub(super) binding: Option<&'a [u8]>,
    pub(super) attempt_id: Option<&'a str>,
}

impl<'a> With<'a> {
    /// An attempt that can be repeated under this id.
    pub(super) fn attempt(id: &'a str) -> Self {
        Self {
            attempt_id: Some(id),
            ..Self::default()
        }
    }
}

/// A change to a request, to stand in a list of others.
pub(super) fn change(change: fn(&mut SendRequest<'_>)) -> fn(&mut SendRequest<'_>) {
    change
}

/// The same keys each time.
pub(super) fn keys() -> KeyRing {
    ring(&[2])
}

/// A ring of these masters; the first opens new sessions.
pub(super) fn ring(masters: &[u8]) -> KeyRing {
    let secret = |byte| Secret::new(vec![byte; 32]).unwrap();
    let masters: Vec<_> = masters.iter().map(|byte| secret(*byte)).collect();
    KeyRing::new(&secret(1), &masters).unwrap()
}

pub(super) fn tenant(name: &str) -> Tenant {
    Tenant::new(name).unwrap()
}

pub(super) fn number(n: u32) -> Destination {
    Destination::parse_any(&format!("+47{:08}", 40_000_000 + n)).unwrap()
}

pub(super) fn email(n: u32) -> Destination {
    Destination::parse_any(&format!("person-{n}@example.com")).unwrap()
}

/// The limit that refused, and for how many seconds.
#[track_caller]
pub(super) fn throttled<T: std::fmt::Debug>(answer: Result<T, SendError>) -> (LimitName, u64) {
    match answer {
        Err(SendError::Throttled { limit, retry_after }) => (limit, retry_after),
        other => panic!("not throttled: {other:?}"),
    }
}

/// Serves Norway: `+474` at a price by SMS, and at another one by voice.
#[derive(Debug)]
pub(super) struct Prices {
    pub(super) sms: u64,
    pub(super) voice: u64,
}

impl NumberPlan for Prices {
    fn read(&self, text: &str) -> Result<PhoneNumber, crate::DestinationError> {
        // National numbers too.
        match text.len() {
            8 => PhoneNumber::parse(&format!("+47{text}")),
            _ => PhoneNumber::parse(text),
        }
    }

    fn serve(&self, channel: Channel, number: &PhoneNumber) -> Result<Served, Unserved> {
        if !number.as_str().starts_with("+47") {
            return Err(Unserved::Country("elsewhere".to_owned()));
        }
        let price = match channel {
            Channel::Voice => self.voice,
            _ => self.sms,
        };
        Ok(Served::new(&number.as_str()[..4], price))
    }
}

/// What the observer was told.
#[derive(Debug, Default)]
pub(super) struct Told(pub(super) Mutex<Vec<(LimitName, Option<String>)>>);

impl Observer for Told {
    fn would_refuse(&self, limit: LimitName, prefix: Option<&str>) {
        let told = (limit, prefix.map(str::to_owned));
        self.0.lock().unwrap().push(told);
    }
}

/// A memory store that goes down after so many writes.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) store: MemoryStore,
    pub(super) writes_left: Mutex<Option<u32>>,
}

impl Failing {
    pub(super) fn new() -> Arc<Self> {
        let clock = Arc::new(FakeClock::at(START));
        Arc::new(Self {
            store: MemoryStore::with_clock(clock),
            writes_left: Mutex::new(None),
        })
    }

    pub(super) fn after(&self, writes: Option<u32>) {
        *self.writes_left.lock().unwrap() = writes;
    }
}

#[async_trait]
impl SessionStore for Failing {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.store.load(key).await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        if let Some(left) = &mut *self.writes_left.lock().unwrap() {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| StoreError::unavailable("it is down"))?;
        }
        let swap = self.store.swap(key, seen, next, incarnation);
        now(swap)
    }
}
