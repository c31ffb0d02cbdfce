//! What a policy may say, and what is refused by name.

use std::fmt::Debug;

use super::*;

#[test]
fn the_default_and_the_console_policy_are_valid() {
    assert_eq!(Policy::default().validate(), Ok(()));
    assert_eq!(Policy::for_console().validate(), Ok(()));
}

#[test]
fn the_console_sends_more_and_guesses_no_more() {
    let (console, default) = (Policy::for_console(), Policy::default());
    assert_eq!(console.destination.sends, [Limit::new(100, 600); 2]);
    assert_eq!(console.destination.live_sessions, 5);
    assert_eq!((console.source_sends, console.network_sends), (None, None));
    assert_eq!(console.prefix_conversion, None);
    assert_eq!(console.destination.failures, default.destination.failures);
    assert_eq!(console.max_attempts, default.max_attempts);
}

#[test]
fn every_resend_policy_fits_the_default_record() {
    for resend in [
        ResendPolicy::KeepLast(2),
        ResendPolicy::KeepLast(3),
        ResendPolicy::Reuse,
    ] {
        assert_eq!(
            Policy {
                resend,
                ..Policy::default()
            }
            .validate(),
            Ok(())
        );
    }
}

#[test]
fn a71_a_limit_s_bounds_are_allowed_and_one_more_is_not() {
    let valid = |max, seconds| {
        let policy = Policy {
            source_sends: Some(Limit::new(max, seconds)),
            ..Policy::default()
        };
        policy.validate().is_ok()
    };
    assert!(valid(1, 1) && valid(40_000, 1));
    assert!(!valid(0, 1) && !valid(1, 0) && !valid(40_001, 1));
}

#[test]
fn a71_nonsense_is_refused_by_name() {
    assert_eq!(refusal(|p| p.max_attempts = 0), "max_attempts");
    assert_eq!(refusal(|p| p.max_attempts = 255), "max_attempts");
    assert_eq!(refusal(|p| p.lifetime_seconds = 0), "lifetime_seconds");
    assert_eq!(
        refusal(|p| p.lifetime_seconds = u32::MAX),
        "lifetime_seconds"
    );
    assert_eq!(
        refusal(|p| p.phone_ceiling_seconds = 601),
        "phone_ceiling_seconds"
    );
    assert_eq!(
        refusal(|p| p.email_ceiling_seconds = 299),
        "email_ceiling_seconds"
    );
    assert_eq!(refusal(|p| p.max_sends = 0), "max_sends");
    assert_eq!(refusal(|p| p.resend = ResendPolicy::KeepLast(4)), "resend");
    assert_eq!(refusal(|p| p.resend = ResendPolicy::KeepLast(0)), "resend");
    assert_eq!(refusal(|p| p.destination.sends[0].max = 0), "destination");
    assert_eq!(
        refusal(|p| p.destination.failures[1].seconds = 1),
        "destination"
    );
    assert_eq!(
        refusal(|p| p.known_device.live_sessions = 0),
        "known_device"
    );
    assert_eq!(refusal(|p| p.destination.lock_after = 0), "destination");
    assert_eq!(
        refusal(|p| p.destination.live_sessions = 20),
        "record_bytes"
    );
}

#[test]
fn a71_nonsense_about_money_is_refused_by_name() {
    assert_eq!(
        refusal(|p| p.tenant_daily_spend_micros = Some(0)),
        "tenant_daily_spend_micros"
    );
    assert_eq!(
        refusal(|p| p.total_daily_spend_micros = Some(0)),
        "total_daily_spend_micros"
    );
    for limit in [
        Limit::new(0, 60),
        Limit::new(1, 0),
        Limit::new(40_001, HOUR),
    ] {
        let refused = refusal(|policy| policy.prefix_sends = Some(limit));
        assert_eq!(refused, "prefix_sends");
    }
    for messages in [9, 101] {
        let refused = refusal(|p| converted(p).messages = messages);
        assert_eq!(refused, "prefix_conversion.messages");
    }
    assert_eq!(
        refusal(|p| converted(p).percent = 0),
        "prefix_conversion.percent"
    );
    assert_eq!(
        refusal(|p| converted(p).percent = 91),
        "prefix_conversion.percent"
    );
    assert_eq!(
        refusal(|p| converted(p).window_seconds = 59),
        "prefix_conversion.window_seconds"
    );
    assert_eq!(
        refusal(|p| converted(p).trial_seconds = 0),
        "prefix_conversion.trial_seconds"
    );
}

/// The field that is refused, or none.
fn refusal(change: impl FnOnce(&mut Policy)) -> &'static str {
    let mut policy = Policy::default();
    change(&mut policy);
    policy.validate().map_or_else(|error| error.field, |()| "")
}

/// Holds that a field may have its least and its most value, and refuses one beyond.
fn bounded<T: Copy + Debug>(
    field: &str,
    set: impl Fn(&mut Policy, T),
    [least, most]: [T; 2],
    beyond: &[T],
) {
    for allowed in [least, most] {
        let refused = refusal(|policy| set(policy, allowed));
        assert_eq!(refused, "", "{field} {allowed:?}");
    }
    for beyond in beyond {
        let refused = refusal(|policy| set(policy, *beyond));
        assert_eq!(refused, field, "{beyond:?}");
    }
}

