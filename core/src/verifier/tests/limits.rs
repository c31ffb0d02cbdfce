//! Limits about others than the destination, and money.

use std::sync::Arc;

use super::scene::{Prices, Scene, Told, email, number, tenant, throttled};
use crate::at_once::now;
use crate::policy::Conversion;
use crate::{
    Channel, CheckError, CheckRequest, DeliverError, Destination, Limit, LimitName, Mode, Policy,
    ResendRequest, SendError, SendRequest, Sent, Unserved,
};

/// A send to another number each time, by this channel, from this address.
fn send(scene: &Scene, n: u32, channel: Channel, ip: Option<&str>) -> Result<Sent, SendError> {
    let to = number(n);
    let mut request = SendRequest::new(&scene.tenant, channel, &to);
    request.end_user_ip = ip.map(|ip| ip.parse().unwrap());
    scene.try_send(&request)
}

fn priced(sms: u64, voice: u64, change: impl FnOnce(&mut Policy)) -> Scene {
    let mut policy = Policy {
        prefix_conversion: None,
        ..Policy::default()
    };
    change(&mut policy);
    Scene::with(|builder| {
        builder
            .policy(policy)
            .number_plan(Arc::new(Prices { sms, voice }))
    })
}

#[test]
fn a45_a_source_and_its_network_have_limits_of_their_own() {
    let scene = Scene::with_policy(|policy| {
        policy.source_sends = Some(Limit::new(2, 60));
        policy.network_sends = Some(Limit::new(3, 60));
    });
    let from = |n, ip| send(&scene, n, Channel::Sms, Some(ip));
    for n in 0..2 {
        from(n, "2001:db8:0:1::1").unwrap();
    }
    let refused = throttled(from(2, "2001:db8:0:1::2"));
    assert_eq!(refused, (LimitName::SourceSends, 60));
    from(3, "2001:db8:0:2::1").unwrap();
    let refused = throttled(from(4, "2001:db8:0:3::1"));
    assert_eq!(refused, (LimitName::NetworkSends, 60));
    from(5, "2001:db8:1:1::1").unwrap();
    // Four octets have no wider network, and nobody's address no limit.
    for n in 6..8 {
        from(n, "192.0.2.1").unwrap();
    }
    assert_eq!(throttled(from(8, "192.0.2.1")).0, LimitName::SourceSends);
    for n in 10..15 {
        send(&scene, n, Channel::Sms, None).unwrap();
    }
    scene.clock.advance_secs(60);
    from(16, "2001:db8:0:1::1").unwrap();
}

#[test]
fn what_one_limit_refuses_is_charged_to_no_other() {
    let scene = Scene::with_policy(|policy| {
        policy.source_sends = Some(Limit::new(1, 60));
        policy.tenant_sends = Some(Limit::new(3, 60));
    });
    send(&scene, 1, Channel::Sms, Some("192.0.2.1")).unwrap();
    for n in 2..10 {
        let refused = send(&scene, n, Channel::Sms, Some("192.0.2.1"));
        assert_eq!(throttled(refused).0, LimitName::SourceSends);
    }
    // A destination that is full refuses without a charge, too.
    for _ in 0..8 {
        let request = SendRequest::new(&scene.tenant, Channel::Email, &scene.to);
        assert!(matches!(
            scene.try_send(&request),
            Err(SendError::WrongChannel(_))
        ));
    }
    for n in 10..12 {
        send(&scene, n, Channel::Sms, None).unwrap();
    }
    let refused = throttled(send(&scene, 12, Channel::Sms, None));
    assert_eq!(refused, (LimitName::TenantSends, 60));
    let (theirs, to) = (tenant("other"), number(13));
    let request = SendRequest::new(&theirs, Channel::Sms, &to);
    assert!(scene.try_send(&request).is_ok());
}

#[test]
fn a_destination_that_refuses_charges_nobody() {
    let scene = Scene::with_policy(|policy| {
        policy.destination.live_sessions = 1;
        policy.tenant_sends = Some(Limit::new(2, 60));
    });
    scene.send();
    for _ in 0..5 {
        let refused = throttled(scene.try_send(&scene.request()));
        assert_eq!(refused.0, LimitName::LiveSessions);
    }
    send(&scene, 2, Channel::Sms, None).unwrap();
    let refused = throttled(send(&scene, 3, Channel::Sms, None));
    assert_eq!(refused.0, LimitName::TenantSends);
}

