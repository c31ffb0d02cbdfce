//! Several channels for one send: one session, one code, one budget, one charge.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use countersign::{
    Channel, DeliverError, Deliverer, DeliveryMode, DeliveryOutcome, DeliveryState, Destination,
    Inspection, Message, Opened, Permanent, Receipt, Recorder, Report, ResendRequest, SendError,
    SendRequest, SessionState, Tenant, Verdict, Verifier,
};

use super::bench::{Bench, Setup, wrong};
use super::stores::{Kind, on_every_store};

const TO: &str = "+4740000071";

/// A bench on which SMS and voice have deliverers of their own.
struct Line {
    bench: Bench,
    sms: Arc<Recorder>,
    voice: Arc<Recorder>,
    to: Destination,
}

impl Line {
    async fn new(kind: Kind) -> Self {
        let (sms, voice) = (Arc::new(Recorder::new()), Arc::new(Recorder::new()));
        let (first, second) = (Arc::clone(&sms), Arc::clone(&voice));
        let setup = Setup {
            finish: Box::new(move |builder| {
                builder
                    .deliverer(Channel::Sms, Arc::clone(&first) as _)
                    .deliverer(Channel::Voice, Arc::clone(&second) as _)
            }),
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        let to = Destination::parse_any(TO).unwrap();
        Self {
            bench,
            sms,
            voice,
            to,
        }
    }

    /// SMS, then voice.
    fn request(&self) -> SendRequest<'_> {
        let mut request = SendRequest::new(&self.bench.tenant, Channel::Sms, &self.to);
        request.fallbacks = &[Channel::Voice];
        request
    }

    async fn inspect(&self) -> Inspection {
        let bench = &self.bench;
        let seen = bench.verifier.inspect(&bench.tenant, &self.to).await;
        seen.unwrap()
    }
}

#[test]
fn the_next_channel_carries_the_same_code_of_the_same_session() {
    on_every_store(|kind| async move {
        for failure in [
            DeliverError::transient(),
            DeliverError::permanent(Permanent::Refused),
            DeliverError::permanent(Permanent::Unauthorised),
        ] {
            let line = Line::new(kind).await;
            let bench = &line.bench;
            let before = line.inspect().await.open.sends_left;
            line.sms.fail_with(Some(failure));
            let sent = bench.verifier.send(&line.request()).await.unwrap();
            assert_eq!(sent.channel, Channel::Voice, "{kind:?}: {failure:?}");
            assert_eq!((line.sms.len(), line.voice.len()), (0, 1), "{kind:?}");
            let message = line.voice.messages().pop().unwrap();
            assert_eq!(message.channel, Channel::Voice);

            let after = line.inspect().await;
            assert_eq!(after.sessions.len(), 1, "{kind:?}");
            assert_eq!(
                after.open.sends_left,
                before.map(|left| left - 1),
                "{kind:?}"
            );
            let seen = &after.sessions[0];
            assert_eq!((seen.sends, seen.channel), (1, Channel::Voice), "{kind:?}");
            assert_eq!(seen.delivery, DeliveryState::Accepted, "{kind:?}");

            let verdict = bench.check(&sent, &wrong(&message.code, 1)).await;
            assert_eq!(
                verdict,
                Verdict::WrongCode {
                    attempts_remaining: 4
                },
                "{kind:?}"
            );
            let verdict = bench.check(&sent, &message.code).await;
            let channel = Channel::Voice;
            assert_eq!(verdict, Verdict::Verified { channel }, "{kind:?}");
        }
    });
}

#[test]
fn no_second_message_leaves_when_the_first_did_or_may_have() {
    on_every_store(|kind| async move {
        for failure in [
            None,
            Some(DeliverError::transient().may_have_left()),
            Some(DeliverError::permanent(Permanent::Refused).may_have_left()),
            Some(DeliverError::permanent(Permanent::InvalidDestination)),
            Some(DeliverError::permanent(Permanent::Blocked)),
        ] {
            let line = Line::new(kind).await;
            line.sms.fail_with(failure);
            let answer = line.bench.verifier.send(&line.request()).await;
            assert_eq!(answer.is_ok(), failure.is_none(), "{kind:?}: {failure:?}");
            assert_eq!(line.voice.len(), 0, "{kind:?}: {failure:?}");
            let seen = &line.inspect().await.sessions[0];
            assert_eq!(seen.channel, Channel::Sms, "{kind:?}: {failure:?}");
        }
    });
}

