//! The bundled stores keep every rule of the contract, and stores that are broken on
//! purpose break the rule that they were made to break.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

mod broken;

use std::sync::Arc;

use async_trait::async_trait;
use broken::{Bench, Fault, Memory};
use countersign::{
    BuildError, FakeClock, KeyRing, MemoryStore, SessionStore, StoreError, Timestamp, Verifier,
};
use countersign_conformance::{Harness, block_on, suite};
use countersign_sqlite::{Options, SqliteStore};

#[test]
fn memory_keeps_every_rule() {
    let report = block_on(suite(&Memory::new()));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}

/// A file that is closed and opened again.
struct Sqlite {
    folder: tempfile::TempDir,
    clock: Arc<FakeClock>,
}

#[async_trait]
impl Harness for Sqlite {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        let mut options = Options::default();
        options.clock = Arc::clone(&self.clock) as _;
        Ok(Arc::new(SqliteStore::open(
            self.folder.path().join("store.db"),
            &options,
        )?))
    }

    async fn reopen(
        &self,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        drop(store);
        Some(self.open().await)
    }

    fn clock(&self) -> Option<Arc<FakeClock>> {
        Some(Arc::clone(&self.clock))
    }

    async fn new_life(&self) -> bool {
        SqliteStore::fence(self.folder.path().join("store.db")).is_ok()
    }
}

#[test]
fn sqlite_keeps_every_rule() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_700_000_000)));
    let sqlite = Sqlite {
        folder: tempfile::tempdir().unwrap(),
        clock,
    };
    let report = block_on(suite(&sqlite));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn the_wrapper_without_a_fault_keeps_every_rule() {
    let report = block_on(suite(&Bench::of(Fault::None)));
    assert!(report.is_clean(), "{report}");
}

/// Each fault, the rule that it must break, and what else it may break by the way.
const TABLE: &[(Fault, &str, &[&str])] = &[
    (
        Fault::SuspendsInSwap,
        "exactly_one_of_many_wins_in_one_task",
        RACES,
    ),
    (
        Fault::RacesInSwap,
        "exactly_one_of_many_wins_on_threads",
        RACES,
    ),
    (Fault::LoadsStale, "winner_is_readable_at_once", &["*"]),
    (Fault::EvictsEarly, "kept_until_garbage_after", &[]),
    (Fault::LosesWrites, "done_is_written", &["*"]),
    (Fault::SaysDoneForLost, "stale_swap_is_lost", &["*"]),
    (
        Fault::SaysLostForDone,
        "swap_on_the_seen_value_is_done",
        &["*"],
    ),
    (Fault::RunsBackwards, "clock_never_goes_back", &["*"]),
    (
        Fault::StandsStill,
        "time_comes_with_the_value",
        &["kept_until_garbage_after"],
    ),
    (
        Fault::Truncates,
        "values_up_to_1_kib_survive_byte_for_byte",
        &["swap_compares_the_whole_value"],
    ),
    (
        Fault::ComparesPrefix,
        "swap_compares_the_whole_value",
        &["*"],
    ),
    (Fault::InsertsOver, "insert_if_absent_wins_once", &["*"]),
    (Fault::WritesLost, "lost_swap_changes_nothing", &["*"]),
    (Fault::EmptyIsAbsent, "empty_is_not_absent", &[]),
    (Fault::AbsentIsEmpty, "absent_is_none", &["*"]),
    (
        Fault::CutsKeys,
        "keys_are_independent",
        &["scan_lists_every_key_once"],
    ),
    (Fault::TimeoutIsDone, "a_cut_swap_is_an_error", &[]),
    (Fault::TimeoutIsAbsent, "a_cut_load_is_an_error", &[]),
    (Fault::IgnoresLife, "other_incarnation_is_lost", &[]),
    (
        Fault::KeepsLife,
        "life_comes_with_the_value",
        &["a_session_of_another_life_is_expired"],
    ),
    (Fault::SweepsLive, "sweep_removes_only_garbage", SWEEPS),
    (Fault::SweepsRenewed, "sweep_spares_a_changed_value", &[]),
    (Fault::SweepsAll, "sweep_removes_no_more_than_asked", &[]),
    (Fault::ScanSkips, "scan_lists_every_key_once", &[]),
    (
        Fault::BoastsDurability,
        "acknowledged_writes_survive_a_reopen",
        &[],
    ),
    (
        Fault::StoresAbsent,
        "a_step_that_changes_nothing_writes_nothing",
        &[],
    ),
    // What its late charges let through hangs on the race; that a caller who hangs up is
    // never charged does not.
    (
        Fault::ChargesLate,
        "cancelled_apply_loses_no_charge",
        &["*"],
    ),
    (Fault::TakesBack, "cancelled_apply_loses_no_charge", &["*"]),
    (
        Fault::GivesUp,
        "a_hot_record_refuses_nobody",
        &["wrong_guesses_are_charged_exactly_once"],
    ),
];

const RACES: &[&str] = &[
    "exactly_one_of_many_wins_in_one_task",
    "exactly_one_of_many_wins_on_threads",
    "sweep_spares_a_changed_value",
];

const SWEEPS: &[&str] = &["kept_until_garbage_after", "sweep_spares_a_changed_value"];

#[test]
fn a72_every_broken_store_breaks_its_rule() {
    let mut wrong = Vec::new();
    for (fault, rule, others) in TABLE {
        let report = block_on(suite(&Bench::of(*fault)));
        let broken: Vec<_> = report
            .violations()
            .map(|violation| violation.rule)
            .collect();
        println!("{fault:?}: {broken:?}");
        let any = others.contains(&"*");
        let expected = |found: &&str| any || found == rule || others.contains(found);
        if !broken.contains(rule) || !broken.iter().all(expected) {
            wrong.push(format!(
                "{fault:?} should break {rule}, and broke {broken:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_store_that_breaks_it() {
    for rule in countersign_conformance::Rule::ALL {
        let name = rule.name();
        // Both of these are about lives; a store that mistakes them breaks both at once.
        let covered = |(_, broken, others): &(_, &str, &[&str])| {
            *broken == name || (others.contains(&name) && !others.contains(&"*"))
        };
        let by_another = name == "one_of_many_right_guesses_is_approved";
        assert!(
            by_another || TABLE.iter().any(covered),
            "no store breaks {name}"
        );
    }
}

fn probed(store: Arc<dyn SessionStore>) -> Result<(), BuildError> {
    let verifier = Verifier::builder(KeyRing::generate().unwrap(), store)
        .build()
        .unwrap();
    block_on(verifier.probe())
}

#[test]
fn a72_a_store_that_races_lies_or_forgets_is_refused_at_start() {
    probed(Arc::new(broken::Broken::new(Fault::None))).unwrap();
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
        match probed(Arc::new(broken::Broken::new(fault))) {
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
