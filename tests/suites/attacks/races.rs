//! A01 to A03, A06, A14, A16: many at once on real threads.

use std::sync::Arc;

use countersign::{Sent, Verdict};

use super::bench::{Bench, Setup, Tally, wrong};
use super::stores::{Kind, on_every_store};

const AT_ONCE: u32 = 256;

/// Checks all of these at once, in turn at each process, and gives their verdicts.
async fn all_at_once(bench: &Arc<Bench>, sent: &Sent, codes: Vec<String>) -> Vec<Verdict> {
    let tasks: Vec<_> = codes
        .into_iter()
        .enumerate()
        .map(|(process, code)| {
            let (bench, sent) = (bench.clone(), sent.clone());
            tokio::spawn(async move { bench.check_at(process, &sent, &code).await })
        })
        .collect();
    let mut verdicts = Vec::with_capacity(tasks.len());
    for task in tasks {
        verdicts.push(task.await.unwrap());
    }
    verdicts
}

async fn a_round(bench: &Arc<Bench>, round: u32) -> (Sent, String) {
    let to = format!("+47400{round:05}");
    bench.send(&to).await.unwrap()
}

/// How many processes share the data where a row says "several".
const PROCESSES: usize = 4;

async fn processes(kind: Kind, processes: usize) -> Arc<Bench> {
    let setup = Setup {
        processes,
        ..Setup::default()
    };
    Arc::new(Bench::with(kind, setup).await)
}

#[test]
fn a01_256_wrong_guesses_at_once_are_compared_five_times() {
    on_every_store(|kind| async move {
        five_are_compared(&processes(kind, 1).await, kind, kind.rounds(1000)).await;
    });
}

#[test]
fn a02_256_right_answers_at_once_are_approved_once() {
    on_every_store(|kind| async move {
        one_is_approved(&processes(kind, 1).await, kind, kind.rounds(1000)).await;
    });
}

#[test]
fn a03_256_wrong_guesses_at_four_stores_on_one_file_are_compared_five_times() {
    on_every_store(|kind| async move {
        five_are_compared(&processes(kind, PROCESSES).await, kind, kind.rounds(1000)).await;
    });
}

#[test]
fn a03_256_right_answers_at_four_stores_on_one_file_are_approved_once() {
    on_every_store(|kind| async move {
        one_is_approved(&processes(kind, PROCESSES).await, kind, kind.rounds(1000)).await;
    });
}

async fn five_are_compared(bench: &Arc<Bench>, kind: Kind, rounds: u32) {
    for round in 0..rounds {
        let (sent, code) = a_round(bench, round).await;
        let guesses = (0..AT_ONCE).map(|n| wrong(&code, n)).collect();
        let verdicts = all_at_once(bench, &sent, guesses).await;
        let mut left: Vec<_> = verdicts
            .iter()
            .filter_map(|verdict| match verdict {
                Verdict::WrongCode { attempts_remaining } => Some(*attempts_remaining),
                _ => None,
            })
            .collect();
        left.sort_unstable();
        assert_eq!(left, [1, 2, 3, 4], "{kind:?}, round {round}");
        let ended = verdicts
            .iter()
            .filter(|verdict| **verdict == Verdict::Exhausted)
            .count();
        assert_eq!(ended, 252, "the fifth and all that came late: {kind:?}");
        let to = countersign::Destination::parse_any(&format!("+47400{round:05}")).unwrap();
        let seen = bench.verifier.inspect(&bench.tenant, &to).await.unwrap();
        assert_eq!(seen.open.streak, 5, "failures that were charged: {kind:?}");
    }
    println!("{kind:?}: {rounds} rounds, 5 comparisons in each");
}

async fn one_is_approved(bench: &Arc<Bench>, kind: Kind, rounds: u32) {
    let once = Tally {
        compared: 1,
        approved: 1,
    };
    for round in 0..rounds {
        let (sent, code) = a_round(bench, round).await;
        let codes = (0..AT_ONCE).map(|_| code.clone()).collect();
        let mut tally = Tally::default();
        for verdict in all_at_once(bench, &sent, codes).await {
            tally.add(verdict);
        }
        assert_eq!(tally, once, "{kind:?}, round {round}");
    }
    println!("{kind:?}: {rounds} rounds, 1 approval in each");
}

#[test]
fn a16_the_owner_is_never_refused_while_attempts_are_left() {
    on_every_store(|kind| async move {
        let bench = Arc::new(Bench::new(kind).await);
        for round in 0..kind.rounds(10_000) {
            let (sent, code) = a_round(&bench, round).await;
            let mut codes: Vec<_> = (0..4).map(|n| wrong(&code, n)).collect();
            codes.insert(round as usize % 5, code);
            let mut tally = Tally::default();
            for verdict in all_at_once(&bench, &sent, codes).await {
                tally.add(verdict);
            }
            assert_eq!(tally.approved, 1, "{kind:?}, round {round}: {tally:?}");
        }
    });
}

#[test]
fn a14_a_guess_that_races_a_resend_never_revives_the_old_code() {
    on_every_store(|kind| async move {
        let bench = Arc::new(Bench::new(kind).await);
        // 10,000 in the long suite; 2000 in memory and 1000 on a disk otherwise.
        for round in 0..kind.rounds(10_000) {
            let to = format!("+47400{round:05}");
            let (sent, old) = bench.send(&to).await.unwrap();
            bench.clock.advance_secs(31);
            let guess = tokio::spawn({
                let (bench, sent, code) = (bench.clone(), sent.clone(), wrong(&old, 0));
                async move { bench.check(&sent, &code).await }
            });
            let new = bench.resend(&sent, &to).await.unwrap();
            let _raced = guess.await.unwrap();
            if new != old {
                let verdict = bench.check(&sent, &old).await;
                assert!(
                    !verdict.is_verified(),
                    "{kind:?}: the old code was approved"
                );
            }
            assert!(
                bench.check(&sent, &new).await.is_verified(),
                "{kind:?}, round {round}"
            );
        }
    });
}

#[test]
fn a06_a_check_that_is_dropped_keeps_its_charge() {
    on_every_store(|kind| async move {
        let bench = Arc::new(Bench::new(kind).await);
        for round in 0..50 {
            let (sent, code) = a_round(&bench, round).await;
            for n in 0..3 {
                let (bench, sent, guess) = (bench.clone(), sent.clone(), wrong(&code, n));
                let task = tokio::spawn(async move { bench.check(&sent, &guess).await });
                tokio::task::yield_now().await;
                task.abort();
                let _dropped_or_done = task.await;
            }
            // However many of the three were charged, no more than five are compared.
            let mut compared = 0;
            for n in 3..20 {
                if let Verdict::WrongCode { .. } = bench.check(&sent, &wrong(&code, n)).await {
                    compared += 1;
                }
            }
            assert!(compared <= 4, "{kind:?}: {compared} and the last");
            assert!(!bench.check(&sent, &code).await.is_verified(), "{kind:?}");
        }
    });
}