#[test]
fn when_no_channel_takes_it_the_failure_that_can_be_mended_is_told() {
    on_every_store(|kind| async move {
        let refused = DeliverError::permanent(Permanent::Refused);
        let lost = DeliverError::transient().may_have_left();
        for (sms, voice, retryable, state, delivery) in [
            (
                DeliverError::transient(),
                refused,
                true,
                SessionState::Live,
                DeliveryState::Failed,
            ),
            (
                refused,
                DeliverError::transient(),
                true,
                SessionState::Live,
                DeliveryState::Failed,
            ),
            (
                refused,
                refused,
                false,
                SessionState::Undeliverable,
                DeliveryState::Failed,
            ),
            (
                refused,
                lost,
                true,
                SessionState::Live,
                DeliveryState::Unknown,
            ),
            (
                DeliverError::transient(),
                lost,
                true,
                SessionState::Live,
                DeliveryState::Unknown,
            ),
        ] {
            let line = Line::new(kind).await;
            line.sms.fail_with(Some(sms));
            line.voice.fail_with(Some(voice));
            let Err(SendError::Delivery {
                retryable: told,
                error,
                ..
            }) = line.bench.verifier.send(&line.request()).await
            else {
                panic!("{kind:?}: {sms:?} {voice:?}");
            };
            assert_eq!(told, retryable, "{kind:?}: {sms:?} {voice:?}");
            assert_eq!(error.left_possibly(), voice.left_possibly(), "{kind:?}");
            let seen = &line.inspect().await.sessions[0];
            assert_eq!((seen.state, seen.delivery), (state, delivery), "{kind:?}");
        }
    });
}

#[test]
fn channels_that_cannot_all_be_used_are_refused_uncharged() {
    on_every_store(|kind| async move {
        let line = Line::new(kind).await;
        let before = line.inspect().await;
        let steps = line.bench.counted.steps();
        for fallbacks in [
            &[Channel::Sms][..],
            &[Channel::Voice, Channel::Voice],
            &[Channel::Voice, Channel::Sms],
            &[Channel::Email],
            &[Channel::Voice, Channel::Email],
        ] {
            let mut request = line.request();
            request.fallbacks = fallbacks;
            let refused = line.bench.verifier.send(&request).await.unwrap_err();
            let named = matches!(
                refused,
                SendError::Option {
                    option: "channel",
                    ..
                } | SendError::WrongChannel(Channel::Email)
            );
            assert!(named, "{kind:?}: {fallbacks:?}: {refused:?}");
        }
        assert_eq!(
            line.bench.counted.steps(),
            steps,
            "{kind:?}: the store was asked"
        );
        assert_eq!(line.inspect().await, before, "{kind:?}");
        assert_eq!((line.sms.len(), line.voice.len()), (0, 0), "{kind:?}");
    });
}

#[test]
fn a52_a_repetition_is_answered_with_the_channel_that_took_it() {
    on_every_store(|kind| async move {
        let line = Line::new(kind).await;
        line.sms.fail_with(Some(DeliverError::transient()));
        let mut request = line.request();
        request.idempotency_key = Some("order-7");
        let first = line.bench.verifier.send(&request).await.unwrap();
        line.sms.fail_with(None);
        let again = line.bench.verifier.send(&request).await.unwrap();
        assert_eq!(again, first, "{kind:?}");
        assert_eq!(again.channel, Channel::Voice, "{kind:?}");
        assert_eq!((line.sms.len(), line.voice.len()), (0, 1), "{kind:?}");
        for (channel, fallbacks) in [
            (Channel::Sms, &[][..]),
            (Channel::Voice, &[]),
            (Channel::Voice, &[Channel::Sms]),
        ] {
            (request.channel, request.fallbacks) = (channel, fallbacks);
            let other = line.bench.verifier.send(&request).await;
            let mismatch = matches!(other, Err(SendError::IdempotencyMismatch));
            assert!(mismatch, "{kind:?}: {channel:?} {fallbacks:?}: {other:?}");
        }
    });
}

