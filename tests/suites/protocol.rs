//! The protocol around a record, as a model that is checked to the end.
//!
//! Load, step, swap; time out, repeat, crash, fail over. What a session's record decides is a
//! pure function and has its own suites. What is left is what can come *between* its steps,
//! and that is too much for chance: here every order of events is tried, within bounds.
//!
//! # The model in a minute
//! Two of our servers, a store of a primary and its copy, and three or four callers, each with
//! one thing to do: check a right code or a wrong one (under an attempt id, or without), try
//! the one send of an idempotency key, open another session. A state is all that lies on
//! them: the values on both nodes, lines of callers at each server, swaps on their way there
//! or back, what each caller was told. A move is one thing that can happen next:
//!
//! | move | stands for |
//! |---|---|
//! | a caller asks a server | its step joins the queue at its key |
//! | a server leads | the first in line takes all who wait, loads, folds, sends one swap |
//! | a swap arrives | at a node that takes itself for the primary: done, or lost |
//! | the answer comes back | effects are told; after a lost swap the batch is in line again |
//! | a time-out | the batch is in doubt; the swap may arrive later, or never |
//! | a caller is dropped, a server dies | as above, for those whom it meets |
//! | the copy is brought up to date | until then, what was written since can be lost |
//! | the copy takes over | in another life; the old primary goes on until it is told |
//! | the clock goes on | 40 s: a code is over at the second tick, a lease and a memo too |
//!
//! The values are real records' bytes, and what a step makes of them [`Record::step`] says,
//! on steps that a real verifier made. The loop, the queue and the send are written again
//! here, so that their guards can be switched off (`guards.rs`); thousands of walks through
//! the model beside the real [`StepQueue`](countersign::store::StepQueue) show that both
//! send the same bytes and tell the same.
//!
//! The checker goes breadth first through all states that can be reached and looks at the
//! laws in each (`laws.rs`), so a counter-example is the shortest there is. Its bounds stand
//! with their reasons in `scenario.rs`. It is our own, in 200 lines: states are small,
//! their successors cheap, and of the one crate that offers itself, `stateright`, we would
//! have used the search alone, and not its actors, its web server or its random numbers.
//!
//! # What is left out
//! A load is one with the fold after it: what others do in between, they might as well do
//! between fold and swap. So the time for which a load was under way is not seen; the real
//! loop counts it, and may withhold an approval that was in time. Messages arrive at any node
//! that takes itself for a primary, whomever a server follows. Resends, cancellations, limits
//! beyond the destination's and reports of deliveries are not here; the random model (`model`)
//! has them. A store that takes a check itself may answer late what it wrote in time: that is
//! not held against it.
//!
//! # What it found
//! Four guards were missing when it was written: a repeated attempt was told an approval that
//! was written after the expiry; a refusal forgot its request's nonce, and freed another
//! try's lease; a dry run asked the limits before it looked for its own session. Each could
//! send a second message under one key, or approve late. `known_device.rs` shows the worst
//! of them, mended, on the real verifier.
//!
//! # Running it
//! `./tests/run suite protocol`: seconds. With `COUNTERSIGN_LONG=1` the wider bounds, with
//! progress: minutes. `COUNTERSIGN_SEED` and `PROTOCOL_WALKS` choose the walks beside the real
//! loop.
//!
//! [`Record::step`]: countersign::record::Record::step

#![expect(clippy::expect_used, reason = "a suite fails by panicking")]

#[path = "protocol/caller.rs"]
mod caller;
#[path = "protocol/checker.rs"]
mod checker;
#[path = "protocol/guards.rs"]
mod guards;
#[path = "protocol/known_device.rs"]
mod known_device;
#[path = "protocol/laws.rs"]
mod laws;
#[path = "parts/long.rs"]
mod long;
#[path = "protocol/material.rs"]
mod material;
#[path = "protocol/protocol.rs"]
mod protocol;
#[path = "protocol/scenario.rs"]
mod scenario;
#[path = "protocol/server.rs"]
mod server;
#[path = "protocol/sights.rs"]
mod sights;
#[path = "protocol/state.rs"]
mod state;
#[path = "protocol/store.rs"]
mod store;
#[path = "parts/tap.rs"]
mod tap;
#[path = "protocol/values.rs"]
mod values;
#[path = "protocol/walk.rs"]
mod walk;
#[path = "protocol/words.rs"]
mod words;

use checker::{Search, search};
use guards::Guard;
use laws::Law;
use long::{long, progress};
use protocol::Protocol;
use scenario::Scenario;
use sights::Sight;
use walk::Walk;

/// Searches, and prints what it found.
fn searched(scenario: Scenario, what: &str) -> Search<Law> {
    let name = scenario.name;
    let found = search(&Protocol::new(scenario), |depth, states| {
        if long() {
            println!("protocol: {name}: depth {depth}, {states} states");
        }
    });
    let Search {
        states,
        moves,
        depth,
        millis,
        ..
    } = found;
    println!(
        "protocol: {name}, {what}: {states} states, {moves} moves, depth {depth}, {millis} ms"
    );
    if let Some(broken) = &found.broken {
        println!("  {:?} is broken:", broken.law);
        for (n, line) in (1..).zip(&broken.trace) {
            println!("  {n:2} {line}");
        }
    }
    found
}

#[test]
fn every_law_holds_in_every_state() {
    let mut sights = 0;
    for scenario in Scenario::all(long()) {
        let found = searched(scenario, "all guards");
        assert!(found.broken.is_none(), "a law is broken, see above");
        sights |= found.sights;
    }
    let unseen = Sight::ALL.iter().filter(|sight| !sight.is_in(sights));
    assert_eq!(
        unseen.collect::<Vec<_>>(),
        [&Sight::Approved; 0],
        "laws hold in vain"
    );
}

