//! A61: a disk whose writes or syncs fail with EIO, at the n-th call and from there on. The
//! process is traced, and its system calls are made to fail: no library and no file system
//! stands between.

use std::process::Command;

use crate::bench::Bench;
use crate::dice::Dice;
use crate::ledger::{From, note};
use crate::load::{Judgement, Log, dressed};
use crate::long::{long, progress};

/// The calls that fail together, and up to which one of a thread the first failure may come.
const CALLS: [(&str, usize); 2] = [("pwrite64", 900), ("fsync,fdatasync", 250)];
/// Whether the disk comes back, or is gone for good.
const UNTIL: [&str; 2] = ["", "+"];
/// All that a load of this size acknowledges where nothing fails is more.
const SESSIONS: usize = 1600;

/// This test binary as the process that makes the load, `calls` failing for it from the n-th of a
/// thread on, or the n-th alone.
fn failing(calls: &str, nth: usize, until: &str) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-D", "-f", "--seccomp-bpf", "-o", "/dev/null"])
        .args(["-e", "signal=none", "-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={calls}:error=EIO:when={nth}{until}")])
        .arg(std::env::current_exe().unwrap());
    command
}

/// Lets the load run on such a disk until it ends, and judges what is left on a sound one.
async fn on_a_failing_disk(round: u64, command: Command) -> (usize, Judgement) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    Bench::open(&path);
    let log = Log::of_a_whole(dressed(command, &path, round));
    (log.0.len(), log.judge(&path).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a61_writes_and_syncs_that_fail_lose_nothing_acknowledged_and_approve_nothing_twice() {
    let rounds: usize = if long() { 200 } else { 16 };
    let mut dice = Dice::seeded(61);
    let (mut met, mut judged) = (0, Judgement::default());
    for round in 0..rounds {
        let (calls, last) = CALLS[round % CALLS.len()];
        let until = UNTIL[round / CALLS.len() % UNTIL.len()];
        let nth = 1 + dice.below(last);
        let command = failing(calls, nth, until);
        let (sessions, judgement) = on_a_failing_disk(round as u64, command).await;
        met += usize::from(sessions < SESSIONS);
        judged.add(judgement);
        assert!(judged.is_clean(), "{calls} {nth}{until}: {judged}");
        progress("disks that fail", round + 1, rounds);
    }
    println!("{rounds} disks, {met} met by the load: {judged}");
    assert!(2 * met > rounds, "{met} of {rounds} loads met an error");
    note(
        "a61",
        "SQLite",
        From::Inside,
        &format!("{rounds} disks whose writes or syncs fail with EIO from the n-th on, or once"),
        &judged.to_string(),
    );
}
