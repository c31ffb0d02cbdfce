//! Requests that are repeated under an idempotency key.

use super::scene::{Failing, Scene, change, email, keys, number, ring, tenant, throttled};
use crate::at_once::now;
use crate::code::{Alphabet, Code, CodeForm};
use crate::{
    Channel, DeliverError, DeliveryMode, Limit, LimitName, Opened, Permanent, Policy, Purpose,
    Recorder, SendError, SendRequest, Sent, SentDelivery, Verdict, Verifier,
};

const KEY: Option<&str> = Some("order-7");

#[track_caller]
fn same_again(scene: &Scene, request: &SendRequest<'_>) -> Sent {
    let first = scene.try_send(request).unwrap();
    let messages = scene.inbox.len();
    scene.clock.advance_secs(59);
    assert_eq!(scene.try_send(request).unwrap(), first);
    assert_eq!(scene.inbox.len(), messages, "nothing leaves again");
    first
}

#[test]
fn an_answer_comes_back_whole() {
    for (channel, to) in [
        (Channel::Sms, number(1)),
        (Channel::Voice, number(2)),
        (Channel::Email, email(3)),
    ] {
        for form in [
            CodeForm::SIX_DIGITS,
            CodeForm::new(8, Alphabet::Alphanumeric).unwrap(),
        ] {
            let scene = Scene::new();
            let mut request = SendRequest::new(&scene.tenant, channel, &to);
            request.idempotency_key = KEY;
            request.form = Some(form);
            request.ttl_seconds = Some(300);
            let sent = same_again(&scene, &request);
            assert_eq!((sent.channel, sent.form), (channel, form));
            assert_eq!((sent.expires_in, sent.resend_after), (300, Some(30)));
            assert_eq!(sent.attempts_remaining, 5);
            assert_eq!(sent.delivery, SentDelivery::Accepted);
            assert!(scene.check(&sent, &scene.code()).is_verified());
        }
    }
}

#[test]
fn so_does_one_without_a_resend() {
    let scene = Scene::with_policy(|policy| policy.max_sends = 1);
    let mut request = scene.request();
    request.idempotency_key = KEY;
    assert_eq!(same_again(&scene, &request).resend_after, None);
}

#[test]
fn an_acknowledged_answer_comes_back_while_its_message_is_on_its_way() {
    let scene = Scene::new();
    let mut request = scene.request();
    request.idempotency_key = KEY;
    request.delivery = DeliveryMode::Background;
    let Opened::Pending(mut pending) = now(scene.verifier.open(&request)).unwrap() else {
        panic!("nothing was answered before");
    };
    now(pending.acknowledge());
    assert_eq!(pending.sent().delivery, SentDelivery::Background);
    assert_eq!(&scene.try_send(&request).unwrap(), pending.sent());
    assert!(scene.inbox.is_empty());
    now(pending.deliver()).unwrap();
    assert_eq!(scene.inbox.len(), 1);
}

#[test]
fn a_failure_comes_back_as_what_it_was() {
    for (failure, again) in [
        (DeliverError::transient(), true),
        (DeliverError::permanent(Permanent::Blocked), false),
    ] {
        let scene = Scene::new();
        let mut request = scene.request();
        request.idempotency_key = KEY;
        scene.inbox.fail_with(Some(failure));
        let failed = |answer: Result<Sent, SendError>| match answer {
            Err(SendError::Delivery {
                session_id,
                retryable,
                error,
            }) => {
                assert_eq!((retryable, error.is_transient()), (again, again));
                session_id
            }
            other => panic!("{other:?}"),
        };
        let first = failed(scene.try_send(&request));
        scene.inbox.fail_with(None);
        assert_eq!(failed(scene.try_send(&request)), first);
        assert!(scene.inbox.is_empty());
    }
}