/// Guards, where they are missed, and the law that breaks without them.
type Broken = (&'static [Guard], fn(bool) -> Scenario, Law);

const BROKEN: [Broken; 28] = [
    (&[Guard::RecallIsInTime], Scenario::races, Law::InTime),
    (
        &[Guard::RefusalKeepsNonce],
        Scenario::refused,
        Law::OneMessage,
    ),
    (
        &[Guard::ReleaseIsOfTheHolder],
        Scenario::refused,
        Law::OneAtWork,
    ),
    (&[Guard::PeekFindsSession], Scenario::send, Law::SentIsTold),
    (
        &[Guard::SwapComparesValue],
        Scenario::races,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::SwapComparesValue],
        Scenario::guesses,
        Law::Attempts,
    ),
    (&[Guard::SwapComparesValue], Scenario::gate, Law::Failures),
    (
        &[Guard::SwapComparesValue],
        Scenario::guesses,
        Law::FailureCounts,
    ),
    (
        &[Guard::SwapComparesLife],
        Scenario::failover,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::LossBeginsLife],
        Scenario::failover,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::PromotionBeginsLife],
        Scenario::failover,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::StepComparesLife],
        Scenario::reopened,
        Law::ApprovedOnce,
    ),
    (&[Guard::MemoRecalls], Scenario::races, Law::RightIsTaken),
    (&[Guard::MemoRecalls], Scenario::guesses, Law::ChargedOnce),
    (
        &[Guard::AnswerAfterWrite],
        Scenario::races,
        Law::ToldAfterWrite,
    ),
    (
        &[Guard::LostIsFoundAnew],
        Scenario::races,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::DoubtIsNoSuccess],
        Scenario::races,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::DoubtIsNotRepeated],
        Scenario::guesses,
        Law::ChargedOnce,
    ),
    (&[Guard::LateIsWithheld], Scenario::races, Law::InTime),
    (
        &[Guard::StepsFoldInTurn],
        Scenario::races,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::AllAwaitTheSwap],
        Scenario::races,
        Law::ApprovedOnce,
    ),
    (
        &[Guard::LeaderGoneIsDoubt],
        Scenario::races,
        Law::RightIsTaken,
    ),
    (&[Guard::NextIsCalled], Scenario::races, Law::Answered),
    (&[Guard::LeaseHoldsKey], Scenario::send, Law::OneAtWork),
    (&[Guard::NonceIsHandedOn], Scenario::send, Law::OneAnswer),
    (
        &[Guard::ExistingSendsNothing],
        Scenario::send,
        Law::OneMessage,
    ),
    (
        &[Guard::MessageAfterWrite],
        Scenario::send,
        Law::StoredFirst,
    ),
    // Whatever keeps the nonce would keep it here as well.
    (
        &[Guard::DoubtKeepsKey, Guard::RefusalKeepsNonce],
        Scenario::send,
        Law::OneSession,
    ),
];

#[test]
fn without_any_one_guard_a_law_breaks() {
    for (guards, scenario, law) in BROKEN {
        breaks(guards, scenario, law);
    }
    let listed = |guard: &Guard| BROKEN.iter().any(|(broken, ..)| broken[0] == *guard);
    let missed: Vec<_> = Guard::KEPT.iter().filter(|guard| !listed(guard)).collect();
    assert_eq!(
        missed,
        [&Guard::MemoRecalls; 0],
        "each guard is broken once"
    );
    if long() {
        let kept = Scenario::send(false).without(&[Guard::RefusalKeepsNonce]);
        let found = searched(
            kept.watching(Law::OneSession),
            "what DoubtKeepsKey does alone",
        );
        assert!(found.broken.is_none(), "another guard is missed, see above");
    }
}

fn breaks(guards: &[Guard], scenario: fn(bool) -> Scenario, law: Law) {
    let scenario = scenario(false).without(guards).watching(law);
    let found = searched(scenario, &format!("without {guards:?}"));
    assert!(
        found.broken.is_some(),
        "without {guards:?}, {law:?} still holds"
    );
}

/// A walk ends by itself, but where two primaries send a swap back and forth.
const MOVES: usize = 40;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

#[test]
fn the_real_loop_does_what_the_model_does() {
    let seed = number("COUNTERSIGN_SEED", 1);
    let walks = number("PROTOCOL_WALKS", if long() { 200_000 } else { 5_000 });
    let walks = usize::try_from(walks).expect("PROTOCOL_WALKS");
    println!("protocol: COUNTERSIGN_SEED={seed} PROTOCOL_WALKS={walks}");
    let mut dice = seed;
    for scenario in [
        Scenario::races(true),
        Scenario::guesses(true),
        Scenario::failover(true),
    ] {
        // The real loop is to be shown as it is.
        let protocol = Protocol::new(scenario);
        let mut taken = 0;
        for n in 0..walks {
            let mut walk = Walk::new(&protocol);
            for _ in 0..MOVES {
                let moves = walk.moves();
                let Some(one) = drawn(&mut dice, &moves) else {
                    break;
                };
                walk.take(one);
                taken += 1;
            }
            progress(protocol.scenario.name, n + 1, walks);
        }
        println!(
            "protocol: {}: {taken} moves side by side",
            protocol.scenario.name
        );
        assert!(taken > walks * 5, "walks that go nowhere show nothing");
    }
}

/// One of them, by `SplitMix64`.
fn drawn<T: Copy>(dice: &mut u64, from: &[T]) -> Option<T> {
    *dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*dice ^ (*dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33;
    let at = usize::try_from(mixed).ok()?.checked_rem(from.len())?;
    from.get(at).copied()
}
