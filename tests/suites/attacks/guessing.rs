//! A04, A05, A07 to A10, A12, A17: guesses that must not hit, and how many there may be.

use countersign::{
    Channel, CheckRequest, Clock as _, Destination, Purpose, SendRequest, Tenant, Verdict,
};

use super::bench::{Bench, Setup, wrong};
use super::stores::on_every_store;

#[test]
fn a04_a_used_code_is_never_approved_again() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, code) = bench.send("user@example.com").await.unwrap();
        assert!(bench.check(&sent, &code).await.is_verified());
        for _ in 0..1000 {
            bench.clock.advance_millis(400);
            let verdict = bench.check(&sent, &code).await;
            assert_eq!(verdict, Verdict::AlreadyUsed, "{kind:?}");
        }
    });
}

#[test]
fn a05_a_used_code_is_used_at_every_process() {
    on_every_store(|kind| async move {
        let setup = Setup {
            processes: 4,
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        for round in 0..kind.rounds(200) {
            let to = format!("user{round}@example.com");
            let (sent, code) = bench.send(&to).await.unwrap();
            let first = round as usize;
            assert!(bench.check_at(first, &sent, &code).await.is_verified());
            for other in 0..4 {
                let verdict = bench.check_at(first + other, &sent, &code).await;
                assert_eq!(verdict, Verdict::AlreadyUsed, "{kind:?}, round {round}");
            }
        }
    });
}

/// 10^4 tries in memory, two a round; fewer on a disk.
#[test]
fn a07_a_code_is_good_for_its_own_session_only() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (mut tried, mut approved) = (0, 0);
        for round in 0..kind.tries(5_000) {
            let to = format!("user{round}@example.com");
            let (a, code_a) = bench.send(&to).await.unwrap();
            let (b, code_b) = bench.send(&to).await.unwrap();
            if code_a != code_b {
                tried += 2;
                approved += u32::from(bench.check(&b, &code_a).await.is_verified());
                approved += u32::from(bench.check(&a, &code_b).await.is_verified());
            }
        }
        assert_eq!(approved, 0, "{kind:?}");
        println!("{kind:?}: {tried} codes tried on the other session");
    });
}

#[test]
fn a08_another_tenant_sees_nothing_and_charges_nothing() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, code) = bench.send("user@example.com").await.unwrap();
        let other = Tenant::new("other").unwrap();
        let id = sent.session_id.to_string();
        for _ in 0..20 {
            let verdict = bench
                .verifier
                .check(&CheckRequest::new(&other, &id, &code))
                .await;
            assert_eq!(verdict.unwrap(), Verdict::Unknown, "{kind:?}");
        }
        assert_eq!(bench.verifier.status(&other, &id).await.unwrap(), None);
        assert_eq!(bench.verifier.cancel(&other, &id).await.unwrap(), None);
        let wrong_first = bench.check(&sent, &wrong(&code, 0)).await;
        assert_eq!(
            wrong_first,
            Verdict::WrongCode {
                attempts_remaining: 4
            },
            "{kind:?}"
        );
        assert!(bench.check(&sent, &code).await.is_verified(), "{kind:?}");
    });
}

#[test]
fn a09_a_code_is_good_for_its_purpose_only() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let to = Destination::parse(Channel::Email, "user@example.com").unwrap();
        let (login, reset) = (
            Purpose::new("login").unwrap(),
            Purpose::new("reset").unwrap(),
        );
        let mut request = SendRequest::new(&bench.tenant, Channel::Email, &to);
        request.purpose = login.clone();
        let sent = bench.verifier.send(&request).await.unwrap();
        let (id, code) = (
            sent.session_id.to_string(),
            bench.inbox.last_code().unwrap(),
        );
        for purpose in [None, Some(&reset)] {
            let mut check = CheckRequest::new(&bench.tenant, &id, &code);
            check.purpose = purpose;
            assert_eq!(
                bench.verifier.check(&check).await.unwrap(),
                Verdict::Unknown,
                "{kind:?}"
            );
        }
        let mut check = CheckRequest::new(&bench.tenant, &id, &code);
        check.purpose = Some(&login);
        assert!(
            bench.verifier.check(&check).await.unwrap().is_verified(),
            "{kind:?}"
        );
    });
}

