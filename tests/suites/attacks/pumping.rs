//! A48: messages to numbers of the attacker's own, which somebody else pays for.

use std::sync::Arc;

use countersign::{
    Channel, DeliveryMode, Destination, Limit, LimitName, Mode, Policy, ResendRequest, SendError,
    SendRequest, Sent, Tenant, Unserved,
};

use super::bench::{Bench, Setup};
use super::plan::{Nordic, Notes, PRICE};
use super::stores::{Kind, on_every_store};

pub(crate) const AT_ONCE: u32 = 256;
pub(crate) const CAP: u64 = 20 * PRICE + PRICE / 2;
/// Seconds until the day's end, when a bench begins: eight in the morning of UTC.
pub(crate) const DAY_LEFT: u64 = 16 * 3600;

pub(crate) async fn bench(kind: Kind, change: impl FnOnce(&mut Policy)) -> Arc<Bench> {
    let mut setup = Setup {
        plan: Some(Arc::new(Nordic)),
        ..Setup::default()
    };
    change(&mut setup.policy);
    Arc::new(Bench::with(kind, setup).await)
}

/// The n-th number of a range, in sequence.
pub(crate) fn number(prefix: &str, n: u32) -> Destination {
    Destination::parse_any(&format!("{prefix}{n:06}")).unwrap()
}

pub(crate) async fn send(
    bench: &Bench,
    tenant: &Tenant,
    to: &Destination,
    decoy: bool,
) -> Result<Sent, SendError> {
    let mut request = SendRequest::new(tenant, Channel::Sms, to);
    request.decoy = decoy;
    if decoy {
        request.delivery = DeliveryMode::Background;
    }
    bench.verifier.send(&request).await
}

/// How many of so many sends, to numbers in sequence from `from` on, leave; and what
/// refused the last that did not.
pub(crate) async fn pump(
    bench: &Bench,
    prefix: &str,
    numbers: std::ops::Range<u32>,
) -> (u32, Option<(LimitName, u64)>) {
    let (mut left, mut refused) = (0, None);
    for n in numbers {
        match send(bench, &bench.tenant, &number(prefix, n), false).await {
            Ok(_) => left += 1,
            Err(SendError::Throttled { limit, retry_after }) => {
                refused = Some((limit, retry_after));
            }
            Err(error) => panic!("{error}"),
        }
    }
    (left, refused)
}

/// The same at once, from four tenants in turn, at each process in turn.
pub(crate) async fn pump_at_once(bench: &Arc<Bench>, from: u32) -> u32 {
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|n| {
            let bench = bench.clone();
            let tenant = Tenant::new(&format!("tenant{}", n % 4)).unwrap();
            let verifier = bench.verifiers[n as usize % bench.verifiers.len()].clone();
            tokio::spawn(async move {
                let to = number("+4790", from + n);
                let request = SendRequest::new(&tenant, Channel::Sms, &to);
                match verifier.send(&request).await {
                    Ok(_) => 1,
                    Err(SendError::Throttled { .. }) => 0,
                    Err(error) => panic!("{error}"),
                }
            })
        })
        .collect();
    let mut left = 0;
    for task in tasks {
        left += task.await.unwrap();
    }
    left
}

pub(crate) async fn spent(bench: &Bench, tenant: Option<&Tenant>) -> u64 {
    bench.verifier.spent_today(tenant).await.unwrap()
}

#[test]
fn a48_countries_and_sorts_that_are_not_listed_are_sent_nothing_and_charged_nothing() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| policy.total_daily_spend_micros = Some(CAP)).await;
        for (text, why) in [
            ("+88213300123", Unserved::Country("other".to_owned())),
            ("+25261234567", Unserved::Country("other".to_owned())),
            ("+4782900123", Unserved::Sort("premium")),
        ] {
            let to = bench.verifier.read_any(text).unwrap();
            for decoy in [false, true] {
                match send(&bench, &bench.tenant, &to, decoy).await {
                    Err(SendError::Unserved(told)) => assert_eq!(told, why, "{kind:?}"),
                    other => panic!("{kind:?}, {decoy}: {other:?}"),
                }
            }
        }
        let (messages, steps) = (bench.inbox.len(), bench.counted.steps());
        assert_eq!((messages, steps), (0, 0), "{kind:?}");
        // Served by SMS, and not by voice: a resend is asked as well.
        let to = number("+4670", 1);
        let sent = send(&bench, &bench.tenant, &to, false).await.unwrap();
        bench.clock.advance_secs(31);
        let mut resend = ResendRequest::new(&bench.tenant, sent.session_id, &to);
        resend.channel = Some(Channel::Voice);
        let refused = bench.verifier.resend(&resend).await;
        assert!(
            matches!(refused, Err(SendError::Unserved(Unserved::NoPrice(_)))),
            "{kind:?}: {refused:?}"
        );
        assert_eq!(spent(&bench, None).await, PRICE, "{kind:?}");
    });
}

