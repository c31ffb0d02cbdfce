//! What owners and operators see and do.

use super::scene::{Scene, email, number, ring, tenant};
use crate::at_once::now;
use crate::{Channel, DeliveryState, SendRequest, SessionState, Tenant, Verdict, Verifier};

#[test]
fn a_cancelled_session_is_over_and_a_stranger_cancels_none() {
    let scene = Scene::new();
    let sent = scene.send();
    let id = sent.session_id.to_string();
    let stranger = tenant("stranger");
    let cancel = |by: &Tenant, id: &str| now(scene.verifier.cancel(by, id)).unwrap();
    assert_eq!(cancel(&stranger, &id), None);
    assert_eq!(cancel(&scene.tenant, "sess_none"), None);
    assert_eq!(scene.status(&sent).state, SessionState::Live);
    let cancelled = cancel(&scene.tenant, &id).unwrap();
    assert_eq!(
        (cancelled.state, cancelled.attempts_remaining),
        (SessionState::Cancelled, 0)
    );
    assert_eq!(scene.check(&sent, &scene.code()), Verdict::Cancelled);
}

#[test]
fn an_inspection_shows_sessions_by_their_ids_and_what_is_left() {
    let scene = Scene::new();
    let sent = scene.send();
    let _wrong = scene.check(&sent, &scene.wrong());
    let seen = now(scene.verifier.inspect(&scene.tenant, &scene.to)).unwrap();
    assert_eq!(seen.open.sends_left, [4, 9]);
    assert_eq!(seen.open.failures_left, [9, 19]);
    assert_eq!((seen.open.streak, seen.open.locked), (1, false));
    let [view] = &seen.sessions[..] else {
        panic!("{seen:?}");
    };
    let id = scene.verifier.session_id(&scene.tenant, &scene.to, view);
    assert_eq!(id, Some(sent.session_id));
    // Under a ring that has lost the session's key there is no such id.
    let without = Verifier::builder(ring(&[9]), scene.store.clone())
        .build()
        .unwrap();
    assert_eq!(without.session_id(&scene.tenant, &scene.to, view), None);
    now(scene.verifier.reset(&scene.tenant, &scene.to)).unwrap();
    let seen = now(scene.verifier.inspect(&scene.tenant, &scene.to)).unwrap();
    assert_eq!((seen.open.sends_left, seen.open.streak), ([5, 10], 0));
    assert_eq!(seen.sessions.len(), 1, "its sessions stay");
    let nobody = now(scene.verifier.inspect(&scene.tenant, &email(9))).unwrap();
    assert!(nobody.sessions.is_empty());
}

#[test]
fn what_means_nothing_any_more_is_swept_by_every_32nd_send() {
    let scene = Scene::new();
    scene.send();
    scene.clock.advance_secs(3 * 24 * 3600);
    for n in 2..=32 {
        assert_eq!(scene.records(), n - 1);
        let to = number(100 + u32::try_from(n).unwrap());
        let request = SendRequest::new(&scene.tenant, Channel::Sms, &to);
        scene.try_send(&request).unwrap();
    }
    assert_eq!(scene.records(), 31, "the first one's is gone");
    scene.clock.advance_secs(3 * 24 * 3600);
    assert_eq!(now(scene.verifier.sweep(30)).unwrap(), 30);
    assert_eq!(
        (now(scene.verifier.sweep(30)).unwrap(), scene.records()),
        (1, 0)
    );
}

#[test]
fn what_is_shown_of_a_verifier_is_no_secret() {
    let scene = Scene::new();
    let sent = scene.send();
    let shown = format!("{:?} {sent:?}", scene.verifier);
    assert!(shown.starts_with("Verifier"), "{shown}");
    assert!(shown.contains("policy"), "{shown}");
    assert!(!shown.contains(&scene.code()), "{shown}");
    assert_eq!(scene.verifier.policy().max_attempts, 5);
    assert_eq!(scene.status(&sent).delivery, DeliveryState::Accepted);
}
