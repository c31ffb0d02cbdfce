//! What a policy may say, and what is refused by name.

use super::*;

#[test]
fn the_default_and_the_console_policy_are_valid() {
    assert_eq!(Policy::default().validate(), Ok(()));
    assert_eq!(Policy::for_console().validate(), Ok(()));
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
    let refused = |change: fn(&mut Policy)| {
        let mut policy = Policy::default();
        change(&mut policy);
        policy.validate().unwrap_err().field
    };
    assert_eq!(refused(|p| p.max_attempts = 0), "max_attempts");
    assert_eq!(refused(|p| p.max_attempts = 255), "max_attempts");
    assert_eq!(refused(|p| p.lifetime_seconds = 0), "lifetime_seconds");
    assert_eq!(
        refused(|p| p.lifetime_seconds = u32::MAX),
        "lifetime_seconds"
    );
    assert_eq!(
        refused(|p| p.phone_ceiling_seconds = 601),
        "phone_ceiling_seconds"
    );
    assert_eq!(
        refused(|p| p.email_ceiling_seconds = 299),
        "email_ceiling_seconds"
    );
    assert_eq!(refused(|p| p.max_sends = 0), "max_sends");
    assert_eq!(refused(|p| p.resend = ResendPolicy::KeepLast(4)), "resend");
    assert_eq!(refused(|p| p.resend = ResendPolicy::KeepLast(0)), "resend");
    assert_eq!(refused(|p| p.destination.sends[0].max = 0), "destination");
    assert_eq!(
        refused(|p| p.destination.failures[1].seconds = 1),
        "destination"
    );
    assert_eq!(
        refused(|p| p.known_device.live_sessions = 0),
        "known_device"
    );
    assert_eq!(refused(|p| p.destination.lock_after = 0), "destination");
    assert_eq!(
        refused(|p| p.destination.live_sessions = 20),
        "record_bytes"
    );
}

#[test]
fn a71_nonsense_about_money_is_refused_by_name() {
    let refused = |change: fn(&mut Policy)| {
        let mut policy = Policy::default();
        change(&mut policy);
        policy.validate().unwrap_err().field
    };
    let conversion = |change: fn(&mut Conversion)| {
        let mut conversion = Conversion::default();
        change(&mut conversion);
        let prefix_conversion = Some(conversion);
        let policy = Policy {
            prefix_conversion,
            ..Policy::default()
        };
        policy.validate().unwrap_err().field
    };
    assert_eq!(
        refused(|p| p.tenant_daily_spend_micros = Some(0)),
        "tenant_daily_spend_micros"
    );
    assert_eq!(
        refused(|p| p.total_daily_spend_micros = Some(0)),
        "total_daily_spend_micros"
    );
    for limit in [
        Limit::new(0, 60),
        Limit::new(1, 0),
        Limit::new(40_001, HOUR),
    ] {
        let policy = Policy {
            prefix_sends: Some(limit),
            ..Policy::default()
        };
        let field = policy.validate().unwrap_err().field;
        assert_eq!(field, "prefix_sends");
    }
    for (field, messages) in [("messages", 9), ("messages", 101)] {
        let policy = Policy {
            prefix_conversion: Some(Conversion {
                messages,
                ..Conversion::default()
            }),
            ..Policy::default()
        };
        let refused = policy.validate().unwrap_err().field;
        assert_eq!(refused.strip_prefix("prefix_conversion."), Some(field));
    }
    assert_eq!(conversion(|c| c.percent = 0), "prefix_conversion.percent");
    assert_eq!(conversion(|c| c.percent = 91), "prefix_conversion.percent");
    assert_eq!(
        conversion(|c| c.window_seconds = 59),
        "prefix_conversion.window_seconds"
    );
    assert_eq!(
        conversion(|c| c.trial_seconds = 0),
        "prefix_conversion.trial_seconds"
    );
}

