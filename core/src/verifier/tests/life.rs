//! A session from its send to its end.

use std::sync::Arc;

use super::scene::{START, Scene, With, email, number, tenant, throttled};
use crate::at_once::now;
use crate::{
    Channel, Clock, Destination, FakeClock, Limit, LimitName, Policy, Purpose, RandomUnavailable,
    Randomness, ResendPolicy, ResendRequest, SendError, SendRequest, SessionState, Verdict,
};

const VERIFIED: Verdict = Verdict::Verified {
    channel: Channel::Sms,
};

#[test]
fn a_code_is_good_once_and_wrong_ones_count_down() {
    let scene = Scene::new();
    assert!(scene.store.is_empty() && scene.inbox.is_empty());
    let sent = scene.send();
    assert!(!scene.store.is_empty() && !scene.inbox.is_empty());
    let (code, wrong) = (scene.code(), scene.wrong());
    for left in [4, 3, 2] {
        let attempts_remaining = left;
        let verdict = scene.check(&sent, &wrong);
        assert_eq!(verdict, Verdict::WrongCode { attempts_remaining });
    }
    assert_eq!(
        scene.check(&sent, "1234"),
        Verdict::Malformed {
            attempts_remaining: 2
        }
    );
    assert_eq!(scene.check(&sent, &code), VERIFIED);
    assert_eq!(scene.check(&sent, &code), Verdict::AlreadyUsed);
    assert_eq!(scene.status(&sent).state, SessionState::Verified);
}

#[test]
fn it_is_good_for_its_own_tenant_purpose_and_binding_only() {
    let scene = Scene::new();
    let (purpose, other) = (Purpose::new("payment").unwrap(), Purpose::default());
    let mut request = scene.request();
    request.purpose = purpose.clone();
    request.binding = Some(b"10 NOK");
    let sent = scene.try_send(&request).unwrap();
    let code = scene.code();
    let stranger = tenant("stranger");
    let with = |purpose, binding| With {
        purpose,
        binding,
        attempt_id: None,
    };
    let unknown = scene.check_with(&sent, &code, with(Some(&other), Some(b"10 NOK")));
    assert_eq!(unknown, Verdict::Unknown);
    let id = sent.session_id.to_string();
    let mut theirs = crate::CheckRequest::new(&stranger, &id, &code);
    theirs.purpose = Some(&purpose);
    theirs.binding = Some(b"10 NOK");
    assert_eq!(
        now(scene.verifier.check(&theirs)).unwrap(),
        Verdict::Unknown
    );
    let attempts_remaining = 4;
    let wrong = scene.check_with(&sent, &code, with(Some(&purpose), Some(b"99 NOK")));
    assert_eq!(wrong, Verdict::WrongCode { attempts_remaining });
    let right = scene.check_with(&sent, &code, with(Some(&purpose), Some(b"10 NOK")));
    assert_eq!(right, VERIFIED);
}

#[test]
fn an_attempt_that_is_repeated_is_one() {
    let scene = Scene::new();
    let sent = scene.send();
    let wrong = scene.wrong();
    let attempt = |code: &str, id| scene.check_with(&sent, code, With::attempt(id));
    for _ in 0..3 {
        assert_eq!(attempt(&wrong, "a-1").attempts_remaining(), 4);
    }
    assert_eq!(attempt(&wrong, "a-2").attempts_remaining(), 3);
    for _ in 0..3 {
        assert_eq!(attempt(&scene.code(), "a-3"), VERIFIED);
    }
    assert_eq!(attempt(&scene.code(), "a-4"), Verdict::AlreadyUsed);
}

#[test]
fn an_attempt_id_that_cannot_be_kept_is_refused_uncharged() {
    let scene = Scene::new();
    let sent = scene.send();
    let id = sent.session_id.to_string();
    let long = "i".repeat(256);
    for refused in ["", "a b", "é", &long] {
        let mut check = crate::CheckRequest::new(&scene.tenant, &id, "123456");
        check.attempt_id = Some(refused);
        let refused = now(scene.verifier.check(&check)).unwrap_err();
        assert!(refused.to_string().contains("attempt_id"), "{refused}");
    }
    assert_eq!(scene.status(&sent).attempts_remaining, 5);
    let right = scene.check_with(&sent, &scene.code(), With::attempt(&long[..255]));
    assert_eq!(right, VERIFIED);
}

#[test]
fn its_time_ends_it() {
    let scene = Scene::new();
    let (first, code) = (scene.send(), scene.code());
    scene.clock.advance_secs(299);
    let second = scene.send();
    assert_eq!(scene.check(&first, &code), VERIFIED);
    let code = scene.code();
    scene.clock.advance_secs(300);
    assert_eq!(scene.check(&second, &code), Verdict::Expired);
    assert_eq!(scene.status(&second).state, SessionState::Expired);
}

