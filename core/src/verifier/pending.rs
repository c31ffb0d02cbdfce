//! A message that may leave: its session is stored, its send is charged (I5).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::code::Code;
use crate::deliver::{DeliverError, Deliverer, Message};
use crate::destination::{Channel, Destination};
use crate::error::SendError;
use crate::keys::Tag;
use crate::record::{Action, DeliveryOutcome, Effect, Posted, RecordKey};
use crate::report_token::ReportToken;
use crate::session_id::Nonce;
use crate::verifier::idempotent::Held;
use crate::verifier::sources::Sources;
use crate::verifier::{Sent, Verifier};

/// So many values that mean nothing any more are swept at once: whenever half as many may have
/// been made, so that garbage is removed faster than it is made, whoever makes it.
const SWEPT_AT_ONCE: usize = 256;
const MADE_PER_SWEEP: u64 = 128;
/// One send makes at most four values: of its destination, of two networks that it came from,
/// and of an idempotency key.
const MADE_BY_A_SEND: u64 = 4;

/// A stored and charged session whose message has not left yet. Dropping it leaves the
/// session open and its send charged.
#[derive(Debug)]
pub struct Pending {
    verifier: Verifier,
    parcel: Parcel,
    sent: Sent,
    held: Option<Held>,
}

/// All that a message needs, owned, so that it can leave from a task of its own.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) record: RecordKey,
    pub(crate) nonce: Nonce,
    pub(crate) tag: Tag,
    /// At least one, in the order in which they are tried.
    pub(crate) routes: Vec<Route>,
    /// Its number among the session's messages; the first is 1.
    pub(crate) number: u8,
    pub(crate) to: Destination,
    pub(crate) code: Code,
    pub(crate) decoy: bool,
    /// What the message was charged to, to be given back if it never leaves.
    pub(crate) charged: Sources,
    pub(crate) tenant: String,
    pub(crate) purpose: String,
    pub(crate) locale: Option<String>,
    pub(crate) app_hash: Option<String>,
    pub(crate) origin: Option<String>,
}

/// One way for a message to leave.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) channel: Channel,
    pub(crate) deliverer: Arc<dyn Deliverer>,
}

impl Pending {
    pub(crate) fn new(verifier: Verifier, parcel: Parcel, sent: Sent, held: Option<Held>) -> Self {
        Self {
            verifier,
            parcel,
            sent,
            held,
        }
    }

    /// The answer for a caller that does not wait for the delivery.
    #[must_use]
    pub fn sent(&self) -> &Sent {
        &self.sent
    }

    /// Whether it is for a test destination, and reaches nobody.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.verifier.is_test_destination(&self.parcel.to)
    }

    /// Keeps the answer for a caller that does not wait, so that a retry with the same
    /// idempotency key is told the same. Call it before answering.
    pub async fn acknowledge(&mut self) {
        let answer = Ok(self.sent.clone());
        self.verifier.finish(self.held.take(), &answer).await;
    }

    /// Hands the message to the deliverers of its channels, in their order, and notes the
    /// outcome. The answer's channel is the one that took it.
    ///
    /// # Errors
    /// [`SendError::Delivery`] when no deliverer took it.
    pub async fn deliver(self) -> Result<Sent, SendError> {
        let Self {
            verifier,
            parcel,
            mut sent,
            held,
        } = self;
        let answer = match parcel.leave(&verifier, &mut sent).await {
            Ok(()) => Ok(sent),
            Err(error) => Err(SendError::Delivery {
                session_id: sent.session_id,
                retryable: error.is_transient(),
                error,
            }),
        };
        verifier.finish(held, &answer).await;
        verifier.sweep_now_and_then(MADE_BY_A_SEND).await;
        answer
    }
}

impl Parcel {
    /// Tries the routes in their order, never another once the message may have left, and
    /// notes what became of it.
    async fn leave(&self, verifier: &Verifier, sent: &mut Sent) -> Result<(), DeliverError> {
        let mut failure: Option<DeliverError> = None;
        for route in &self.routes {
            if failure.is_some() && !self.turn(verifier, sent.channel, route.channel).await {
                break;
            }
            sent.channel = route.channel;
            match self.hand_over(verifier, route, sent).await {
                Ok(()) => {
                    self.note(verifier, sent.channel, DeliveryOutcome::Accepted)
                        .await;
                    return Ok(());
                }
                Err(error) => {
                    failure = Some(worth_most(failure, error));
                    if !error.another_may_take_it() {
                        break;
                    }
                }
            }
        }
        // There is at least one route, so there is a failure.
        let failure = failure.unwrap_or_else(DeliverError::transient);
        // After a lost answer the message may be on its way: nothing is noted.
        if !failure.left_possibly() {
            verifier.refund_money(&self.charged).await;
            self.note(verifier, sent.channel, noted(failure)).await;
        }
        Err(failure)
    }

