//! A70: reports move a session's status, if they are of its last message and of nobody's making.

use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use countersign::{
    Channel, DeliverError, Deliverer, DeliveryOutcome, DeliveryState, Message, Receipt, Recorder,
    Report, Sent, SessionState, SessionView, Verdict, Verifier,
};

use super::bench::{Bench, Setup, wrong};
use super::stores::{Kind, on_every_store};

const TO: &str = "+4740000070";

impl Bench {
    async fn report(&self, token: &str, outcome: DeliveryOutcome) -> Option<SessionView> {
        let token = token.to_owned();
        self.verifier
            .report(&Report { token, outcome })
            .await
            .unwrap()
    }

    fn last_token(&self) -> String {
        self.inbox.messages().pop().unwrap().report_token.unwrap()
    }

    async fn stands(&self, sent: &Sent) -> (&'static str, DeliveryState) {
        let seen = self.status(sent).await;
        (seen.status(), seen.delivery)
    }
}

#[test]
fn a_report_moves_the_status() {
    on_every_store(|kind| async move {
        for (outcome, status, delivery) in [
            (
                DeliveryOutcome::Accepted,
                "pending",
                DeliveryState::Accepted,
            ),
            (
                DeliveryOutcome::Delivered,
                "delivered",
                DeliveryState::Delivered,
            ),
            (DeliveryOutcome::Failed, "failed", DeliveryState::Failed),
            (
                DeliveryOutcome::Undeliverable,
                "failed",
                DeliveryState::Failed,
            ),
        ] {
            let bench = Bench::new(kind).await;
            let (sent, code) = bench.send(TO).await.unwrap();
            assert_eq!(bench.stands(&sent).await.0, "pending", "{kind:?}");
            let seen = bench.report(&bench.last_token(), outcome).await.unwrap();
            assert_eq!(
                (seen.status(), seen.delivery),
                (status, delivery),
                "{kind:?}"
            );
            assert_eq!(bench.stands(&sent).await, (status, delivery), "{kind:?}");
            // Only what failed for good ends the session; its attempts are untouched.
            let verdict = bench.check(&sent, &code).await;
            let ended = outcome == DeliveryOutcome::Undeliverable;
            assert_eq!(
                verdict == Verdict::Undeliverable,
                ended,
                "{kind:?}: {verdict:?}"
            );
            assert_eq!(verdict.is_verified(), !ended, "{kind:?}: {verdict:?}");
        }
    });
}

#[test]
fn a_message_that_arrived_stays_so_and_what_has_ended_stays_ended() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, code) = bench.send(TO).await.unwrap();
        let token = bench.last_token();
        let delivered = ("delivered", DeliveryState::Delivered);
        for outcome in [
            DeliveryOutcome::Failed,
            DeliveryOutcome::Accepted,
            DeliveryOutcome::Delivered,
            DeliveryOutcome::Accepted,
            DeliveryOutcome::Failed,
        ] {
            bench.report(&token, outcome).await.unwrap();
        }
        assert_eq!(bench.stands(&sent).await, delivered, "{kind:?}");
        assert!(bench.check(&sent, &code).await.is_verified(), "{kind:?}");
        let late = bench.report(&token, DeliveryOutcome::Undeliverable).await;
        assert_eq!(late.unwrap().state, SessionState::Verified, "{kind:?}");
        // The next opening forgets what nobody can ask for any more.
        bench.clock.advance_secs(2 * 3600);
        bench.send(TO).await.unwrap();
        let gone = bench.report(&token, DeliveryOutcome::Failed).await;
        assert!(gone.is_none(), "{kind:?}");
    });
}

#[test]
fn a_late_report_of_an_earlier_message_says_nothing_of_the_newer() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, _) = bench.send(TO).await.unwrap();
        let first = bench.last_token();
        bench.clock.advance_secs(31);
        let code = bench.resend(&sent, TO).await.unwrap();
        let second = bench.last_token();
        assert_ne!(first, second);
        let pending = ("pending", DeliveryState::Accepted);
        for outcome in [
            DeliveryOutcome::Delivered,
            DeliveryOutcome::Failed,
            DeliveryOutcome::Undeliverable,
        ] {
            let seen = bench.report(&first, outcome).await.unwrap();
            assert_eq!(seen.delivery, DeliveryState::Accepted, "{kind:?}");
            assert_eq!(bench.stands(&sent).await, pending, "{kind:?}: {outcome:?}");
        }
        bench
            .report(&second, DeliveryOutcome::Failed)
            .await
            .unwrap();
        bench
            .report(&first, DeliveryOutcome::Delivered)
            .await
            .unwrap();
        let failed = ("failed", DeliveryState::Failed);
        assert_eq!(bench.stands(&sent).await, failed, "{kind:?}");
        assert!(bench.check(&sent, &code).await.is_verified(), "{kind:?}");
    });
}

