//! Killed with -9 in the middle of load, again and again, on one file that grows old.

use std::io::{BufRead as _, BufReader};

use crate::dice::Dice;
use crate::ledger::{From, note};
use crate::load::{Judgement, Log, child};
use crate::long::{long, progress};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a60_killed_in_the_middle_of_load_nothing_acknowledged_is_lost() {
    let rounds = if long() { 1000 } else { 100 };
    let mut dice = Dice::seeded(0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    let (mut kills, mut sessions, mut events) = (0, 0, 0);
    let mut judged = Judgement::default();
    for round in 0..rounds {
        let until = 1 + dice.below(120);
        let mut process = child(&path, round as u64).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut log, mut acknowledged) = (Log::default(), 0_usize);
        while acknowledged < until {
            let line = lines.next().expect("the load ended by itself").unwrap();
            acknowledged += usize::from(log.read(&line));
        }
        process.kill().unwrap();
        // What was in the pipe by then had been acknowledged as well; the last line may be cut.
        let rest: Vec<_> = lines.map_while(Result::ok).collect();
        for line in &rest {
            acknowledged += usize::from(log.read(line));
        }
        kills += usize::from(!process.wait().unwrap().success());
        sessions += log.0.len();
        events += acknowledged;
        judged.add(log.judge(&path).await);
        assert!(judged.is_clean(), "kill {round}: {judged:?}");
        progress("kills on SQLite", round + 1, rounds);
    }
    println!("{kills} kills, {sessions} sessions, {events} acknowledgements: {judged:?}");
    note(
        "a60",
        "SQLite",
        From::Inside,
        &format!("{kills} kills of the process, {events} acknowledgements"),
        &judged.to_string(),
    );
    assert_eq!(kills, rounds, "every process was killed before its end");
    assert!(judged.approved > 0, "no used code was put to the test");
}