#[test]
fn in_the_background_the_channel_shows_in_the_status() {
    on_every_store(|kind| async move {
        let line = Line::new(kind).await;
        line.sms.fail_with(Some(DeliverError::transient()));
        let mut request = line.request();
        request.delivery = DeliveryMode::Background;
        let Opened::Pending(pending) = line.bench.verifier.open(&request).await.unwrap() else {
            panic!("{kind:?}: answered before");
        };
        let sent = pending.sent().clone();
        assert_eq!(sent.channel, Channel::Sms, "{kind:?}: not tried yet");
        pending.deliver().await.unwrap();
        assert_eq!(
            line.bench.status(&sent).await.channel,
            Channel::Voice,
            "{kind:?}"
        );
    });
}

#[test]
fn a_report_counts_only_of_the_channel_that_took_the_message() {
    on_every_store(|kind| async move {
        let line = Line::new(kind).await;
        let sent = line.bench.verifier.send(&line.request()).await.unwrap();
        let by_sms = line.sms.messages().pop().unwrap();
        line.bench.clock.advance_secs(31);
        let mut spoken = ResendRequest::new(&line.bench.tenant, sent.session_id, &line.to);
        spoken.channel = Some(Channel::Voice);
        let again = line.bench.verifier.resend(&spoken).await.unwrap();
        assert_eq!(again.channel, Channel::Voice, "{kind:?}");
        assert_eq!((line.sms.len(), line.voice.len()), (1, 1), "{kind:?}");
        let by_voice = line.voice.messages().pop().unwrap();
        assert_ne!(by_voice.message_id, by_sms.message_id);
        let report = |token: &Option<String>| Report {
            token: token.clone().unwrap(),
            outcome: DeliveryOutcome::Delivered,
        };
        let late = line
            .bench
            .verifier
            .report(&report(&by_sms.report_token))
            .await;
        assert_eq!(late.unwrap().unwrap().status(), "pending", "{kind:?}");
        let own = line
            .bench
            .verifier
            .report(&report(&by_voice.report_token))
            .await;
        assert_eq!(own.unwrap().unwrap().status(), "delivered", "{kind:?}");
        // The new code, by the new channel; the attempts are the session's.
        let verdict = line.bench.check(&sent, &by_voice.code).await;
        let channel = Channel::Voice;
        assert_eq!(verdict, Verdict::Verified { channel }, "{kind:?}");
    });
}

/// Fails, and whoever waits has given up by then.
#[derive(Debug)]
struct TooLate {
    verifier: OnceLock<(Verifier, Tenant)>,
    session: OnceLock<String>,
}

#[async_trait]
impl Deliverer for TooLate {
    async fn deliver(&self, _: Message<'_>) -> Result<Receipt, DeliverError> {
        let (verifier, tenant) = self.verifier.get().unwrap();
        let session = self.session.get().unwrap();
        let seen = verifier.cancel(tenant, session).await.unwrap().unwrap();
        assert_eq!(seen.state, SessionState::Cancelled);
        Err(DeliverError::transient())
    }
}

#[test]
fn nothing_leaves_by_another_channel_once_the_session_has_ended() {
    on_every_store(|kind| async move {
        let sms = Arc::new(TooLate {
            verifier: OnceLock::new(),
            session: OnceLock::new(),
        });
        let first = Arc::clone(&sms);
        let setup = Setup {
            finish: Box::new(move |builder| {
                builder.deliverer(Channel::Sms, Arc::clone(&first) as _)
            }),
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        let known = (bench.verifier.clone(), bench.tenant.clone());
        sms.verifier.set(known).unwrap();
        let to = Destination::parse_any(TO).unwrap();
        let mut request = SendRequest::new(&bench.tenant, Channel::Sms, &to);
        request.fallbacks = &[Channel::Voice];
        let Opened::Pending(pending) = bench.verifier.open(&request).await.unwrap() else {
            panic!("{kind:?}: answered before");
        };
        let sent = pending.sent().clone();
        sms.session.set(sent.session_id.to_string()).unwrap();
        assert!(pending.deliver().await.is_err(), "{kind:?}");
        assert!(bench.inbox.is_empty(), "{kind:?}: voice was called");
        let seen = bench.status(&sent).await;
        assert_eq!(
            (seen.state, seen.channel),
            (SessionState::Cancelled, Channel::Sms)
        );
    });
}
