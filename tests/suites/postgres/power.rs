//! A60: the power is cut. A server works under load; others start on an older copy of its
//! data and on what it had synced of its log at many moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::{Policy, Stopwatch};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::bench::{Bench, Session, patient, store};
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::postgres::Postgres;
use crate::parts::postgres::power::Synced;
use crate::parts::used::Used;

/// Cuts in the life of one server: judged before its sessions expire.
const CUTS: usize = 20;

/// Codes that are used between two cuts, at least, with a fence and without.
const CODES: usize = 10;

/// People who use codes at once, with a fence and without.
const PEOPLE: usize = 3;

/// Servers that start at once: each waits for its disk most of the time.
const AT_ONCE: usize = 4;

/// With a fence, and without one.
const FENCES: [bool; 2] = [true, false];

/// What was on the disk, and how many codes had been used by then, with a fence and without.
#[derive(Clone, Debug)]
struct Moment {
    synced: Synced,
    used: [usize; 2],
}

/// A server's life under load.
struct Life {
    server: Postgres,
    copy: TempDir,
    used: [Used<Session>; 2],
    moments: Vec<Moment>,
}

async fn bench(server: &Postgres, fence: bool) -> Arc<Bench> {
    let mut options = patient();
    options.fence = fence;
    // A server that lives for a second need not fork a process for each connection of ours.
    options.pool_size = PEOPLE;
    let store = store(&server.url("postgres"), options).await;
    Arc::new(Bench::on(store, Policy::for_console()))
}

impl Life {
    async fn lived() -> Self {
        let server = Postgres::start(&[]);
        let (stop, mut people) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        let used = Used::pair();
        let mut benches = Vec::new();
        for fence in FENCES {
            benches.push(bench(&server, fence).await);
        }
        let copy = server.copy();
        for person in 0..2 * PEOPLE {
            let (bench, used) = (Arc::clone(&benches[person % 2]), used[person % 2].clone());
            people.spawn(use_codes(bench, person, used, Arc::clone(&stop)));
        }
        let mut moments = Vec::new();
        for cut in 1..=CUTS {
            while used.iter().any(|used| used.so_far() < cut * CODES) {
                used[0].grows().await;
            }
            let used = [used[0].so_far(), used[1].so_far()];
            // Asked last: it tells of all that let these be used.
            let synced = server.synced();
            moments.push(Moment { synced, used });
        }
        stop.store(true, Ordering::SeqCst);
        people.join_all().await;
        Self {
            server,
            copy,
            used,
            moments,
        }
    }

    /// Starts on what was on the disk at one moment, tries what had been used by another,
    /// and gives what was accepted again, with a fence and without.
    async fn cut(&self, disk: &Moment, known: &Moment) -> [usize; 2] {
        let server = self.server.after_power_cut(&self.copy, &disk.synced);
        let mut accepted = [0; 2];
        for (n, fence) in FENCES.into_iter().enumerate() {
            let bench = bench(&server, fence).await;
            let used = self.used[n].first(known.used[n]);
            accepted[n] = super::faults::accepted(&bench, &used).await;
        }
        accepted
    }
}

/// Sends a few codes and uses each of them, again and again.
async fn use_codes(bench: Arc<Bench>, person: usize, used: Used<Session>, stop: Arc<AtomicBool>) {
    let mut sent = 0;
    while !stop.load(Ordering::SeqCst) {
        let mut sessions = Vec::new();
        for _ in 0..5 {
            sessions.push(bench.send(&format!("person{person}-{sent}")).await.unwrap());
            sent += 1;
        }
        for session in sessions {
            assert!(bench.approves(&session).await, "each is right once");
            used.add(session);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a60_the_power_is_cut_and_no_used_code_is_accepted() {
    let clock = Stopwatch::start();
    let (mut cuts, mut tried, mut dropped) = (0, 0, 0);
    let enough = if long() { 500 } else { 20 };
    while cuts < enough {
        let life = Arc::new(Life::lived().await);
        for moments in life.moments.chunks(AT_ONCE) {
            let mut servers = JoinSet::new();
            for moment in moments.iter().cloned() {
                let life = Arc::clone(&life);
                servers.spawn(async move { (life.cut(&moment, &moment).await, moment) });
            }
            for (accepted, moment) in servers.join_all().await {
                assert_eq!(accepted, [0, 0], "with a fence and without, {moment:?}");
                (cuts, dropped) = (cuts + 1, dropped + moment.synced.unsynced);
                tried += moment.used.iter().sum::<usize>();
                progress("cuts of the power on PostgreSQL", cuts, enough);
            }
        }
    }
    println!(
        "{cuts} cuts, {tried} used codes: none accepted again, with a fence and without; \
         {dropped} bytes of log were not synced and dropped, in {} ms",
        clock.elapsed_millis()
    );
    note(
        "a60",
        "PostgreSQL",
        From::Inside,
        &format!("{cuts} cuts of the power, {tried} used codes"),
        "0 accepted again, with a fence and without",
    );
    assert!(dropped > 0, "all was synced at every cut");
}

/// What that is worth: a disk that only said it had synced what came after some moment
/// forgets used codes. Nothing tells that server of it, so the fence does not either.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a60_a_disk_that_does_not_sync_forgets() {
    let life = Life::lived().await;
    // By the last moment everybody has used a code that was open at the one of the disk.
    let last = life.moments.last().expect("there are moments");
    let accepted = life.cut(&life.moments[10], last).await;
    println!("a cut on a disk that had ignored syncs: {accepted:?} accepted again");
    assert!(
        accepted.iter().sum::<usize>() > 0,
        "the test would not see it"
    );
}