#[test]
fn a_resend_counts_where_a_send_does() {
    let scene = Scene::with_policy(|policy| policy.tenant_sends = Some(Limit::new(2, 600)));
    let sent = scene.send();
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    // Refused by the session itself: not charged.
    let refused = throttled(scene.try_resend(&again));
    assert_eq!(refused, (LimitName::ResendCooldown, 30));
    scene.clock.advance_secs(30);
    assert!(scene.try_resend(&again).is_ok());
    scene.clock.advance_secs(30);
    let refused = throttled(scene.try_resend(&again));
    assert_eq!(refused, (LimitName::TenantSends, 540));
    assert_eq!(scene.status(&sent).sends, 2);
}

#[test]
fn checks_of_one_source_are_limited_before_the_session_is_touched() {
    let scene = Scene::with_policy(|policy| policy.source_checks = Some(Limit::new(2, 60)));
    let sent = scene.send();
    let (id, wrong) = (sent.session_id.to_string(), scene.wrong());
    let from = |ip: &str, code: &str| {
        let mut request = CheckRequest::new(&scene.tenant, &id, code);
        request.end_user_ip = Some(ip.parse().unwrap());
        now(scene.verifier.check(&request))
    };
    for left in [4, 3] {
        let verdict = from("192.0.2.1", &wrong).unwrap();
        assert_eq!(verdict.attempts_remaining(), left);
    }
    match from("192.0.2.1", &scene.code()) {
        Err(CheckError::Throttled { limit, retry_after }) => {
            assert_eq!((limit, retry_after), (LimitName::SourceChecks, 60));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.status(&sent).attempts_remaining, 3);
    assert!(from("192.0.2.2", &scene.code()).unwrap().is_verified());
}

/// A68: as of sends, the records of sources that only check are swept.
#[test]
fn a68_checks_sweep_what_checks_leave() {
    let scene = Scene::with_policy(|policy| policy.source_checks = Some(Limit::new(2, 60)));
    let id = scene.send().session_id.to_string();
    let check = |n: u32| {
        let mut request = CheckRequest::new(&scene.tenant, &id, "000000");
        request.end_user_ip = Some(std::net::Ipv4Addr::from(0x0b00_0000 + n).into());
        now(scene.verifier.check(&request)).map(drop)
    };
    let held = scene.records();
    for minute in 0..10 {
        for n in 0..500 {
            check(500 * minute + n).unwrap();
        }
        let records = scene.records();
        assert!(records < held + 800, "{minute}: {records}");
        scene.clock.advance_secs(61);
    }
}

#[test]
fn a48_a_number_that_is_not_served_is_refused_and_leaves_nothing() {
    let scene = priced(1, 1, |_| ());
    let abroad = Destination::parse_any("+4681234567").unwrap();
    let request = SendRequest::new(&scene.tenant, Channel::Sms, &abroad);
    let refused = scene.try_send(&request);
    assert!(matches!(
        refused,
        Err(SendError::Unserved(Unserved::Country(_)))
    ));
    assert_eq!(scene.records(), 0);
    let verifier = &scene.verifier;
    assert_eq!(now(verifier.reset_prefix(&abroad)).unwrap(), None);
    assert_eq!(now(verifier.reset_prefix(&email(1))).unwrap(), None);
}

#[test]
fn the_plan_reads_numbers_and_nothing_else() {
    let scene = priced(1, 1, |_| ());
    let verifier = &scene.verifier;
    let national = verifier.read_destination(Channel::Voice, "40000001");
    assert_eq!(national.unwrap(), number(1));
    assert_eq!(verifier.read_any("40000001").unwrap(), number(1));
    assert_eq!(verifier.read_any("person-1@example.com").unwrap(), email(1));
    assert!(
        verifier
            .read_destination(Channel::Email, "40000001")
            .is_err()
    );
    let without = Scene::new();
    assert!(without.verifier.read_any("40000001").is_err());
    assert_eq!(without.verifier.read_any("+4740000001").unwrap(), number(1));
}

#[test]
fn a48_a_cap_is_reached_and_never_passed() {
    let scene = priced(30, 50, |policy| {
        policy.tenant_daily_spend_micros = Some(100);
        policy.total_daily_spend_micros = Some(150);
    });
    let spent = |whose| now(scene.verifier.spent_today(whose)).unwrap();
    let (own, theirs) = (Some(&scene.tenant), tenant("other"));
    for n in 0..3 {
        send(&scene, n, Channel::Sms, None).unwrap();
        assert_eq!(spent(own), 30 * (u64::from(n) + 1));
    }
    let refused = throttled(send(&scene, 4, Channel::Sms, None));
    assert_eq!(refused.0, LimitName::TenantSpend);
    let to = number(5);
    let mut request = SendRequest::new(&theirs, Channel::Voice, &to);
    scene.try_send(&request).unwrap();
    let other = number(6);
    request.to = &other;
    assert_eq!(throttled(scene.try_send(&request)).0, LimitName::TotalSpend);
    assert_eq!(
        (spent(own), spent(Some(&theirs)), spent(None)),
        (90, 50, 140)
    );
    // By email nothing is spent, and tomorrow nothing was.
    let mail = email(1);
    let request = SendRequest::new(&scene.tenant, Channel::Email, &mail);
    scene.try_send(&request).unwrap();
    assert_eq!(spent(None), 140);
    scene.clock.advance_secs(24 * 3600);
    assert_eq!(spent(None), 0);
    send(&scene, 7, Channel::Sms, None).unwrap();
}

#[test]
fn several_channels_cost_as_much_as_the_dearest() {
    for (sms, voice) in [(30, 50), (50, 30), (50, 50)] {
        let scene = priced(sms, voice, |policy| {
            policy.total_daily_spend_micros = Some(1000);
        });
        let mut request = scene.request();
        request.fallbacks = &[Channel::Voice];
        scene.try_send(&request).unwrap();
        assert_eq!(now(scene.verifier.spent_today(None)).unwrap(), 50);
    }
}

#[test]
fn what_was_handed_to_nobody_is_given_back_and_what_may_have_left_is_not() {
    let scene = priced(30, 30, |policy| {
        policy.total_daily_spend_micros = Some(1000);
        policy.tenant_sends = Some(Limit::new(3, 60));
    });
    let spent = || now(scene.verifier.spent_today(None)).unwrap();
    scene.inbox.fail_with(Some(DeliverError::transient()));
    assert!(send(&scene, 1, Channel::Sms, None).is_err());
    assert_eq!(spent(), 0);
    let lost = DeliverError::transient().may_have_left();
    scene.inbox.fail_with(Some(lost));
    assert!(send(&scene, 2, Channel::Sms, None).is_err());
    assert_eq!(spent(), 30);
    // The sends themselves stay charged.
    scene.inbox.fail_with(None);
    send(&scene, 3, Channel::Sms, None).unwrap();
    let refused = throttled(send(&scene, 4, Channel::Sms, None));
    assert_eq!(refused.0, LimitName::TenantSends);
    assert_eq!(spent(), 60);
}

#[test]
fn a_prefix_has_a_limit_over_all_tenants_until_it_is_reset() {
    let scene = priced(1, 1, |policy| policy.prefix_sends = Some(Limit::new(2, 60)));
    send(&scene, 1, Channel::Sms, None).unwrap();
    let (theirs, to) = (tenant("other"), number(2));
    scene
        .try_send(&SendRequest::new(&theirs, Channel::Voice, &to))
        .unwrap();
    let refused = throttled(send(&scene, 3, Channel::Sms, None));
    assert_eq!(refused, (LimitName::PrefixSends, 60));
    let other_prefix = Destination::parse_any("+4790000001").unwrap();
    scene
        .try_send(&SendRequest::new(&theirs, Channel::Sms, &other_prefix))
        .unwrap();
    let reset = now(scene.verifier.reset_prefix(&number(9))).unwrap();
    assert_eq!(reset.as_deref(), Some("+474"));
    send(&scene, 3, Channel::Sms, None).unwrap();
}

fn ten_to_convert() -> Conversion {
    Conversion {
        messages: 10,
        percent: 10,
        ..Conversion::default()
    }
}

#[test]
fn a_prefix_without_approvals_is_refused_until_it_is_reset() {
    let scene = priced(1, 1, |policy| {
        policy.prefix_conversion = Some(ten_to_convert());
    });
    for n in 0..10 {
        send(&scene, n, Channel::Sms, None).unwrap();
    }
    let refused = throttled(send(&scene, 10, Channel::Sms, None));
    assert_eq!(refused.0, LimitName::PrefixConversion);
    now(scene.verifier.reset_prefix(&number(1))).unwrap();
    send(&scene, 10, Channel::Sms, None).unwrap();
}

#[test]
fn one_that_is_approved_goes_on() {
    let scene = priced(1, 1, |policy| {
        policy.prefix_conversion = Some(ten_to_convert());
    });
    for n in 0..30 {
        let sent = send(&scene, n, Channel::Sms, None).unwrap();
        assert!(scene.check(&sent, &scene.code()).is_verified());
    }
    // Without a plan nothing is counted, and nothing refused.
    let scene = Scene::with_policy(|policy| policy.prefix_conversion = Some(ten_to_convert()));
    for n in 0..30 {
        send(&scene, n, Channel::Sms, None).unwrap();
    }
}

#[test]
fn a_dry_run_refuses_nothing_and_tells_of_each_message() {
    let told = Arc::new(Told::default());
    let policy = Policy {
        prefix_sends: Some(Limit::new(1, 60)),
        prefix_sends_mode: Mode::Report,
        prefix_conversion: Some(ten_to_convert()),
        prefix_conversion_mode: Mode::Report,
        tenant_daily_spend_micros: Some(30),
        total_daily_spend_micros: Some(60),
        spend_mode: Mode::Report,
        ..Policy::default()
    };
    let plan = Arc::new(Prices { sms: 20, voice: 20 });
    let scene = Scene::with(|builder| {
        let builder = builder.policy(policy).number_plan(plan);
        builder.observer(told.clone())
    });
    let heard = || std::mem::take(&mut *told.0.lock().unwrap());
    let of = |limit| (limit, Some("+474".to_owned()));
    send(&scene, 0, Channel::Sms, None).unwrap();
    assert_eq!(heard(), []);
    send(&scene, 1, Channel::Sms, None).unwrap();
    let two = [LimitName::PrefixSends, LimitName::TenantSpend];
    assert_eq!(heard(), two.map(of));
    for n in 2..10 {
        send(&scene, n, Channel::Sms, None).unwrap();
    }
    heard();
    send(&scene, 10, Channel::Sms, None).unwrap();
    let all = [
        LimitName::PrefixSends,
        LimitName::PrefixConversion,
        LimitName::TenantSpend,
        LimitName::TotalSpend,
    ];
    assert_eq!(heard(), all.map(of));
    assert_eq!(scene.inbox.len(), 11);
}

#[test]
fn what_costs_nothing_is_counted_nowhere() {
    for (price, counted) in [(0, 0), (1, 2)] {
        let scene = priced(price, price, |policy| {
            policy.tenant_daily_spend_micros = Some(10);
            policy.total_daily_spend_micros = Some(10);
        });
        scene.send();
        assert_eq!(
            scene.records(),
            1 + counted,
            "the destination's, and of spend"
        );
    }
}

#[test]
fn a_test_destination_costs_nothing() {
    let policy = Policy {
        total_daily_spend_micros: Some(10),
        ..Policy::default()
    };
    let scene = Scene::with(|builder| {
        builder
            .policy(policy)
            .number_plan(Arc::new(Prices { sms: 30, voice: 30 }))
            .test_destination(number(1), crate::Code::from_custom("918273").unwrap())
    });
    scene.send();
    assert_eq!(now(scene.verifier.spent_today(None)).unwrap(), 0);
    let refused = throttled(send(&scene, 2, Channel::Sms, None));
    assert_eq!(refused.0, LimitName::TotalSpend);
}