/// The field that is refused, or none.
fn refusal(change: impl FnOnce(&mut Policy)) -> &'static str {
    let mut policy = Policy::default();
    change(&mut policy);
    policy.validate().map_or_else(|error| error.field, |()| "")
}

#[test]
fn a71_each_number_is_allowed_up_to_its_bounds_and_no_further() {
    type Set = fn(&mut Policy, u32);
    fn set(set: Set) -> Set {
        set
    }
    fn converted(policy: &mut Policy) -> &mut Conversion {
        policy.prefix_conversion.get_or_insert_default()
    }
    // A code must not outlive its session, and the default code lives for 300 s.
    for (field, set, least, most) in [
        (
            "phone_ceiling_seconds",
            set(|p, n| p.phone_ceiling_seconds = n),
            300,
            600,
        ),
        (
            "email_ceiling_seconds",
            set(|p, n| p.email_ceiling_seconds = n),
            300,
            DAY,
        ),
        (
            "lifetime_seconds",
            set(|p, n| {
                (p.lifetime_seconds, p.email_ceiling_seconds) = (n, DAY);
            }),
            10,
            DAY,
        ),
        (
            "resend_cooldown_seconds",
            set(|p, n| p.resend_cooldown_seconds = n),
            0,
            HOUR,
        ),
        (
            "prefix_conversion.window_seconds",
            set(|p, n| {
                converted(p).window_seconds = n;
            }),
            60,
            31 * DAY,
        ),
        (
            "prefix_conversion.trial_seconds",
            set(|p, n| {
                converted(p).trial_seconds = n;
            }),
            1,
            DAY,
        ),
        (
            "destination",
            set(|p, n| p.destination.sends[1].seconds = n),
            600,
            31 * DAY,
        ),
        (
            "known_device",
            set(|p, n| p.known_device.failures[1].seconds = n),
            HOUR,
            31 * DAY,
        ),
        (
            "destination",
            set(|p, n| p.destination.failures[0].seconds = n),
            1,
            DAY,
        ),
    ] {
        for allowed in [least, most] {
            assert_eq!(
                refusal(|policy| set(policy, allowed)),
                "",
                "{field} {allowed}"
            );
        }
        for refused in [least.checked_sub(1), Some(most + 1)].into_iter().flatten() {
            assert_eq!(refusal(|policy| set(policy, refused)), field, "{refused}");
        }
    }
}

#[test]
fn a71_so_is_each_small_one() {
    type Set = fn(&mut Policy, u8);
    fn set(set: Set) -> Set {
        set
    }
    for (field, set, least, most) in [
        ("max_attempts", set(|p, n| p.max_attempts = n), 1, 10),
        ("max_sends", set(|p, n| p.max_sends = n), 1, 10),
        (
            "resend",
            set(|p, n| p.resend = ResendPolicy::KeepLast(n)),
            2,
            3,
        ),
        (
            "prefix_conversion.percent",
            set(|p, n| {
                p.prefix_conversion.get_or_insert_default().percent = n;
            }),
            1,
            90,
        ),
        (
            "prefix_conversion.messages",
            set(|p, n| {
                p.prefix_conversion.get_or_insert_default().messages = n;
            }),
            10,
            100,
        ),
    ] {
        for allowed in [least, most] {
            // Few attempts for one who keeps more of them: the record has its bound too.
            let few = |policy: &mut Policy| policy.destination.live_sessions = 1;
            assert_eq!(
                refusal(|policy| {
                    few(policy);
                    set(policy, allowed)
                }),
                "",
                "{field}"
            );
        }
        for refused in [least - 1, most + 1] {
            assert_eq!(refusal(|policy| set(policy, refused)), field, "{refused}");
        }
    }
    for (allowed, refused) in [(1, 0), (1000, 1001)] {
        assert_eq!(
            refusal(|policy| policy.destination.lock_after = allowed),
            ""
        );
        assert_eq!(
            refusal(|policy| policy.known_device.lock_after = refused),
            "known_device"
        );
    }
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
