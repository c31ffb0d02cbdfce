//! A11, A13, A15: resends give nothing back.

use countersign::{ResendPolicy, SendError, Verdict};

use super::bench::{Bench, Setup, wrong};
use super::stores::on_every_store;

const TO: &str = "user@example.com";

#[test]
fn a11_a_resend_gives_no_attempt_back() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, mut code) = bench.send(TO).await.unwrap();
        let mut compared = 0;
        let mut ended = false;
        for round in 0..50 {
            for n in 0..4 {
                match bench.check(&sent, &wrong(&code, 4 * round + n)).await {
                    Verdict::WrongCode { .. } => compared += 1,
                    Verdict::Exhausted if !ended => {
                        (compared, ended) = (compared + 1, true);
                    }
                    _ => {}
                }
            }
            bench.clock.advance_secs(31);
            if let Ok(new) = bench.resend(&sent, TO).await {
                code = new;
            }
        }
        assert_eq!(compared, 5, "{kind:?}");
    });
}

#[test]
fn a13_the_old_code_is_dead_after_a_resend() {
    on_every_store(|kind| async move {
        for round in 0..20 {
            let bench = Bench::new(kind).await;
            let (sent, old) = bench.send(TO).await.unwrap();
            bench.clock.advance_secs(31);
            let new = bench.resend(&sent, TO).await.unwrap();
            if old != new {
                assert!(
                    !bench.check(&sent, &old).await.is_verified(),
                    "{kind:?}, {round}"
                );
            }
            assert!(
                bench.check(&sent, &new).await.is_verified(),
                "{kind:?}, {round}"
            );
        }
    });
}

#[test]
fn a15_one_guess_at_many_kept_codes_is_charged_once() {
    on_every_store(|kind| async move {
        let mut setup = Setup::default();
        setup.policy.resend = ResendPolicy::KeepLast(2);
        let bench = Bench::with(kind, setup).await;
        let (sent, first) = bench.send(TO).await.unwrap();
        bench.clock.advance_secs(31);
        let second = bench.resend(&sent, TO).await.unwrap();
        let verdict = bench.check(&sent, &wrong(&second, 7)).await;
        assert_eq!(
            verdict,
            Verdict::WrongCode {
                attempts_remaining: 4
            },
            "{kind:?}"
        );
        bench.clock.advance_secs(31);
        let third = bench.resend(&sent, TO).await.unwrap();
        if first != second && first != third {
            assert!(
                !bench.check(&sent, &first).await.is_verified(),
                "only the last two work"
            );
        }
        assert!(bench.check(&sent, &second).await.is_verified(), "{kind:?}");
    });
}

#[test]
fn the_same_code_is_sent_again_where_the_policy_says_so() {
    on_every_store(|kind| async move {
        let mut setup = Setup::default();
        setup.policy.resend = ResendPolicy::Reuse;
        let bench = Bench::with(kind, setup).await;
        let (sent, first) = bench.send(TO).await.unwrap();
        bench.clock.advance_secs(31);
        assert_eq!(bench.resend(&sent, TO).await.unwrap(), first, "{kind:?}");
        assert!(bench.check(&sent, &first).await.is_verified());
    });
}

#[test]
fn a_resend_goes_to_the_session_s_own_exact_destination_only() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, _) = bench.send("bob@example.com").await.unwrap();
        bench.clock.advance_secs(31);
        for other in ["bob+evil@example.com", "eve@example.com"] {
            let refused = bench.resend(&sent, other).await;
            assert!(
                matches!(refused, Err(SendError::NotLive)),
                "{kind:?}: {refused:?}"
            );
        }
        assert_eq!(bench.inbox.len(), 1, "{kind:?}");
    });
}
