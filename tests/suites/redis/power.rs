//! A60: the power is cut. A traced server that syncs its log before it answers works under
//! load; other servers start on what its disk held at moments of that trace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::Stopwatch;
use tokio::task::JoinSet;

use crate::parts::dice::Dice;
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::redis::Redis;
use crate::parts::used::Used;
use crate::stage::{Desk, Sent, connect, options, unfenced};

/// Cuts in the life of one server: judged before its sessions expire.
const CUTS: usize = 20;

/// Codes that are used between two cuts, at least, with a fence and without.
const CODES: usize = 10;

/// People who use codes at once, with a fence and without.
const PEOPLE: usize = 3;

/// A moment: how much the server's trace told, and how many codes had been used by then.
#[derive(Clone, Copy, Debug)]
struct Moment {
    trace: usize,
    fenced: usize,
    unfenced: usize,
}

/// A server's life under load, until it was killed.
struct Life {
    redis: Redis,
    fenced: Used<Sent>,
    unfenced: Used<Sent>,
    moments: Vec<Moment>,
}

impl Life {
    async fn lived() -> Self {
        let [with, without] = Used::pair();
        let mut life = Self {
            redis: Redis::start_traced("always"),
            fenced: with,
            unfenced: without,
            moments: Vec::new(),
        };
        let (stop, mut people) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for (used, options) in [(&life.fenced, options()), (&life.unfenced, unfenced())] {
            for _ in 0..PEOPLE {
                let store = connect(&life.redis.url(), options.clone()).await;
                people.spawn(use_codes(
                    Desk::over(store as _),
                    used.clone(),
                    Arc::clone(&stop),
                ));
            }
        }
        for cut in 1..=CUTS {
            while life.fenced.so_far().min(life.unfenced.so_far()) < cut * CODES {
                life.fenced.grows().await;
            }
            let (fenced, unfenced) = (life.fenced.so_far(), life.unfenced.so_far());
            // Read last: it tells of all that let these be used.
            let trace = life.redis.moment();
            life.moments.push(Moment {
                trace,
                fenced,
                unfenced,
            });
        }
        stop.store(true, Ordering::SeqCst);
        people.join_all().await;
        life.redis.kill();
        life
    }

    /// Starts on the disk as it was at `disk`, tries what had been used by `known`, and
    /// gives what was accepted again, with a fence and without, and the bytes dropped.
    async fn cut(&self, disk: Moment, known: Moment, dice: &mut Dice) -> (usize, usize, u64) {
        let calls = dice.below(12);
        let (redis, dropped) = self.redis.after_power_cut(disk.trace, calls, dice);
        let fenced = Desk::over(connect(&redis.url(), options()).await as _);
        let unfenced = Desk::over(connect(&redis.url(), unfenced()).await as _);
        let with = fenced.try_all(&self.fenced.first(known.fenced)).await;
        let without = unfenced.try_all(&self.unfenced.first(known.unfenced)).await;
        (with, without, dropped)
    }
}

/// Sends a few codes and uses each of them, again and again.
async fn use_codes(desk: Desk, used: Used<Sent>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        for sent in desk.send(5).await {
            let verdict = desk.check(&sent.id, &sent.code).await.unwrap();
            assert!(verdict.is_verified(), "each is right once");
            used.add(sent);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a60_the_power_is_cut_and_no_used_code_is_accepted() {
    let (mut dice, clock) = (Dice::seeded(62), Stopwatch::start());
    let (mut cuts, mut tried, mut dropped) = (0, 0, 0);
    let (mut with, mut without) = (0, 0);
    let enough = if long() { 500 } else { 20 };
    while cuts < enough {
        let life = Life::lived().await;
        for moment in life.moments.iter().copied() {
            let (fenced, unfenced, bytes) = life.cut(moment, moment, &mut dice).await;
            (with, without) = (with + fenced, without + unfenced);
            (cuts, dropped) = (cuts + 1, dropped + bytes);
            tried += moment.fenced + moment.unfenced;
            assert_eq!((with, without), (0, 0), "cut {cuts}, {moment:?}");
            progress("cuts of the power on Redis", cuts, enough);
        }
    }
    println!(
        "{cuts} cuts, {tried} used codes: {with} accepted again, {without} without a fence; \
         {dropped} bytes were not synced and dropped, in {} ms",
        clock.elapsed_millis()
    );
    note(
        "a60",
        "Redis",
        From::Inside,
        &format!("{cuts} cuts of the power, {tried} used codes"),
        &format!("{with} accepted again, {without} without a fence"),
    );
    assert!(dropped > 0, "all was synced at every cut");
}

/// What that is worth: a disk that only said it had synced what came after some moment
/// forgets used codes; without a fence they are accepted again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a60_the_fence_holds_on_a_disk_that_does_not_sync() {
    let (mut dice, life) = (Dice::seeded(63), Life::lived().await);
    let (mut with, mut without) = (0, 0);
    for at in [5, 10, 15] {
        let (disk, known) = (life.moments[at], life.moments[at + 3]);
        let (fenced, unfenced, _) = life.cut(disk, known, &mut dice).await;
        (with, without) = (with + fenced, without + unfenced);
    }
    println!("3 cuts on a disk that had ignored syncs: {with} accepted again, {without} unfenced");
    assert_eq!(with, 0);
    assert!(without > 0, "the test would not see it");
}