/// Decided by the verifier's own clock where it has one, else by the store's.
#[test]
fn a_clock_of_its_own_decides() {
    let own = Arc::new(FakeClock::at(START));
    let scene = Scene::with(|builder| builder.clock(own.clone() as Arc<dyn Clock>));
    let sent = scene.send();
    scene.clock.advance_secs(1000);
    assert_eq!(scene.status(&sent).state, SessionState::Live);
    own.advance_secs(300);
    assert_eq!(scene.check(&sent, &scene.code()), Verdict::Expired);
}

#[test]
fn a_resend_rotates_the_code_and_gives_no_guess_back() {
    let scene = Scene::new();
    let (sent, first) = (scene.send(), scene.code());
    let _wrong = scene.check(&sent, &scene.wrong());
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    assert_eq!(
        throttled(scene.try_resend(&again)),
        (LimitName::ResendCooldown, 30)
    );
    scene.clock.advance_secs(30);
    let resent = scene.try_resend(&again).unwrap();
    assert_eq!(
        (resent.session_id, resent.attempts_remaining),
        (sent.session_id, 4)
    );
    assert_eq!(resent.channel, Channel::Sms);
    assert_ne!(
        scene.code(),
        first,
        "one time in a million they are the same"
    );
    assert_eq!(scene.check(&sent, &first).attempts_remaining(), 3);
    scene.clock.advance_secs(30);
    let mut spoken = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    spoken.channel = Some(Channel::Voice);
    let spoken = scene.try_resend(&spoken).unwrap();
    assert_eq!(
        (spoken.channel, spoken.resend_after),
        (Channel::Voice, None)
    );
    scene.clock.advance_secs(30);
    assert_eq!(
        throttled(scene.try_resend(&again)).0,
        LimitName::SessionSends
    );
    let channel = Channel::Voice;
    assert_eq!(
        scene.check(&sent, &scene.code()),
        Verdict::Verified { channel }
    );
    let over = scene.try_resend(&again);
    assert!(matches!(over, Err(SendError::NotLive)), "{over:?}");
    assert_eq!(scene.inbox.len(), 3);
}

#[test]
fn a_resend_is_for_the_session_s_own_destination_purpose_binding_and_tenant() {
    let scene = Scene::new();
    let mut request = scene.request();
    request.binding = Some(b"10 NOK");
    let sent = scene.try_send(&request).unwrap();
    scene.clock.advance_secs(30);
    let (elsewhere, stranger) = (number(2), tenant("stranger"));
    let own = || {
        let mut own = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
        own.binding = Some(b"10 NOK");
        own
    };
    let mut to_another = own();
    to_another.to = &elsewhere;
    let mut of_another = own();
    of_another.tenant = &stranger;
    let mut for_another = own();
    for_another.purpose = Purpose::new("login").unwrap();
    let mut unbound = own();
    unbound.binding = None;
    for request in [to_another, of_another, for_another, unbound] {
        let refused = scene.try_resend(&request);
        assert!(matches!(refused, Err(SendError::NotLive)), "{refused:?}");
    }
    let mut by_email = own();
    by_email.channel = Some(Channel::Email);
    let refused = scene.try_resend(&by_email);
    assert!(matches!(
        refused,
        Err(SendError::WrongChannel(Channel::Email))
    ));
    let mut in_no_language = own();
    in_no_language.locale = Some("e_");
    assert!(scene.try_resend(&in_no_language).is_err());
    assert_eq!((scene.inbox.len(), scene.status(&sent).sends), (1, 1));
    assert!(scene.try_resend(&own()).is_ok());
}

#[test]
fn the_same_code_is_sent_again_where_the_policy_says_so() {
    let scene = Scene::with_policy(|policy| policy.resend = ResendPolicy::Reuse);
    let (sent, first) = (scene.send(), scene.code());
    scene.clock.advance_secs(30);
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    scene.try_resend(&again).unwrap();
    assert_eq!(scene.code(), first);
    let mut request = scene.request();
    request.custom_code = crate::Code::from_custom("707070").ok();
    let chosen = scene.try_send(&request).unwrap();
    scene.clock.advance_secs(30);
    let again = ResendRequest::new(&scene.tenant, chosen.session_id, &scene.to);
    scene.try_resend(&again).unwrap();
    assert_ne!(
        scene.code(),
        "707070",
        "the caller's own is not derived from anything"
    );
    assert_eq!(scene.check(&chosen, &scene.code()), VERIFIED);
}

