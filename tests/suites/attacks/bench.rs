//! A verifier on one store, with its clock and its messages in the test's hands.

use std::any::Any;
use std::sync::Arc;

use countersign::{
    Builder, Channel, CheckError, CheckRequest, Destination, FakeClock, KeyRing, NumberPlan,
    Observer, Policy, Randomness, Recorder, ResendRequest, Secret, SendError, SendRequest, Sent,
    SessionView, SystemRandom, Tenant, Timestamp, Verdict, Verifier,
};

use super::stores::{Kind, Opened};
use super::timed::Timed;

/// One deployment: verifiers of the same keys on one set of data.
pub(crate) struct Bench {
    /// The first of them, for rows that need no more.
    pub(crate) verifier: Verifier,
    pub(crate) verifiers: Vec<Verifier>,
    /// The first verifier's store, which counts its steps.
    pub(crate) counted: Arc<Timed>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) inbox: Arc<Recorder>,
    pub(crate) tenant: Tenant,
    _kept: Box<dyn Any + Send + Sync>,
}

/// What differs between deployments.
pub(crate) struct Setup {
    pub(crate) policy: Policy,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) processes: usize,
    pub(crate) plan: Option<Arc<dyn NumberPlan>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// The last word on each verifier, for instance other deliverers.
    pub(crate) finish: Box<dyn Fn(Builder) -> Builder>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            randomness: Arc::new(SystemRandom::default()),
            processes: 1,
            plan: None,
            observer: None,
            finish: Box::new(|builder| builder),
        }
    }
}

impl Bench {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::with(kind, Setup::default()).await
    }

    pub(crate) async fn with(kind: Kind, setup: Setup) -> Self {
        let Opened { handles, kept } = kind.open(setup.processes).await;
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let inbox = Arc::new(Recorder::new());
        let secrets = [Secret::generate().unwrap(), Secret::generate().unwrap()];
        let timed = |handle: &Arc<_>| Arc::new(Timed::over(Arc::clone(handle), clock.clone()));
        let stores: Vec<_> = handles.iter().map(timed).collect();
        let verifiers: Vec<_> = stores
            .iter()
            .map(|store| {
                let keys = KeyRing::new(&secrets[0], &secrets[1..]).unwrap();
                let mut builder = Verifier::builder(keys, Arc::clone(store) as _)
                    .policy(setup.policy.clone())
                    .randomness(setup.randomness.clone());
                for channel in Channel::ALL {
                    builder = builder.deliverer(channel, inbox.clone());
                }
                if let Some(plan) = &setup.plan {
                    builder = builder.number_plan(plan.clone());
                }
                if let Some(observer) = &setup.observer {
                    builder = builder.observer(observer.clone());
                }
                (setup.finish)(builder).build().unwrap()
            })
            .collect();
        Self {
            verifier: verifiers[0].clone(),
            verifiers,
            counted: Arc::clone(&stores[0]),
            clock,
            inbox,
            tenant: Tenant::new("acme").unwrap(),
            _kept: kept,
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

    pub(crate) async fn status(&self, sent: &Sent) -> SessionView {
        let id = sent.session_id.to_string();
        let seen = self.verifier.status(&self.tenant, &id).await;
        seen.unwrap().unwrap()
    }

    /// At the verifier of another process, by its number modulo those there are.
    pub(crate) async fn check_at(&self, process: usize, sent: &Sent, code: &str) -> Verdict {
        let id = sent.session_id.to_string();
        self.verifiers[process % self.verifiers.len()]
            .check(&CheckRequest::new(&self.tenant, &id, code))
            .await
            .unwrap()
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
