//! Test destinations: a fixed code and no message, and every limit of guesses all the same.

use std::sync::Arc;

use countersign::{
    Channel, Code, CodeForm, Destination, Policy, ResendPolicy, ResendRequest, SendRequest, Sent,
    Verdict,
};

use super::bench::{Bench, Setup, wrong};
use super::plan::{Nordic, PRICE};
use super::stores::{Kind, on_every_store};

const NUMBER: &str = "+4740000072";
const ADDRESS: &str = "qa@example.com";
const NUMBER_S_CODE: &str = "424242";
const ADDRESS_S_CODE: &str = "ACDEFG";

fn at(text: &str) -> Destination {
    Destination::parse_any(text).unwrap()
}

async fn sandbox(kind: Kind, policy: Policy) -> Bench {
    let code = |text| Code::from_custom(text).unwrap();
    let setup = Setup {
        policy,
        finish: Box::new(move |builder| {
            builder
                .test_destination(at(NUMBER), code("999999"))
                .test_destination(at(NUMBER), code(NUMBER_S_CODE))
                .test_destination(at(ADDRESS), code(ADDRESS_S_CODE))
        }),
        ..Setup::default()
    };
    Bench::with(kind, setup).await
}

impl Bench {
    async fn send_to_test(&self, to: &str) -> Sent {
        let to = at(to);
        let channel = if to.is_reached_by(Channel::Email) {
            Channel::Email
        } else {
            Channel::Voice
        };
        let request = SendRequest::new(&self.tenant, channel, &to);
        self.verifier.send(&request).await.unwrap()
    }
}

#[test]
fn a_test_destination_has_its_code_and_nobody_is_sent_one() {
    on_every_store(|kind| async move {
        let bench = sandbox(kind, Policy::default()).await;
        // Whatever counts as the address is the address.
        for (to, code) in [
            (NUMBER, NUMBER_S_CODE),
            (ADDRESS, ADDRESS_S_CODE),
            ("QA+7@Example.com", ADDRESS_S_CODE),
        ] {
            let sent = bench.send_to_test(to).await;
            let length = usize::from(sent.form.length());
            assert_eq!(length, code.len(), "{kind:?}: {to}");
            assert!(
                bench.verifier.is_test_destination(&at(to)),
                "{kind:?}: {to}"
            );
            assert!(
                bench.check(&sent, code).await.is_verified(),
                "{kind:?}: {to}"
            );
            let id = sent.session_id.to_string();
            let test = bench.verifier.test_destination_of(&bench.tenant, &id);
            assert_eq!(test.unwrap().canonical(), at(to).canonical(), "{kind:?}");
            let other = countersign::Tenant::new("other").unwrap();
            assert!(bench.verifier.test_destination_of(&other, &id).is_none());
        }
        assert!(bench.inbox.is_empty(), "{kind:?}");
        let (sent, code) = bench.send("+4740000073").await.unwrap();
        assert_ne!(code, NUMBER_S_CODE, "once in a million runs");
        let id = sent.session_id.to_string();
        assert!(
            bench
                .verifier
                .test_destination_of(&bench.tenant, &id)
                .is_none()
        );
        assert!(!bench.verifier.is_test_destination(&at("+4740000073")));
        let shown = format!("{:?}", bench.verifier);
        assert!(
            !shown.contains(NUMBER_S_CODE) && !shown.contains("40000072"),
            "{shown}"
        );
    });
}

#[test]
fn whatever_a_request_asks_for_the_code_is_the_fixed_one() {
    on_every_store(|kind| async move {
        let bench = sandbox(kind, Policy::default()).await;
        let to = at(NUMBER);
        let mut longer = SendRequest::new(&bench.tenant, Channel::Sms, &to);
        longer.form = Some(CodeForm::new(8, countersign::Alphabet::Digits).unwrap());
        let mut own = SendRequest::new(&bench.tenant, Channel::Sms, &to);
        own.custom_code = Some(Code::from_custom("135790").unwrap());
        own.fallbacks = &[Channel::Voice];
        for request in [longer, own] {
            let sent = bench.verifier.send(&request).await.unwrap();
            assert_eq!(sent.form, CodeForm::SIX_DIGITS, "{kind:?}");
            let verdict = bench.check(&sent, NUMBER_S_CODE).await;
            assert!(verdict.is_verified(), "{kind:?}: {verdict:?}");
        }
        assert!(bench.inbox.is_empty(), "{kind:?}");
    });
}

#[test]
fn a_resend_to_a_test_destination_has_the_same_code() {
    on_every_store(|kind| async move {
        for resend in [
            ResendPolicy::Rotate,
            ResendPolicy::KeepLast(2),
            ResendPolicy::Reuse,
        ] {
            let mut policy = Policy::default();
            policy.resend = resend;
            let bench = sandbox(kind, policy).await;
            let sent = bench.send_to_test(NUMBER).await;
            bench.clock.advance_secs(31);
            let to = at(NUMBER);
            let request = ResendRequest::new(&bench.tenant, sent.session_id, &to);
            bench.verifier.resend(&request).await.unwrap();
            assert!(bench.inbox.is_empty(), "{kind:?}");
            let verdict = bench.check(&sent, NUMBER_S_CODE).await;
            assert!(verdict.is_verified(), "{kind:?}: {resend:?}: {verdict:?}");
        }
    });
}

#[test]
fn the_limits_of_guesses_hold_for_a_test_destination() {
    on_every_store(|kind| async move {
        let bench = sandbox(kind, Policy::default()).await;
        let (mut compared, mut throttled) = (0, 0);
        for _ in 0..3 {
            let sent = bench.send_to_test(NUMBER).await;
            for n in 0..6 {
                match bench.check(&sent, &wrong(NUMBER_S_CODE, n)).await {
                    Verdict::WrongCode { .. } => compared += 1,
                    Verdict::Exhausted if n == 4 => compared += 1,
                    Verdict::Throttled { .. } => throttled += 1,
                    _ => {}
                }
            }
        }
        // Ten an hour: two sessions of five, and the third is not even compared.
        assert_eq!((compared, throttled), (10, 6), "{kind:?}");
    });
}

#[test]
fn a_test_destination_costs_nothing_and_needs_no_country() {
    on_every_store(|kind| async move {
        let abroad = "+25261234567";
        let mut policy = Policy::default();
        policy.total_daily_spend_micros = Some(PRICE);
        let code = || Code::from_custom(NUMBER_S_CODE).unwrap();
        let setup = Setup {
            policy,
            plan: Some(Arc::new(Nordic)),
            finish: Box::new(move |builder| {
                builder
                    .test_destination(at(NUMBER), code())
                    .test_destination(at(abroad), code())
            }),
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        for to in [NUMBER, abroad] {
            let sent = bench.send_to_test(to).await;
            assert!(bench.check(&sent, NUMBER_S_CODE).await.is_verified());
        }
        let spent = bench.verifier.spent_today(None).await.unwrap();
        assert_eq!(spent, 0, "{kind:?}");
    });
}