/// Everything that is asked for is part of what a key stands for.
#[test]
fn another_request_under_the_same_key_is_refused() {
    let scene = Scene::new();
    let mut request = scene.request();
    request.idempotency_key = KEY;
    let first = scene.try_send(&request).unwrap();
    for change in [
        change(|request| request.channel = Channel::Voice),
        change(|request| request.fallbacks = &[Channel::Voice]),
        change(|request| request.purpose = Purpose::new("login").unwrap()),
        change(|request| request.binding = Some(b"")),
        change(|request| request.binding = Some(b"10 NOK")),
        change(|request| request.locale = Some("nb")),
        change(|request| request.form = Some(CodeForm::SIX_DIGITS)),
        change(|request| request.ttl_seconds = Some(299)),
        change(|request| request.custom_code = Code::from_custom("123456").ok()),
        change(|request| request.end_user_ip = Some([192, 0, 2, 1].into())),
        change(|request| request.known_device = true),
        change(|request| request.delivery = DeliveryMode::Background),
        change(|request| request.app_hash = Some("FA+9qCX9VSu")),
        change(|request| request.origin = Some("example.com")),
    ] {
        let mut other = scene.request();
        other.idempotency_key = KEY;
        change(&mut other);
        let answer = scene.try_send(&other);
        assert!(
            matches!(answer, Err(SendError::IdempotencyMismatch)),
            "{other:?}"
        );
    }
    let mut replacing = scene.request();
    replacing.idempotency_key = KEY;
    replacing.replaces = Some(first.session_id);
    let answer = scene.try_send(&replacing);
    assert!(matches!(answer, Err(SendError::IdempotencyMismatch)));
    let to = number(2);
    let mut elsewhere = SendRequest::new(&scene.tenant, Channel::Sms, &to);
    elsewhere.idempotency_key = KEY;
    let answer = scene.try_send(&elsewhere);
    assert!(matches!(answer, Err(SendError::IdempotencyMismatch)));
    let stranger = tenant("stranger");
    let mut theirs = SendRequest::new(&stranger, Channel::Sms, &scene.to);
    theirs.idempotency_key = KEY;
    assert_ne!(
        scene.try_send(&theirs).unwrap().session_id,
        first.session_id
    );
    assert_eq!(scene.try_send(&request).unwrap(), first);
}

#[test]
fn one_that_is_being_worked_on_asks_to_come_again() {
    let scene = Scene::new();
    let mut request = scene.request();
    request.idempotency_key = KEY;
    let pending = now(scene.verifier.open(&request)).unwrap();
    scene.clock.advance_secs(20);
    match scene.try_send(&request) {
        Err(SendError::IdempotencyInProgress { retry_after }) => assert_eq!(retry_after, 40),
        other => panic!("{other:?}"),
    }
    // Cut off: whoever comes after the lease learns of the session, and that its message
    // may have left.
    drop(pending);
    scene.clock.advance_secs(40);
    let unknown = scene.try_send(&request).unwrap();
    assert_eq!(unknown.delivery, SentDelivery::Unknown);
    assert_eq!(scene.try_send(&request).unwrap(), unknown);
    assert!(scene.inbox.is_empty());
}

#[test]
fn a_refusal_frees_the_key_at_once() {
    let scene = Scene::with_policy(|policy| policy.destination.live_sessions = 1);
    let first = scene.send();
    let mut request = scene.request();
    request.idempotency_key = KEY;
    for _ in 0..2 {
        let answer = scene.try_send(&request);
        assert!(
            matches!(answer, Err(SendError::Throttled { .. })),
            "{answer:?}"
        );
    }
    assert!(scene.check(&first, &scene.code()).is_verified());
    let sent = scene.try_send(&request).unwrap();
    assert!(scene.check(&sent, &scene.code()).is_verified());
}

/// A68: who is refused again and again leaves no more than is swept.
#[test]
fn a68_a_refusal_leaves_nothing_of_its_key() {
    let scene = Scene::with_policy(|policy| policy.tenant_sends = Some(Limit::new(1, 3600)));
    scene.send();
    let held = scene.records();
    for n in 0..1000 {
        let (key, to) = (format!("try-{n}"), number(2));
        let mut request = SendRequest::new(&scene.tenant, Channel::Sms, &to);
        request.idempotency_key = Some(&key);
        let (limit, _) = throttled(scene.try_send(&request));
        assert_eq!(limit, LimitName::TenantSends);
        assert!(scene.records() <= held + 128, "{n}: {}", scene.records());
    }
}

