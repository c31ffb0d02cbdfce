//! Random sequences of operations against a simple model of the design's invariants.
//!
//! Every sequence runs through the public `Verifier`, on the memory store and on a store
//! of load and swap only whose swaps are lost, lose their answers, or die half-way. After
//! each operation the model asserts what may have changed, and nothing else.
//!
//! All is deterministic: the seed is printed, the codes are drawn from a counter. To
//! replay a failure, run the same test again; to try others, set `COUNTERSIGN_SEED` to another
//! number, and `MODEL_CASES` to the number of sequences:
//! `COUNTERSIGN_SEED=7 MODEL_CASES=100000 cargo test --release -p countersign-conformance --test model`

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a suite fails by panicking"
)]

#[path = "model/act.rs"]
mod act;
#[path = "model/flaky.rs"]
mod flaky;
#[path = "model/guess.rs"]
mod guess;
#[path = "model/known.rs"]
mod known;
#[path = "model/money.rs"]
mod money;
#[path = "model/observe.rs"]
mod observe;
#[path = "model/resending.rs"]
mod resending;
#[path = "model/sending.rs"]
mod sending;
#[path = "model/world.rs"]
mod world;

use std::cell::Cell;

use countersign::{Limit, Policy, ResendPolicy};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use act::moves;
use world::{Ground, World};

/// Small enough that random guesses reach every limit and the lock.
fn small() -> Policy {
    let mut policy = Policy::default();
    policy.max_attempts = 2;
    policy.resend = ResendPolicy::KeepLast(2);
    policy.resend_cooldown_seconds = 5;
    policy.destination.sends = [Limit::new(3, 600), Limit::new(9, 86_400)];
    policy.destination.failures = [Limit::new(3, 600), Limit::new(8, 86_400)];
    policy.destination.live_sessions = 2;
    policy.destination.lock_after = 5;
    policy.known_device.lock_after = 3;
    policy
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

fn holds(ground: Ground, policy: &Policy) {
    let seed = number("COUNTERSIGN_SEED", 1);
    let cases = u32::try_from(number("MODEL_CASES", 5_000)).unwrap();
    println!("model: COUNTERSIGN_SEED={seed} MODEL_CASES={cases} on {ground:?}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let (verified, wrong, lost, rewound) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let outcome = TestRunner::new_with_rng(config, rng).run(&moves(), |moves| {
        let mut world = World::new(ground, policy.clone());
        for (act, fault, skip) in &moves {
            world.take(act, *fault, *skip)?;
            world.observe()?;
        }
        verified.set(verified.get() + world.seen.verified);
        wrong.set(wrong.get() + world.seen.wrong);
        lost.set(lost.get() + world.seen.lost);
        rewound.set(rewound.get() + world.seen.rewound);
        Ok(())
    });
    let (verified, wrong, lost) = (verified.get(), wrong.get(), lost.get());
    println!(
        "model: {verified} approvals, {wrong} wrong codes, {lost} lost answers, {} rewound",
        rewound.get()
    );
    if let Err(error) = outcome {
        panic_with(&error.to_string());
    }
    // A model that never sees these asserts nothing.
    assert!(verified > u64::from(cases) / 10 && wrong > u64::from(cases));
    assert!(ground == Ground::Memory || lost > u64::from(cases) / 10);
}

#[expect(clippy::panic, reason = "a suite fails by panicking")]
fn panic_with(text: &str) -> ! {
    panic!("{text}")
}

#[test]
fn memory_keeps_the_invariants_by_the_default_policy() {
    holds(Ground::Memory, &Policy::default());
}

#[test]
fn memory_keeps_the_invariants_by_a_small_policy() {
    holds(Ground::Memory, &small());
}

#[test]
fn a_failing_store_of_load_and_swap_keeps_the_invariants_by_the_default_policy() {
    holds(Ground::Flaky, &Policy::default());
}

#[test]
fn a_failing_store_of_load_and_swap_keeps_the_invariants_by_a_small_policy() {
    holds(Ground::Flaky, &small());
}
