//! The conformance kit, run on the example: in this process over a disk that can fail and
//! lose power, and in a process of its own that is killed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a suite fails by panicking"
)]

mod disk;
mod in_process;
mod killed;

use countersign_conformance::rules::{disaster, values};
use countersign_conformance::{Passed, block_on, suite};
use in_process::InProcess;
use killed::Killed;
use tokio::runtime::Runtime;

#[test]
fn in_this_process_it_keeps_every_rule() {
    let runtime = Runtime::new().unwrap();
    let harness = InProcess::new(runtime.handle().clone());
    let report = runtime.block_on(suite(&harness));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    // So that no other rule drops out unseen. This one is the next test's.
    let left_out: Vec<_> = report.not_tried().map(|(rule, _)| rule).collect();
    assert_eq!(left_out, ["acknowledged_writes_survive_a_kill"]);
}

#[test]
fn in_a_process_that_is_killed_it_keeps_the_rules_about_that() {
    let harness = Killed::new();
    let outcomes = block_on(async {
        [
            values::acknowledged_writes_survive_a_reopen(&harness).await,
            disaster::acknowledged_writes_survive_a_kill(&harness).await,
            disaster::what_forgets_begins_another_life(&harness).await,
            disaster::a_used_code_stays_used_after_a_disaster(&harness).await,
        ]
    });
    assert_eq!(outcomes, [const { Ok(Passed::Held) }; 4]);
    assert_eq!(harness.kills(), 3);
}

#[test]
fn a_file_that_is_open_is_not_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.redb");
    let _open = countersign_example_redb::RedbStore::open(&path).unwrap();
    let again = countersign_example_redb::RedbStore::open(&path);
    let error = again.unwrap_err().to_string();
    assert!(error.starts_with("the store is unavailable"), "{error}");
}