fn converted(policy: &mut Policy) -> &mut Conversion {
    policy.prefix_conversion.get_or_insert_default()
}

#[test]
fn a71_times_are_allowed_up_to_their_bounds_and_no_further() {
    const MONTH: u32 = 31 * DAY;
    // No code outlives its session, and the default one lives for 300 s.
    let phone = |p: &mut Policy, n| p.phone_ceiling_seconds = n;
    bounded("phone_ceiling_seconds", phone, [300, 600], &[299, 601]);
    let email = |p: &mut Policy, n| p.email_ceiling_seconds = n;
    bounded("email_ceiling_seconds", email, [300, DAY], &[299, DAY + 1]);
    let life = |p: &mut Policy, n| (p.lifetime_seconds, p.email_ceiling_seconds) = (n, DAY);
    bounded("lifetime_seconds", life, [10, DAY], &[9, DAY + 1]);
    let pause = |p: &mut Policy, n| p.resend_cooldown_seconds = n;
    bounded("resend_cooldown_seconds", pause, [0, HOUR], &[HOUR + 1]);
    let window = |p: &mut Policy, n| converted(p).window_seconds = n;
    let field = "prefix_conversion.window_seconds";
    bounded(field, window, [60, MONTH], &[59, MONTH + 1]);
    let trial = |p: &mut Policy, n| converted(p).trial_seconds = n;
    let field = "prefix_conversion.trial_seconds";
    bounded(field, trial, [1, DAY], &[0, DAY + 1]);
    // The longer window is at least as long as the shorter one.
    let sends = |p: &mut Policy, n| p.destination.sends[1].seconds = n;
    bounded("destination", sends, [600, MONTH], &[599, MONTH + 1]);
    let failures = |p: &mut Policy, n| p.known_device.failures[1].seconds = n;
    bounded(
        "known_device",
        failures,
        [HOUR, MONTH],
        &[HOUR - 1, MONTH + 1],
    );
    let failures = |p: &mut Policy, n| p.destination.failures[0].seconds = n;
    bounded("destination", failures, [1, DAY], &[0, DAY + 1]);
}

#[test]
fn a71_so_are_counts() {
    // The record has its bound too: more attempts leave room for fewer sessions.
    let attempts = |p: &mut Policy, n| (p.max_attempts, p.destination.live_sessions) = (n, 1);
    bounded("max_attempts", attempts, [1, 10], &[0, 11]);
    bounded("max_sends", |p, n| p.max_sends = n, [1, 10], &[0, 11]);
    let kept = |p: &mut Policy, n| p.resend = ResendPolicy::KeepLast(n);
    bounded("resend", kept, [2, 3], &[1, 4]);
    let percent = |p: &mut Policy, n| converted(p).percent = n;
    bounded("prefix_conversion.percent", percent, [1, 90], &[0, 91]);
    let messages = |p: &mut Policy, n| converted(p).messages = n;
    bounded("prefix_conversion.messages", messages, [10, 100], &[9, 101]);
    let lock = |p: &mut Policy, n| p.destination.lock_after = n;
    bounded("destination", lock, [1, 1000], &[0, 1001]);
    let lock = |p: &mut Policy, n| p.known_device.lock_after = n;
    bounded("known_device", lock, [1, 1000], &[0, 1001]);
}

/// A worst record of 1,024 bytes fits, and one that is larger does not.
#[test]
fn a_record_may_have_1024_bytes() {
    let worst = |live_sessions, sends| {
        let mut policy = Policy::default();
        policy.destination.live_sessions = live_sessions;
        policy.destination.sends[1].max = sends;
        (worst_destination(&policy), policy.validate().is_ok())
    };
    let mut fitting = 0;
    for live_sessions in 1..=8 {
        for sends in 1..=40 {
            let (bytes, fits) = worst(live_sessions, sends);
            assert_eq!(fits, bytes <= 1024, "{bytes}");
            fitting = fitting.max(if fits { bytes } else { 0 });
        }
    }
    assert!(fitting > 1000, "{fitting}");
}

/// What one more of each makes the worst record longer by, in bytes.
#[test]
fn a_worst_record_grows_by_what_is_kept() {
    let worst = |change: fn(&mut Policy)| {
        let mut policy = Policy::default();
        change(&mut policy);
        worst_destination(&policy)
    };
    let default = worst(|_| ());
    assert_eq!(default, 761);
    let by = |change| worst(change) - default;
    assert_eq!(by(|p| p.destination.sends[1].max += 1), 5);
    assert_eq!(by(|p| p.known_device.failures[1].max += 1), 5);
    // Of four sessions that may be live, one of a known device.
    assert_eq!(by(|p| p.max_attempts += 1), 4 * 11);
    assert_eq!(by(|p| p.resend = ResendPolicy::KeepLast(2)), 4 * 16);
    let session = 55 + 16 + 5 * 11 + 8;
    assert_eq!(by(|p| p.destination.live_sessions += 1), session);
    assert_eq!(by(|p| p.known_device.live_sessions += 1), session);
    let without_prefix = worst(|p| p.prefix_conversion = None);
    assert_eq!(default - without_prefix, 4 * 8);
}
