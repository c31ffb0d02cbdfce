//! A48: what is spent, and never above a cap.

use countersign::{
    Channel, DeliverError, Limit, LimitName, Opened, SendError, SendRequest, Tenant,
};

use super::plan::{CALL_PRICE, PRICE};
use super::pumping::{AT_ONCE, CAP, DAY_LEFT, bench, number, pump, pump_at_once, send, spent};
use super::stores::on_every_store;

#[test]
fn a48_256_sends_at_once_never_spend_above_a_cap_nor_pass_the_breaker() {
    on_every_store(|kind| async move {
        for round in 0..kind.rounds(100).min(40) {
            let (tenants, total) = [(5, 18), (7, 1000), (1000, 33)][round as usize % 3];
            let bench = bench(kind, |policy| {
                policy.tenant_daily_spend_micros = Some(tenants * PRICE);
                policy.total_daily_spend_micros = Some(total * PRICE + 1);
            })
            .await;
            let left = pump_at_once(&bench, 0).await;
            let money = u64::from(left) * PRICE;
            assert_eq!(bench.inbox.len(), left as usize, "{kind:?}");
            let most = total.min(4 * tenants).min(50);
            assert!(u64::from(left) <= most, "{kind:?}: {left} of {most}");
            // What races leave charged is given back by its operation, best effort.
            assert!(spent(&bench, None).await <= total * PRICE + 1, "{kind:?}");
            assert!(
                spent(&bench, None).await >= money,
                "{kind:?}: sent and not charged"
            );
            let mut together = 0;
            for n in 0..4 {
                let tenant = Tenant::new(&format!("tenant{n}")).unwrap();
                let own = spent(&bench, Some(&tenant)).await;
                assert!(own <= tenants * PRICE, "{kind:?}: {own}");
                together += own;
            }
            // What one cap took before the next refused was given back.
            assert_eq!(together, money, "{kind:?}");
            // One after another, the rest of the caps can be used.
            let mut all = u64::from(left);
            for n in 0..4 * AT_ONCE {
                let tenant = Tenant::new(&format!("tenant{}", n % 4)).unwrap();
                let to = number("+4791", n);
                all += u64::from(send(&bench, &tenant, &to, false).await.is_ok());
            }
            let money = all * PRICE;
            assert!(money <= total * PRICE + 1, "{kind:?}");
            assert_eq!(bench.inbox.len() as u64, all, "{kind:?}");
        }
    });
}

#[test]
fn a48_a_day_s_cap_is_reached_exactly_and_opens_at_midnight() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| {
            policy.prefix_conversion = None;
            policy.tenant_daily_spend_micros = Some(CAP);
        })
        .await;
        let (left, refused) = pump(&bench, "+4790", 0..100).await;
        assert_eq!(left, 20, "{kind:?}");
        assert_eq!(
            refused,
            Some((LimitName::TenantSpend, DAY_LEFT)),
            "{kind:?}"
        );
        assert_eq!(
            spent(&bench, Some(&bench.tenant)).await,
            20 * PRICE,
            "{kind:?}"
        );
        let (mail, _) = bench.send("user@example.com").await.unwrap();
        assert_eq!(mail.channel, Channel::Email, "{kind:?}: costs nothing");
        bench.clock.advance_millis(DAY_LEFT * 1000 - 1);
        let (left, refused) = pump(&bench, "+4790", 100..110).await;
        assert_eq!(
            (left, refused),
            (0, Some((LimitName::TenantSpend, 1))),
            "{kind:?}"
        );
        bench.clock.advance_millis(1);
        assert_eq!(
            pump(&bench, "+4790", 100..110).await,
            (10, None),
            "{kind:?}"
        );
    });
}

#[test]
fn a48_what_was_handed_to_no_provider_costs_nothing_and_what_may_have_left_does() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| {
            policy.tenant_daily_spend_micros = Some(CAP);
            policy.total_daily_spend_micros = Some(CAP);
        })
        .await;
        bench.inbox.fail_with(Some(DeliverError::transient()));
        for n in 0..100 {
            let failed = send(&bench, &bench.tenant, &number("+4790", n), false).await;
            assert!(
                matches!(failed, Err(SendError::Delivery { .. })),
                "{failed:?}"
            );
            assert_eq!(spent(&bench, None).await, 0, "{kind:?}");
            assert_eq!(spent(&bench, Some(&bench.tenant)).await, 0, "{kind:?}");
        }
        bench
            .inbox
            .fail_with(Some(DeliverError::transient().may_have_left()));
        for n in 0..20 {
            let failed = send(&bench, &bench.tenant, &number("+4790", 200 + n), false).await;
            assert!(
                matches!(failed, Err(SendError::Delivery { .. })),
                "{failed:?}"
            );
        }
        bench.inbox.fail_with(None);
        assert_eq!(spent(&bench, None).await, 20 * PRICE, "{kind:?}");
        assert_eq!(pump(&bench, "+4790", 300..310).await.0, 0, "{kind:?}");
    });
}