    async fn hand_over(
        &self,
        verifier: &Verifier,
        route: &Route,
        sent: &Sent,
    ) -> Result<(), DeliverError> {
        if self.decoy {
            return Ok(());
        }
        let posted = self.posted(route.channel);
        let token = ReportToken::seal(verifier.0.keys.newest(), self.record, posted);
        let token = token.map(|token| token.to_string());
        let message_id = Self::message_id(sent, posted);
        let message = Message {
            destination: &self.to,
            channel: route.channel,
            code: &self.code,
            locale: self.locale.as_deref(),
            expires_in: sent.expires_in,
            tenant: &self.tenant,
            purpose: &self.purpose,
            app_hash: self.app_hash.as_deref(),
            origin: self.origin.as_deref(),
            message_id: &message_id,
            report_token: token.as_deref(),
        };
        route.deliverer.deliver(message).await.map(drop)
    }

    /// The same for one message however often it is handed over. A hash: the session id
    /// itself is for the caller only.
    fn message_id(sent: &Sent, posted: Posted) -> String {
        let (number, channel) = (posted.number, posted.channel.name());
        let name = format!("{} {number} {channel}", sent.session_id);
        let tag = Tag::of("message", &name);
        format!("{:016x}", u64::from_be_bytes(tag.to_bytes()))
    }

    /// Whether the session now waits for the message by another channel. If the store does
    /// not say so, nothing more leaves (I5).
    async fn turn(&self, verifier: &Verifier, from: Channel, to: Channel) -> bool {
        let action = Action::Turn(self.posted(from), to);
        let turned = verifier.apply(self.record, self.tag, action).await;
        matches!(turned, Ok(Effect::Done))
    }

    /// Best effort: without the note the session's delivery stays unknown.
    async fn note(&self, verifier: &Verifier, channel: Channel, outcome: DeliveryOutcome) {
        let action = Action::Outcome(self.posted(channel), outcome);
        let _best_effort = verifier.apply(self.record, self.tag, action).await;
    }

    const fn posted(&self, channel: Channel) -> Posted {
        Posted {
            nonce: self.nonce,
            number: self.number,
            channel,
        }
    }
}

impl Verifier {
    /// To be called by whatever may have made so many values that nobody removes.
    pub(crate) async fn sweep_now_and_then(&self, made: u64) {
        let before = self.0.made.fetch_add(made, Ordering::Relaxed);
        if before / MADE_PER_SWEEP != (before + made) / MADE_PER_SWEEP {
            let _best_effort = self.sweep(SWEPT_AT_ONCE).await;
        }
    }
}

/// Of two failures to tell of, the one by which a resend makes sense, unless the message
/// may have left since.
fn worth_most(earlier: Option<DeliverError>, later: DeliverError) -> DeliverError {
    earlier
        .filter(|earlier| earlier.is_transient() && !later.left_possibly())
        .unwrap_or(later)
}

const fn noted(error: DeliverError) -> DeliveryOutcome {
    if error.is_transient() {
        DeliveryOutcome::Failed
    } else {
        DeliveryOutcome::Undeliverable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_once::now;
    use crate::clock::{FakeClock, Timestamp};
    use crate::verifier::request::SendRequest;
    use crate::{KeyRing, MemoryStore, Recorder, SessionStore, Tenant};

    /// A send to each of `numbers`, from a network of its own.
    fn send_to(verifier: &Verifier, numbers: std::ops::Range<u32>) {
        let tenant = Tenant::new("acme").unwrap();
        for n in numbers {
            let to = Destination::parse_any(&format!("+47{:08}", 40_000_000 + n)).unwrap();
            let mut request = SendRequest::new(&tenant, Channel::Sms, &to);
            request.end_user_ip = Some(std::net::Ipv4Addr::from(0x0b00_0000 + n).into());
            now(verifier.send(&request)).unwrap();
        }
    }

    #[test]
    fn a68_sweeping_keeps_up_with_new_destinations() {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        let verifier = Verifier::builder(KeyRing::generate().unwrap(), store.clone())
            .deliverer(Channel::Sms, Arc::new(Recorder::new()))
            .build()
            .unwrap();
        send_to(&verifier, 0..2_000);
        let held = || now(store.scan(None, usize::MAX)).unwrap().len();
        let of_a_day = held();
        assert!(of_a_day >= 4_000, "a gate and a source each: {of_a_day}");
        clock.advance_secs(2 * 24 * 3600);
        send_to(&verifier, 2_000..4_000);
        let after = held();
        assert!(
            after <= of_a_day + of_a_day / 20,
            "{after} values, of which {of_a_day} are of today"
        );
    }
}