#[test]
fn a10_a_binding_that_differs_in_one_bit_is_refused() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let to = Destination::parse(Channel::Email, "user@example.com").unwrap();
        let bound = b"EUR 100.00 to NO9386011117947".to_vec();
        let mut request = SendRequest::new(&bench.tenant, Channel::Email, &to);
        request.binding = Some(&bound);
        let sent = bench.verifier.send(&request).await.unwrap();
        let (id, code) = (
            sent.session_id.to_string(),
            bench.inbox.last_code().unwrap(),
        );
        let mut altered = bound.clone();
        altered[4] ^= 1;
        for binding in [None, Some(&altered[..]), Some(&b""[..])] {
            let mut check = CheckRequest::new(&bench.tenant, &id, &code);
            check.binding = binding;
            let verdict = bench.verifier.check(&check).await.unwrap();
            assert!(!verdict.is_verified(), "{kind:?}");
        }
        let mut check = CheckRequest::new(&bench.tenant, &id, &code);
        check.binding = Some(&bound);
        assert!(
            bench.verifier.check(&check).await.unwrap().is_verified(),
            "{kind:?}"
        );
    });
}

#[test]
fn a12_new_sessions_give_no_guess_back_within_a_day() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let begun = bench.clock_seconds();
        let mut compared = 0;
        while bench.clock_seconds() < begun + 24 * 3600 {
            if let Ok((sent, code)) = bench.send("victim@example.com").await {
                compared += guess_until_refused(&bench, &sent, &code).await;
            }
            // The best that an attacker can do: two sessions an hour, as the window allows.
            bench.clock.advance_secs(1800);
        }
        assert_eq!(compared, 20, "{kind:?}");
    });
}

#[test]
fn a17_a_year_at_full_speed_is_a_hundred_guesses_and_then_a_lock() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (mut compared, mut hours, mut tries) = (0, 0, 0);
        while hours < 365 * 24 {
            tries += 1;
            if let Ok((sent, code)) = bench.send("victim@example.com").await {
                compared += guess_until_refused(&bench, &sent, &code).await;
            }
            // Once all are in vain, two a day are enough outside of the long suite.
            let all = kind.tries(10) == 10 || compared < 100;
            let step = if all { 1 } else { 12 };
            bench.clock.advance_secs(step * 3600);
            hours += step;
        }
        assert_eq!(compared, 100, "{kind:?}");
        let what = format!("{tries} tries in {hours} hours");
        kind.note(
            "a17",
            &what,
            &format!("{compared} comparisons, then locked"),
        );
        let to = Destination::parse(Channel::Email, "victim@example.com").unwrap();
        assert!(
            bench
                .verifier
                .inspect(&bench.tenant, &to)
                .await
                .unwrap()
                .open
                .locked
        );
        bench.verifier.reset(&bench.tenant, &to).await.unwrap();
        let (sent, code) = bench.send("victim@example.com").await.unwrap();
        assert!(bench.check(&sent, &code).await.is_verified(), "{kind:?}");
    });
}

/// Wrong guesses in one session until none is compared any more, and how many were.
async fn guess_until_refused(bench: &Bench, sent: &countersign::Sent, code: &str) -> u32 {
    let mut compared = 0;
    for n in 0..8 {
        match bench.check(sent, &wrong(code, n)).await {
            Verdict::WrongCode { .. } => compared += 1,
            Verdict::Exhausted => return compared + 1,
            Verdict::Throttled { .. } | Verdict::Locked { .. } => return compared,
            verdict => panic!("{verdict:?}"),
        }
    }
    compared
}

impl Bench {
    fn clock_seconds(&self) -> u64 {
        self.clock.now().as_millis() / 1000
    }
}