#[test]
fn a44_the_plan_reads_one_number_from_all_its_spellings() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |_| ()).await;
        let read = |text: &str| bench.verifier.read_destination(Channel::Sms, text).unwrap();
        let forms = ["+4790000001", "+47 90 00 00 01", "90000001", "900 00 001"];
        for form in forms {
            assert_eq!(read(form).exact(), "+4790000001", "{kind:?}");
            assert_eq!(bench.verifier.read_any(form).unwrap(), read(forms[0]));
        }
        let mut left = 0;
        for n in 0..40 {
            let to = read(forms[n % forms.len()]);
            left += usize::from(send(&bench, &bench.tenant, &to, false).await.is_ok());
            bench.clock.advance_secs(10);
        }
        assert_eq!(
            (left, bench.inbox.len()),
            (5, 5),
            "{kind:?}: in ten minutes"
        );
        let mail = bench.verifier.read_any("user@example.com").unwrap();
        assert!(mail.is_reached_by(Channel::Email));
    });
}

#[test]
fn a48_a_prefix_is_sent_no_more_than_its_cap_by_all_tenants_together() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| {
            policy.prefix_sends = Some(Limit::new(30, 3600));
        })
        .await;
        let other = Tenant::new("other").unwrap();
        for n in 0..10 {
            assert!(
                send(&bench, &other, &number("+4790", 900 + n), false)
                    .await
                    .is_ok()
            );
        }
        let (left, refused) = pump(&bench, "+4790", 0..500).await;
        assert_eq!(left, 20, "{kind:?}");
        assert_eq!(refused, Some((LimitName::PrefixSends, 3600)), "{kind:?}");
        assert_eq!(pump(&bench, "+4791", 0..10).await, (10, None), "{kind:?}");
        bench.clock.advance_secs(3600);
        assert_eq!(
            pump(&bench, "+4790", 1000..1010).await,
            (10, None),
            "{kind:?}"
        );
    });
}

#[test]
fn a48_numbers_in_sequence_that_never_verify_trip_the_breaker_at_fifty() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |_| ()).await;
        let (left, refused) = pump(&bench, "+4790", 0..500).await;
        assert_eq!(left, 50, "{kind:?}");
        assert_eq!(
            refused,
            Some((LimitName::PrefixConversion, 30)),
            "{kind:?}: held"
        );
        bench.clock.advance_secs(301);
        let (left, refused) = pump(&bench, "+4790", 500..900).await;
        assert_eq!(
            (left, refused),
            (0, Some((LimitName::PrefixConversion, 299))),
            "{kind:?}: tripped"
        );
        assert_eq!(
            pump(&bench, "+4791", 0..50).await.0,
            50,
            "{kind:?}: another prefix"
        );
        assert_eq!(bench.inbox.len(), 100, "{kind:?}");
        // Ten minutes a trial; the owners verify theirs, and the prefix is open again.
        bench.clock.advance_secs(600);
        for n in 0..5 {
            let to = format!("+4790{:06}", 5000 + n);
            let (sent, code) = bench.send(&to).await.unwrap();
            let refused = bench.send(&format!("+4790{:06}", 6000 + n)).await;
            assert!(matches!(
                refused,
                Err(SendError::Throttled {
                    limit: LimitName::PrefixConversion,
                    ..
                })
            ));
            assert!(bench.check(&sent, &code).await.is_verified(), "{kind:?}");
        }
        assert_eq!(pump(&bench, "+4790", 7000..7030).await.0, 30, "{kind:?}");
    });
}

