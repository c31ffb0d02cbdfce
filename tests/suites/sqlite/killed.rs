//! Killed with -9 in the middle of load, again and again, on one file that grows old.

use std::io::{BufRead as _, BufReader};

use crate::load::{Log, child};

/// A pseudorandom number by splitmix64, so that a failed run can be repeated.
fn draw(seed: u64, round: u64) -> u64 {
    let mut z = seed.wrapping_add(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a60_killed_in_the_middle_of_load_nothing_acknowledged_is_lost() {
    let rounds = if std::env::var_os("COUNTERSIGN_LONG").is_some() {
        1000
    } else {
        100
    };
    let seed = std::env::var("COUNTERSIGN_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("seed {seed} (COUNTERSIGN_SEED), {rounds} rounds");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    let (mut kills, mut sessions, mut approved, mut events) = (0, 0, 0, 0);
    for round in 0..rounds {
        let until = 1 + draw(seed, round) % 120;
        let mut process = child(&path, round).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut log, mut acknowledged) = (Log::default(), 0);
        while acknowledged < until {
            let line = lines.next().expect("the load ended by itself").unwrap();
            acknowledged += u64::from(log.read(&line));
        }
        process.kill().unwrap();
        // What was in the pipe by then had been acknowledged as well; the last line may be cut.
        let rest: Vec<_> = lines.map_while(Result::ok).collect();
        for line in &rest {
            acknowledged += u64::from(log.read(line));
        }
        kills += u32::from(!process.wait().unwrap().success());
        sessions += log.0.len();
        events += acknowledged;
        approved += log.judge(&path).await;
    }
    println!("{kills} kills, {sessions} sessions, {events} acknowledgements, {approved} approvals");
    assert_eq!(
        u64::from(kills),
        rounds,
        "every process was killed before its end"
    );
    assert!(approved > 0, "no used code was put to the test");
}