/// What a try opened that was cut off may have ended since, or may have been in a life of the
/// store that is over: then nobody is promised a code that works.
#[test]
fn a_retry_is_not_told_that_a_session_lives_which_is_over() {
    for is_lost in [false, true] {
        let scene = Scene::new();
        let mut request = scene.request();
        request.idempotency_key = KEY;
        drop(now(scene.verifier.open(&request)).unwrap());
        if is_lost {
            scene.store.fence();
        }
        scene.clock.advance_secs(60);
        let sent = scene.try_send(&request).unwrap();
        let told = (sent.expires_in, sent.attempts_remaining, sent.resend_after);
        let expected = if is_lost {
            (0, 0, None)
        } else {
            (240, 5, Some(0))
        };
        assert_eq!((told, sent.delivery), (expected, SentDelivery::Unknown));
    }
}

#[test]
fn an_answer_under_an_older_key_keeps_its_id() {
    let scene = Scene::new();
    let rotated = Verifier::builder(ring(&[3, 2]), scene.store.clone())
        .deliverer(Channel::Sms, scene.inbox.clone())
        .build()
        .unwrap();
    let mut request = scene.request();
    request.idempotency_key = KEY;
    let first = scene.try_send(&request).unwrap();
    assert_eq!(now(rotated.send(&request)).unwrap(), first);
    assert_eq!(scene.inbox.len(), 1);
}

/// The store goes down after each number of writes: whatever had happened by then, a retry
/// finds one session and sends at most one message.
#[test]
fn a_send_that_is_cut_off_anywhere_is_one_send_when_it_is_repeated() {
    let mut cut = 0;
    for writes in 0..12 {
        let (store, inbox) = (Failing::new(), std::sync::Arc::new(Recorder::new()));
        let verifier = Verifier::builder(keys(), store.clone())
            .deliverer(Channel::Sms, inbox.clone())
            .build()
            .unwrap();
        let (acme, to) = (tenant("acme"), number(1));
        let mut request = SendRequest::new(&acme, Channel::Sms, &to);
        request.idempotency_key = KEY;
        request.end_user_ip = Some([192, 0, 2, 1].into());
        store.after(Some(writes));
        let first = now(verifier.send(&request));
        cut += u32::from(first.is_err());
        store.after(None);
        let again = match now(verifier.send(&request)) {
            Err(SendError::IdempotencyInProgress { .. }) => continue,
            again => again.unwrap(),
        };
        if let Ok(first) = first {
            assert_eq!(again.session_id, first.session_id, "{writes}");
        }
        assert_eq!(inbox.len(), 1, "{writes}");
        let (id, code) = (again.session_id.to_string(), inbox.last_code().unwrap());
        let check = crate::CheckRequest::new(&acme, &id, &code);
        let verdict = now(verifier.check(&check)).unwrap();
        assert_eq!(
            verdict,
            Verdict::Verified {
                channel: Channel::Sms
            },
            "{writes}"
        );
    }
    assert!((1..12).contains(&cut), "{cut}");
}

/// Else one refused caller would keep the store busy, and for a moment charge others' limits.
#[test]
fn a_send_that_a_limit_refuses_writes_nothing() {
    let (store, inbox) = (Failing::new(), std::sync::Arc::new(Recorder::new()));
    let policy = Policy {
        tenant_sends: Some(Limit::new(1, 60)),
        ..Policy::default()
    };
    let verifier = Verifier::builder(keys(), store.clone())
        .policy(policy)
        .deliverer(Channel::Sms, inbox.clone())
        .build()
        .unwrap();
    let (acme, to) = (tenant("acme"), [number(1), number(2)]);
    let [first, refused] = to.each_ref().map(|to| {
        let mut request = SendRequest::new(&acme, Channel::Sms, to);
        request.end_user_ip = Some([192, 0, 2, 1].into());
        request
    });
    now(verifier.send(&first)).unwrap();
    store.after(Some(0));
    let (limit, _) = throttled(now(verifier.send(&refused)));
    assert_eq!((limit, inbox.len()), (LimitName::TenantSends, 1));
}