#[test]
fn a48_people_who_verify_one_in_ten_messages_never_meet_the_breaker() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |_| ()).await;
        for n in 0..300_u32 {
            let to = format!("+4790{n:06}");
            let (sent, code) = bench.send(&to).await.unwrap();
            if n % 10 == 9 {
                assert!(bench.check(&sent, &code).await.is_verified(), "{kind:?}");
            }
        }
    });
}

#[test]
fn a48_256_sends_at_once_to_a_silent_prefix_are_fifty_messages() {
    on_every_store(|kind| async move {
        for _ in 0..kind.rounds(100).min(20) {
            let bench = bench(kind, |_| ()).await;
            let mut left = 0;
            for from in [0, 1000, 2000] {
                left += pump_at_once(&bench, from).await;
            }
            assert_eq!((left, bench.inbox.len()), (50, 50), "{kind:?}");
        }
    });
}

#[test]
fn a69_a_tripped_prefix_refuses_decoys_and_messages_alike() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |_| ()).await;
        assert_eq!(pump(&bench, "+4790", 0..60).await.0, 50, "{kind:?}");
        for decoy in [true, false] {
            let refused = send(&bench, &bench.tenant, &number("+4790", 900), decoy).await;
            let expected = LimitName::PrefixConversion;
            assert!(
                matches!(refused, Err(SendError::Throttled { limit, retry_after: 30 }) if limit == expected),
                "{kind:?}: {refused:?}"
            );
        }
    });
}

#[test]
fn a48_a_dry_run_refuses_nothing_and_tells_what_it_would_have_refused() {
    on_every_store(|kind| async move {
        let notes = Arc::new(Notes::default());
        let mut setup = Setup {
            plan: Some(Arc::new(Nordic)),
            observer: Some(notes.clone()),
            ..Setup::default()
        };
        let policy = &mut setup.policy;
        policy.prefix_sends = Some(Limit::new(60, 3600));
        policy.total_daily_spend_micros = Some(70 * PRICE);
        policy.prefix_sends_mode = Mode::Report;
        policy.prefix_conversion_mode = Mode::Report;
        policy.spend_mode = Mode::Report;
        let bench = Bench::with(kind, setup).await;
        assert_eq!(pump(&bench, "+4790", 0..100).await, (100, None), "{kind:?}");
        let told = notes.take();
        let count = |limit| told.iter().filter(|(told, _)| *told == limit).count();
        assert_eq!(count(LimitName::PrefixConversion), 50, "{kind:?}");
        assert_eq!(count(LimitName::PrefixSends), 40, "{kind:?}");
        assert_eq!(count(LimitName::TotalSpend), 30, "{kind:?}");
        assert_eq!(told.len(), 120, "{kind:?}");
        assert!(
            told.iter()
                .all(|(_, prefix)| prefix.as_deref() == Some("+4790"))
        );
        bench.send("user@example.com").await.unwrap();
        assert!(notes.take().is_empty(), "{kind:?}: mail is of no prefix");
    });
}

#[test]
fn an_operator_s_reset_opens_one_prefix_and_leaves_spend_and_all_others() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| {
            policy.prefix_sends = Some(Limit::new(30, 3600));
            policy.total_daily_spend_micros = Some(1000 * PRICE);
        })
        .await;
        for prefix in ["+4790", "+4791"] {
            assert_eq!(pump(&bench, prefix, 0..60).await.0, 30, "{kind:?}");
        }
        let any_of_it = number("+4790", 999_999);
        let reset = bench.verifier.reset_prefix(&any_of_it).await.unwrap();
        assert_eq!(reset.as_deref(), Some("+4790"), "{kind:?}");
        // Cap and breaker have forgotten all of it: 20 more would have tripped the breaker.
        let (left, refused) = pump(&bench, "+4790", 100..200).await;
        assert_eq!(left, 30, "{kind:?}");
        assert_eq!(refused, Some((LimitName::PrefixSends, 3600)), "{kind:?}");
        assert_eq!(pump(&bench, "+4791", 100..110).await.0, 0, "{kind:?}");
        assert_eq!(spent(&bench, None).await, 90 * PRICE, "{kind:?}");
        for nobody_s in ["+25261234567", "user@example.com"] {
            let to = Destination::parse_any(nobody_s).unwrap();
            let reset = bench.verifier.reset_prefix(&to).await.unwrap();
            assert_eq!(reset, None, "{kind:?}: {nobody_s}");
        }
    });
}