#[test]
fn a70_a_forged_or_garbled_token_changes_nothing_and_asks_no_store() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, code) = bench.send(TO).await.unwrap();
        assert_eq!(
            bench.check(&sent, &wrong(&code, 1)).await,
            Verdict::WrongCode {
                attempts_remaining: 4
            }
        );
        let token = bench.last_token();
        let before = (bench.status(&sent).await, bench.counted.steps());
        let mut forged: Vec<String> = vec![
            String::new(),
            sent.session_id.to_string(),
            sent.session_id.to_string().replace("sess_", "rep_A"),
            token.to_uppercase(),
            "é".repeat(28),
            token.repeat(1000),
        ];
        for at in 4..token.len() {
            for symbol in ["A", "b", "-", "7"] {
                forged.push(format!("{}{symbol}{}", &token[..at], &token[at + 1..]));
            }
        }
        forged.retain(|text| *text != token);
        assert!(forged.len() > 90, "{}", forged.len());
        for text in &forged {
            let seen = bench.report(text, DeliveryOutcome::Undeliverable).await;
            assert!(seen.is_none(), "{kind:?}: {text}");
        }
        assert_eq!(
            bench.counted.steps(),
            before.1,
            "{kind:?}: the store was asked"
        );
        assert_eq!(bench.status(&sent).await, before.0, "{kind:?}");
        // A token is no session id either: whoever is given one can neither look nor guess.
        assert!(
            bench
                .verifier
                .status(&bench.tenant, &token)
                .await
                .unwrap()
                .is_none()
        );
        let as_id = format!("sess_{}", &token[5..]);
        assert!(
            bench
                .verifier
                .status(&bench.tenant, &as_id)
                .await
                .unwrap()
                .is_none()
        );
    });
}

/// A provider whose report overtakes its own answer.
#[derive(Debug, Default)]
struct Hasty {
    inbox: Recorder,
    verifier: OnceLock<Verifier>,
}

#[async_trait]
impl Deliverer for Hasty {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let report = Report {
            token: message.report_token.unwrap_or_default().to_owned(),
            outcome: DeliveryOutcome::Delivered,
        };
        let verifier = self.verifier.get().unwrap();
        assert!(verifier.report(&report).await.unwrap().is_some());
        self.inbox.deliver(message).await
    }
}

/// SMS by this provider, all else as it is.
fn sms_by<D: Deliverer + 'static>(provider: &Arc<D>) -> Setup {
    let provider = Arc::clone(provider);
    Setup {
        finish: Box::new(move |builder| {
            builder.deliverer(Channel::Sms, Arc::clone(&provider) as _)
        }),
        ..Setup::default()
    }
}

#[test]
fn a_report_that_overtakes_the_provider_s_answer_is_kept() {
    on_every_store(|kind: Kind| async move {
        let hasty = Arc::new(Hasty::default());
        let bench = Bench::with(kind, sms_by(&hasty)).await;
        hasty.verifier.set(bench.verifier.clone()).unwrap();
        let to = countersign::Destination::parse_any(TO).unwrap();
        let request = countersign::SendRequest::new(&bench.tenant, Channel::Sms, &to);
        let sent = bench.verifier.send(&request).await.unwrap();
        assert_eq!(hasty.inbox.len(), 1);
        let delivered = ("delivered", DeliveryState::Delivered);
        assert_eq!(bench.stands(&sent).await, delivered, "{kind:?}");
    });
}

/// A provider that keeps the token of what it does not take.
#[derive(Debug, Default)]
struct Unable(Mutex<Option<String>>);

#[async_trait]
impl Deliverer for Unable {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        *self.0.lock().unwrap() = message.report_token.map(str::to_owned);
        Err(DeliverError::transient())
    }
}

#[test]
fn a_report_by_a_channel_that_did_not_take_the_message_changes_nothing() {
    on_every_store(|kind| async move {
        let unable = Arc::new(Unable::default());
        let bench = Bench::with(kind, sms_by(&unable)).await;
        let to = countersign::Destination::parse_any(TO).unwrap();
        let mut request = countersign::SendRequest::new(&bench.tenant, Channel::Sms, &to);
        request.fallbacks = &[Channel::Voice];
        let sent = bench.verifier.send(&request).await.unwrap();
        assert_eq!(sent.channel, Channel::Voice, "{kind:?}");
        let by_sms = unable.0.lock().unwrap().take().unwrap();
        assert_ne!(by_sms, bench.last_token(), "{kind:?}");
        for outcome in [DeliveryOutcome::Delivered, DeliveryOutcome::Undeliverable] {
            bench.report(&by_sms, outcome).await.unwrap();
            let pending = ("pending", DeliveryState::Accepted);
            assert_eq!(bench.stands(&sent).await, pending, "{kind:?}");
        }
    });
}

#[test]
fn a_session_that_has_expired_stays_expired_however_late_its_message_fails() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, code) = bench.send(TO).await.unwrap();
        let token = bench.last_token();
        bench.clock.advance_secs(301);
        let late = bench.report(&token, DeliveryOutcome::Undeliverable).await;
        assert_eq!(late.unwrap().state, SessionState::Expired, "{kind:?}");
        assert_eq!(
            bench.check(&sent, &code).await,
            Verdict::Expired,
            "{kind:?}"
        );
    });
}
