//! A01 to A03, A14, A16: many at once on real threads.

use std::sync::Arc;

use countersign::{Destination, Sent, Verdict};

use super::bench::{Bench, Setup, Tally, wrong};
use super::stores::{Kind, on_every_store};
use crate::parts::dice::Dice;

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
pub(super) const PROCESSES: usize = 4;

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

/// Whoever compares more than is charged approves a right one more often than chance lets it
/// be among five.
#[test]
fn a01_one_right_answer_among_256_is_approved_as_seldom_as_it_is_one_of_five() {
    on_every_store(|kind| async move {
        let (bench, rounds) = (processes(kind, 1).await, kind.rounds(1000));
        let (mut dice, mut approved) = (Dice::seeded(101), 0);
        for round in kind.each_of("one right answer among 256", rounds) {
            let (sent, code) = a_round(&bench, round).await;
            let mut guesses: Vec<_> = (1..AT_ONCE).map(|n| wrong(&code, n)).collect();
            guesses.insert(dice.below(AT_ONCE as usize), code);
            let verdicts = all_at_once(&bench, &sent, guesses).await;
            let right = how_often(&verdicts, Verdict::is_verified);
            let failed = how_often(&verdicts, |verdict| {
                matches!(verdict, Verdict::WrongCode { .. })
            });
            let charged = charged(&bench, round).await;
            // The fifth failure is told as all that come after it.
            let ended = how_often(&verdicts, |verdict| *verdict == Verdict::Exhausted);
            let last = u32::from(ended > 0);
            assert_eq!(charged, failed + last, "{kind}, round {round}");
            assert!(right <= 1, "{kind}, round {round}: {right} approvals");
            // An approval ends the session before its fifth failure, and nothing else does.
            let most = 5 - right;
            assert!(charged <= most, "{kind}, round {round}: {charged}");
            assert!(right == 1 || charged == 5, "{kind}, round {round}");
            approved += right;
        }
        let (expected, most) = by_chance(rounds, 5.0 / f64::from(AT_ONCE));
        assert!(
            approved <= most,
            "{kind}: {approved} approvals, {most} at most"
        );
        let tried = format!("{rounds} rounds of 255 wrong guesses and the right one at once");
        let showed =
            format!("at most 5 comparisons in each; {approved} approvals, {expected:.1} by chance");
        kind.note("a01", &tried, &showed);
    });
}

fn how_often(verdicts: &[Verdict], is_so: impl Fn(&Verdict) -> bool) -> u32 {
    let so = verdicts.iter().filter(|verdict| is_so(verdict)).count();
    u32::try_from(so).unwrap()
}

/// Failures that a round's destination was charged: unlike those in a row, a success leaves
/// them.
async fn charged(bench: &Bench, round: u32) -> u32 {
    let most = bench.verifier.policy().destination.failures[1].max;
    let to = Destination::parse_any(&format!("+47400{round:05}")).unwrap();
    let seen = bench.verifier.inspect(&bench.tenant, &to).await.unwrap();
    u32::from(most - seen.open.failures_left[1])
}

/// Of so many trials that each succeed with probability `p`: how many do on average, and the
/// most that chance lets, but for once in 10^9.
fn by_chance(trials: u32, p: f64) -> (f64, u32) {
    let (n, mut successes) = (f64::from(trials), 0);
    let mut exactly = (1.0 - p).powf(n);
    let mut at_most = exactly;
    while at_most < 1.0 - 1e-9 && successes < trials {
        let so_far = f64::from(successes);
        exactly *= (n - so_far) / (so_far + 1.0) * p / (1.0 - p);
        at_most += exactly;
        successes += 1;
    }
    (n * p, successes)
}

#[test]
fn chance_is_bounded_as_exact_fractions_bound_it() {
    assert_eq!(by_chance(1000, 5.0 / 256.0).1, 51);
}

async fn five_are_compared(bench: &Arc<Bench>, kind: Kind, rounds: u32) {
    for round in kind.each_of("256 wrong answers", rounds) {
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
        let to = Destination::parse_any(&format!("+47400{round:05}")).unwrap();
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
    for round in kind.each_of("256 right answers", rounds) {
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
        for round in kind.each_of("a16", kind.rounds(10_000)) {
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
        for round in kind.each_of("a14", kind.rounds(10_000)) {
            let to = format!("+47400{round:05}");
            let (sent, old) = bench.send(&to).await.unwrap();
            bench.clock.advance_secs(31);
            let guess = tokio::spawn({
                let (bench, sent, code) = (bench.clone(), sent.clone(), wrong(&old, 0));
                async move { bench.check(&sent, &code).await }
            });
            let new = bench.resend(&sent, &to).await.unwrap();
            if guess.await.unwrap().is_verified() {
                // Once in 10^6 rounds what was guessed is the new code.
                assert_eq!(new, wrong(&old, 0), "{kind:?}, round {round}");
                continue;
            }
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
