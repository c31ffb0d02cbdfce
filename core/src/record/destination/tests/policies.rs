//! Policies that let a record grow: in sessions, in codes and failures, and at random.

use proptest::prelude::*;

use crate::policy::{Conversion, LaneLimits, Limit, Policy, ResendPolicy};

pub(super) fn lane_of(policy: &Policy, known_device: bool) -> LaneLimits {
    if known_device {
        policy.known_device
    } else {
        policy.destination
    }
}

/// Limits that let everything through, in windows of so many events.
fn limits(sends: u16, failures: u16, live_sessions: u8) -> LaneLimits {
    LaneLimits {
        sends: [Limit::new(sends, 600); 2],
        failures: [Limit::new(failures, 600), Limit::new(failures, 3600)],
        live_sessions,
        lock_after: 1000,
    }
}

/// A policy with as many live sessions as its other numbers leave room for.
fn widest(mut policy: Policy) -> Policy {
    policy.resend_cooldown_seconds = 0;
    policy.max_sends = 10;
    policy.email_ceiling_seconds = 3600;
    policy.lifetime_seconds = 600;
    while policy.validate().is_err() {
        let (open, device) = (&mut policy.destination, &mut policy.known_device);
        let more = if open.live_sessions > device.live_sessions {
            open
        } else {
            device
        };
        more.live_sessions -= 1;
    }
    policy
}

/// Room for as many sessions as can be, of one lane or the other.
pub(super) fn filling(known_device: bool) -> Policy {
    let (many, one) = (limits(12, 1, 15), limits(1, 1, 1));
    let (destination, device) = if known_device {
        (one, many)
    } else {
        (many, one)
    };
    widest(Policy {
        max_attempts: 2,
        resend: ResendPolicy::Rotate,
        destination,
        known_device: device,
        prefix_conversion: None,
        ..Policy::default()
    })
}

/// Room for as many codes, failures and attempts as can be.
pub(super) fn growing() -> Policy {
    widest(Policy {
        max_attempts: 10,
        resend: ResendPolicy::KeepLast(3),
        destination: limits(200, 20, 1),
        known_device: limits(200, 20, 1),
        prefix_conversion: Some(Conversion::default()),
        ..Policy::default()
    })
}

pub(super) fn any_policy() -> impl Strategy<Value = Policy> {
    let lane = |live: std::ops::Range<u8>| {
        (1..=24_u16, 1..=24_u16, live)
            .prop_map(|(sends, failures, live)| limits(sends, failures, live))
    };
    let resend = prop_oneof![
        Just(ResendPolicy::Rotate),
        Just(ResendPolicy::Reuse),
        Just(ResendPolicy::KeepLast(2)),
        Just(ResendPolicy::KeepLast(3)),
    ];
    (1..=10_u8, resend, lane(1..16), lane(1..3), any::<bool>()).prop_map(
        |(max_attempts, resend, destination, known_device, counted)| {
            widest(Policy {
                max_attempts,
                resend,
                destination,
                known_device,
                prefix_conversion: counted.then(Conversion::default),
                ..Policy::default()
            })
        },
    )
}