#[test]
fn a_message_that_failed_gives_money_back_and_no_send() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| {
            policy.total_daily_spend_micros = Some(CAP);
            policy.tenant_sends = Some(Limit::new(10, 3600));
        })
        .await;
        bench.inbox.fail_with(Some(DeliverError::transient()));
        for n in 0..20 {
            let failed = send(&bench, &bench.tenant, &number("+4790", n), false).await;
            let delivered = matches!(failed, Err(SendError::Delivery { .. }));
            let limit = LimitName::TenantSends;
            let refused =
                matches!(failed, Err(SendError::Throttled { limit: by, .. }) if by == limit);
            assert_eq!((delivered, refused), (n < 10, n >= 10), "{kind:?}: {n}");
        }
        assert_eq!(spent(&bench, None).await, 0, "{kind:?}");
    });
}

#[test]
fn a_message_that_may_go_by_several_channels_costs_as_the_dearest() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| policy.total_daily_spend_micros = Some(CAP)).await;
        let mut expected = 0;
        for (n, channels, price) in [
            (0, [Channel::Sms].as_slice(), PRICE),
            (1, &[Channel::Voice], CALL_PRICE),
            (2, &[Channel::Sms, Channel::Voice], CALL_PRICE),
            (3, &[Channel::Voice, Channel::Sms], CALL_PRICE),
        ] {
            let to = number("+4790", n);
            let mut request = SendRequest::new(&bench.tenant, channels[0], &to);
            request.fallbacks = &channels[1..];
            bench.verifier.send(&request).await.unwrap();
            expected += price;
            assert_eq!(
                spent(&bench, None).await,
                expected,
                "{kind:?}: {channels:?}"
            );
        }
    });
}

#[test]
fn a48_a_resend_costs_as_much_and_one_that_is_refused_costs_nothing() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| policy.total_daily_spend_micros = Some(CAP)).await;
        let to = "+4790000001";
        let (sent, _) = bench.send(to).await.unwrap();
        for _ in 0..50 {
            let cooling = bench.resend(&sent, to).await;
            assert!(matches!(cooling, Err(SendError::Throttled { .. })));
            assert_eq!(spent(&bench, None).await, PRICE, "{kind:?}");
        }
        bench.clock.advance_secs(31);
        bench.resend(&sent, to).await.unwrap();
        assert_eq!(spent(&bench, None).await, 2 * PRICE, "{kind:?}");
        let (left, _) = pump(&bench, "+4791", 0..100).await;
        assert_eq!(left, 18, "{kind:?}");
        bench.clock.advance_secs(31);
        let poor = bench.resend(&sent, to).await;
        assert!(
            matches!(
                poor,
                Err(SendError::Throttled {
                    limit: LimitName::TotalSpend,
                    ..
                })
            ),
            "{kind:?}: {poor:?}"
        );
        assert_eq!(bench.inbox.len(), 20, "{kind:?}");
    });
}

#[test]
fn a69_decoys_are_refused_wherever_a_message_would_be_and_count_in_nothing() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| {
            policy.total_daily_spend_micros = Some(CAP);
            policy.tenant_daily_spend_micros = Some(CAP);
        })
        .await;
        let tenant = &bench.tenant;
        for n in 0..200 {
            let decoy = send(&bench, tenant, &number("+4790", n), true).await;
            assert!(decoy.is_ok(), "{kind:?}: {decoy:?}");
        }
        assert_eq!(spent(&bench, None).await, 0, "{kind:?}");
        // Twenty cost all there is; then decoys are refused like messages.
        assert_eq!(pump(&bench, "+4791", 0..30).await.0, 20, "{kind:?}");
        for prefix in ["+4790", "+4791"] {
            let refusal = |decoy| {
                let bench = bench.clone();
                async move {
                    match send(&bench, &bench.tenant, &number(prefix, 900), decoy).await {
                        Err(SendError::Throttled { limit, retry_after }) => (limit, retry_after),
                        other => panic!("{other:?}"),
                    }
                }
            };
            let expected = (LimitName::TenantSpend, DAY_LEFT);
            assert_eq!(refusal(true).await, expected, "{kind:?}");
            assert_eq!(refusal(false).await, expected, "{kind:?}");
        }
        assert_eq!(bench.inbox.len(), 20, "{kind:?}");
    });
}

#[test]
fn a48_an_idempotent_send_that_is_repeated_costs_once() {
    on_every_store(|kind| async move {
        let bench = bench(kind, |policy| policy.total_daily_spend_micros = Some(CAP)).await;
        let to = number("+4790", 1);
        for _ in 0..10 {
            let mut request = SendRequest::new(&bench.tenant, Channel::Sms, &to);
            request.idempotency_key = Some("the-same");
            match bench.verifier.open(&request).await.unwrap() {
                Opened::Pending(pending) => drop(pending.deliver().await.unwrap()),
                Opened::Answered(_) => {}
            }
        }
        assert_eq!(spent(&bench, None).await, PRICE, "{kind:?}");
        assert_eq!(bench.inbox.len(), 1, "{kind:?}");
    });
}