/// Whatever else would refuse it: nobody is told to come again for what is over.
#[test]
fn a_session_that_is_over_is_not_resent_even_where_a_limit_is_reached() {
    let scene = Scene::with_policy(|policy| policy.tenant_sends = Some(Limit::new(1, 600)));
    let sent = scene.send();
    scene.clock.advance_secs(30);
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    assert_eq!(
        throttled(scene.try_resend(&again)).0,
        LimitName::TenantSends
    );
    let id = sent.session_id.to_string();
    now(scene.verifier.cancel(&scene.tenant, &id)).unwrap();
    let over = scene.try_resend(&again);
    assert!(matches!(over, Err(SendError::NotLive)), "{over:?}");
}

#[test]
fn a_session_replaces_an_earlier_one_of_its_destination_only() {
    let scene = Scene::with_policy(|policy| policy.destination.live_sessions = 1);
    let first = scene.send();
    let other = number(2);
    let mut request = SendRequest::new(&scene.tenant, Channel::Sms, &other);
    request.replaces = Some(first.session_id);
    let refused = scene.try_send(&request).unwrap_err();
    assert!(refused.to_string().contains("replaces"), "{refused}");
    let mut request = scene.request();
    request.replaces = Some(first.session_id);
    let second = scene.try_send(&request).unwrap();
    assert_eq!(scene.status(&first).state, SessionState::Cancelled);
    assert_eq!(scene.check(&second, &scene.code()), VERIFIED);
}

#[test]
fn a_known_device_has_a_lane_of_its_own() {
    let scene = Scene::with_policy(|policy| {
        policy.destination.sends = [Limit::new(1, 600); 2];
        policy.known_device.sends = [Limit::new(1, 300); 2];
    });
    scene.send();
    assert_eq!(
        throttled(scene.try_send(&scene.request())),
        (LimitName::DestinationSends, 600)
    );
    let mut request = scene.request();
    request.known_device = true;
    let sent = scene.try_send(&request).unwrap();
    assert!(scene.status(&sent).known_device);
    assert_eq!(
        throttled(scene.try_send(&request)),
        (LimitName::DestinationSends, 300)
    );
    assert_eq!(scene.check(&sent, &scene.code()), VERIFIED);
}

#[test]
fn an_email_session_lives_as_long_as_its_ceiling_allows() {
    let scene = Scene::with_policy(|policy| {
        policy.email_ceiling_seconds = 3600;
        policy.phone_ceiling_seconds = 500;
    });
    let mail = email(1);
    let expiry = |channel, to: &Destination, fallbacks: &[Channel]| {
        let mut request = SendRequest::new(&scene.tenant, channel, to);
        request.ttl_seconds = Some(9999);
        request.fallbacks = fallbacks;
        scene.try_send(&request).unwrap().expires_in
    };
    assert_eq!(expiry(Channel::Email, &mail, &[]), 3600);
    assert_eq!(expiry(Channel::Sms, &scene.to, &[]), 500);
    assert_eq!(expiry(Channel::Voice, &scene.to, &[Channel::Sms]), 500);
}

#[test]
fn a_send_forgets_every_session_that_nobody_can_ask_for_any_more() {
    let scene = Scene::with_policy(|policy| policy.email_ceiling_seconds = 3600);
    let mail = email(1);
    let send = |seconds| {
        let mut request = SendRequest::new(&scene.tenant, Channel::Email, &mail);
        request.ttl_seconds = Some(seconds);
        scene.try_send(&request).unwrap()
    };
    let kept = || -> Vec<_> {
        let seen = now(scene.verifier.inspect(&scene.tenant, &mail)).unwrap();
        let id = |view| scene.verifier.session_id(&scene.tenant, &mail, view);
        seen.sessions.iter().filter_map(id).collect()
    };
    let (long, short) = (send(3600).session_id, send(10).session_id);
    scene.clock.advance_secs(10 + 15 * 60 - 1);
    let later = send(300).session_id;
    assert_eq!(kept(), [long, short, later]);
    scene.clock.advance_secs(1);
    let newest = send(300).session_id;
    assert_eq!(kept(), [long, later, newest]);
}

/// Draws the same for ever.
#[derive(Debug)]
struct Same;

impl Randomness for Same {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        bytes.fill(7);
        Ok(())
    }
}

#[test]
fn a_code_that_was_drawn_twice_is_right() {
    let policy = Policy {
        resend: ResendPolicy::KeepLast(2),
        ..Policy::default()
    };
    let scene = Scene::with(|builder| builder.policy(policy).randomness(Arc::new(Same)));
    let (sent, first) = (scene.send(), scene.code());
    scene.clock.advance_secs(30);
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    scene.try_resend(&again).unwrap();
    assert_eq!(scene.code(), first);
    assert_eq!(scene.check(&sent, &first), VERIFIED);
}
