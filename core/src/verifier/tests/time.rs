//! When a code begins to be good, and how long a resend makes it so.

use super::scene::{START, Scene, With, throttled};
use crate::{Limit, ResendRequest, Timestamp, Verdict};

/// By how much a clock may have been set back since a session was opened, in milliseconds.
const SLACK: u64 = 5000;

#[test]
fn a63_a_clock_five_seconds_before_the_opening_is_believed_and_no_earlier_one() {
    let scene = Scene::new();
    let (sent, code) = (scene.send(), scene.code());
    let at = |before: u64| {
        scene
            .clock
            .set(Timestamp::from_millis(START.as_millis() - before));
    };
    at(SLACK + 1);
    assert_eq!(scene.check(&sent, &code), Verdict::Expired);
    at(SLACK);
    assert!(scene.check(&sent, &code).is_verified());
}

#[test]
fn a_resend_gives_the_whole_lifetime_again_and_never_more_than_the_ceiling_from_the_opening() {
    let scene = Scene::with_policy(|policy| policy.phone_ceiling_seconds = 500);
    let sent = scene.send();
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    for (passed, good_for) in [(100, 300), (200, 200)] {
        scene.clock.advance_secs(passed);
        assert_eq!(scene.try_resend(&again).unwrap().expires_in, good_for);
    }
    scene.clock.advance_secs(199);
    assert!(scene.check(&sent, &scene.code()).is_verified());
}

#[test]
fn nobody_is_told_of_a_resend_that_would_come_too_late() {
    let scene = Scene::new();
    for (lifetime, resend_after) in [(30, None), (31, Some(30))] {
        let mut request = scene.request();
        request.ttl_seconds = Some(lifetime);
        assert_eq!(scene.try_send(&request).unwrap().resend_after, resend_after);
    }
}

/// The second it tells of is the first at which a resend is taken.
#[test]
fn who_waits_as_long_as_he_is_told_can_resend() {
    let limits = [Limit::new(2, 100), Limit::new(9, 3600)];
    let scene = Scene::with_policy(|policy| policy.destination.sends = limits);
    let sent = scene.send();
    assert_eq!(sent.resend_after, Some(30));
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    scene.clock.advance_secs(30);
    let resent = scene.try_resend(&again).unwrap();
    assert_eq!(resent.resend_after, Some(70), "two in a hundred seconds");
    scene.clock.advance_secs(69);
    throttled(scene.try_resend(&again));
    scene.clock.advance_secs(1);
    scene.try_resend(&again).unwrap();
}

#[test]
fn nobody_is_told_of_a_resend_that_the_lane_allows_too_late_or_never() {
    let scene = Scene::new();
    let mut request = scene.request();
    request.known_device = true;
    let sent = scene.try_send(&request).unwrap();
    assert_eq!(sent.resend_after, None, "one in ten minutes");
}

#[test]
fn a_repeated_attempt_is_told_again_for_a_minute() {
    let scene = Scene::new();
    let (sent, wrong) = (scene.send(), scene.wrong());
    for (passed, left) in [(0, 4), (60_000, 4), (1, 3)] {
        scene.clock.advance_millis(passed);
        let verdict = scene.check_with(&sent, &wrong, With::attempt("a-1"));
        assert_eq!(verdict.attempts_remaining(), left, "{passed} ms later");
    }
}

#[test]
fn attempts_are_remembered_side_by_side() {
    let scene = Scene::new();
    let (sent, wrong) = (scene.send(), scene.wrong());
    for (id, left) in [("a-1", 4), ("a-2", 3), ("a-1", 4), ("a-2", 3)] {
        let verdict = scene.check_with(&sent, &wrong, With::attempt(id));
        assert_eq!(verdict.attempts_remaining(), left, "{id}");
    }
}

#[test]
fn a19_an_approved_attempt_is_told_again_in_time_and_not_at_its_end() {
    let scene = Scene::new();
    let (sent, code) = (scene.send(), scene.code());
    let tell = || scene.check_with(&sent, &code, With::attempt("a-1"));
    scene.clock.advance_secs(299);
    assert!(tell().is_verified());
    scene.clock.advance_millis(999);
    assert!(tell().is_verified());
    scene.clock.advance_millis(1);
    assert_eq!(tell(), Verdict::Expired);
}

#[test]
fn a_verifier_tells_its_policy() {
    let scene = Scene::with_policy(|policy| policy.phone_ceiling_seconds = 500);
    assert_eq!(scene.verifier.policy().phone_ceiling_seconds, 500);
}
