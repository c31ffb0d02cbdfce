//! The bundled stores keep every rule of the contract, and stores that are broken on
//! purpose break the rule that they were made to break.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

mod broken;

use std::collections::BTreeSet;
use std::sync::Arc;

use broken::{Bench, Broken, Fault, Memory, Sqlite, TABLE};
use countersign::{BuildError, KeyRing, MemoryStore, SessionStore, Verifier};
use countersign_conformance::{Rule, block_on, suite};

#[test]
fn memory_keeps_every_rule() {
    let report = block_on(suite(&Memory::new()));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn sqlite_keeps_every_rule() {
    let report = block_on(suite(&Sqlite::new()));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    // What this harness can do, the rules must have used.
    let left_out: Vec<_> = report.not_tried().map(|(rule, _)| rule).collect();
    let cannot = [
        "a_cut_load_is_an_error",
        "a_cut_swap_is_an_error",
        "acknowledged_writes_survive_a_power_cut",
    ];
    assert_eq!(left_out, cannot);
}

#[test]
fn the_wrapper_without_a_fault_keeps_every_rule() {
    let report = block_on(suite(&Bench::of(Fault::None)));
    assert!(report.is_clean(), "{report}");
}

/// Runs it on every fault, as often as `KIT_ROUNDS` says: once if it says nothing.
#[test]
fn a72_every_broken_store_breaks_its_rule() {
    let rounds = std::env::var("KIT_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let mut wrong = Vec::new();
    for (fault, rule, others) in TABLE {
        let mut ever = BTreeSet::new();
        for round in 0..rounds {
            let report = block_on(suite(&Bench::of(*fault)));
            let broken: Vec<_> = report.violations().map(|broken| broken.rule).collect();
            let expected = |found: &&str| found == rule || others.contains(found);
            if !broken.contains(rule) || !broken.iter().all(expected) {
                wrong.push(format!(
                    "{fault:?}, round {round}, should break {rule}, and broke {broken:?}"
                ));
            }
            ever.extend(broken);
        }
        println!("{fault:?}: {ever:?}");
        for other in others.iter().filter(|other| !ever.contains(**other)) {
            println!("    never broke {other}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_store_that_breaks_it() {
    let unbroken: Vec<_> = Rule::ALL
        .iter()
        .map(Rule::name)
        .filter(|rule| TABLE.iter().all(|(_, broken, _)| broken != rule))
        .collect();
    assert!(unbroken.is_empty(), "no store breaks {unbroken:?}");
}

fn probed(store: Arc<dyn SessionStore>) -> Result<(), BuildError> {
    let verifier = Verifier::builder(KeyRing::generate().unwrap(), store)
        .build()
        .unwrap();
    block_on(verifier.probe())
}

#[test]
fn a72_a_store_that_races_lies_or_forgets_is_refused_at_start() {
    probed(Arc::new(Broken::new(Fault::None))).unwrap();
    let seen = [
        Fault::SuspendsInSwap,
        Fault::LoadsStale,
        Fault::LosesWrites,
        Fault::SaysDoneForLost,
        Fault::SaysLostForDone,
        Fault::ComparesPrefix,
        Fault::InsertsOver,
        Fault::WritesLost,
        Fault::AbsentIsEmpty,
        Fault::EvictsEarly,
        Fault::IgnoresLife,
    ];
    for fault in seen {
        match probed(Arc::new(Broken::new(fault))) {
            Err(BuildError::Probe(reason)) => println!("{fault:?}: {reason}"),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
}

#[test]
fn a_store_of_another_pseudonym_key_is_refused_at_start() {
    let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
    let keys = || KeyRing::generate().unwrap();
    let verifier = Verifier::builder(keys(), Arc::clone(&store))
        .build()
        .unwrap();
    block_on(verifier.probe()).unwrap();
    block_on(verifier.probe()).unwrap();
    let other = Verifier::builder(keys(), store).build().unwrap();
    assert!(matches!(
        block_on(other.probe()),
        Err(BuildError::ForeignStore)
    ));
}
