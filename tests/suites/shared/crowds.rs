//! A68: more sessions than there is room for. A tenant's cap bounds what it makes at all servers
//! together, and what is over goes as fast as it comes. Here that is some thousand sessions; the
//! million of the catalogue is tried in one process, where none is sent over HTTP.

use std::ops::Range;

use countersign::Stopwatch;
use serde_json::{Value, json};

use super::caller::Caller;
use super::fleet::{Fleet, SERVERS};
use super::four_servers::SENDS;
use super::setup::Setup;
use super::store::{Kind, Store};
use crate::parts::long::{long, progress};

/// In milliseconds.
const HOUR: i64 = 3_600_000;
/// For how long a tenant must wait whose hour is full: so large a count keeps its times to the next
/// twelfth of it.
const FULL: i64 = HOUR + HOUR / 12;
/// The first number of whoever is sent to in the days.
const FIRST: usize = 1_000_000;
/// Sends at once.
const AT_ONCE: usize = 16;
/// How many keys of a Redis have no end, and after how many milliseconds the last one of the others
/// is gone.
const ENDS: &str = "
    local endless, last = 0, 0
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local left = redis.call('PTTL', key)
      if left == -1 then endless = endless + 1 end
      last = math.max(last, left)
    end
    return endless .. ' ' .. last";

/// What a tenant may send in an hour, and what it sends in each hour of the days: half of that at
/// most, since the end of one hour is counted with the next. Of a server's memory only its size is
/// seen, where few records would not show.
fn many(kind: Kind) -> (usize, usize) {
    match (kind, long()) {
        (Kind::Memory, true) => (3200, 1600),
        (Kind::Memory, false) => (800, 400),
        (_, true) => (200, 100),
        (_, false) => (40, 20),
    }
}

/// For how many days.
fn days(kind: Kind) -> usize {
    if long() || kind == Kind::Memory { 5 } else { 3 }
}

async fn a68_what_is_over_goes_and_a_cap_bounds_the_rest(kind: Kind) {
    let (cap, _) = many(kind);
    let policy = format!("{SENDS}network_sends = \"200/1h\"\ntenant_sends = \"{cap}/1h\"\n");
    let setup = Setup {
        policy: &policy,
        moves: true,
        ..Setup::default()
    };
    let fleet = Fleet::start(kind, setup).await;
    // Before the clock is moved back, since a process makes each of these keys, and tries at its
    // start whether the store keeps what it writes. Redis forgets by its own time: what is to end
    // within an hour of a moved clock is over there before it is written.
    let callers = [fleet.tenant("a68"), fleet.tenant("another")];
    fleet.wind(-FULL);
    a_cap_bounds_what_a_tenant_makes(&fleet, &callers[0]).await;
    what_is_over_goes_as_fast_as_it_comes(&fleet, &callers[1]).await;
}

/// Five times as many sends as the cap allows, each to another number, at all servers at once.
async fn a_cap_bounds_what_a_tenant_makes(fleet: &Fleet, caller: &Caller) {
    let (clock, kind, (cap, _)) = (Stopwatch::start(), fleet.kind, many(fleet.kind));
    // The record of its count is there before the others are counted.
    assert_eq!(sent(caller, 0..1, nowhere).await, 1, "{kind}");
    let (records, all) = (fleet.weight().records, 5 * cap);
    let taken = 1 + sent(caller, 1..all, nowhere).await;
    assert_eq!(taken, cap, "{kind}: of {all}");
    fleet.has_shown(taken, 0).await;
    assert_eq!(fleet.messages(), taken, "{kind}: of {all}");
    let more = fleet.weight().records - records;
    let destinations = cap as u64 - 1;
    assert!(
        more == destinations || kind == Kind::Memory,
        "{kind}: {more} records of {destinations} sends"
    );
    // Whoever is refused leaves no message to come later, either.
    let (status, _) = caller.send_status(0, &number(all), json!({})).await;
    assert_eq!((status, fleet.messages()), (429, cap), "{kind}");
    fleet.wind(FULL);
    let (status, _) = caller.send_status(1, &number(all), json!({})).await;
    assert_eq!(status, 200, "{kind}: when the hour is over");
    fleet.has_shown(cap + 1, 0).await;
    assert_eq!(fleet.messages(), cap + 1, "{kind}: one more");
    let tried = format!("{all} sends of a tenant that may send {cap} in an hour");
    let kept = match kind {
        Kind::Memory => "",
        _ => " and no record",
    };
    let showed = format!("{taken} messages, 429 to the others{kept}");
    fleet.tell("a68", &tried, &showed, &clock);
}

/// Sessions each hour for some days, each for somebody else: a destination is kept for a day, as
/// its limits need it, and a server sweeps when it may have made 128 values, four to a send.
async fn what_is_over_goes_as_fast_as_it_comes(fleet: &Fleet, caller: &Caller) {
    /// Sends of all servers between two sweeps of each, and the most values that those make.
    const SWEPT: usize = SERVERS * 128 / 4 * 3;
    let (clock, kind, (_, an_hour)) = (Stopwatch::start(), fleet.kind, many(fleet.kind));
    let (a_day, hours, endless) = (24 * an_hour, 24 * days(kind), ends(fleet));
    fleet.wind(-HOUR * i64::try_from(hours).expect("a few"));
    let (before, shown) = (fleet.weight(), fleet.messages());
    let (mut most, mut kilobytes) = (0, Vec::new());
    for hour in 0..hours {
        let first = FIRST + hour * an_hour;
        let taken = sent(caller, first..first + an_hour, own_network).await;
        assert_eq!(taken, an_hour, "{kind}, hour {hour}");
        let weight = fleet.weight();
        most = most.max(weight.records - before.records);
        kilobytes.push(weight.kilobytes);
        fleet.wind(HOUR);
        progress("a68, hours", hour + 1, hours);
    }
    fleet.has_shown(hours * an_hour, shown).await;
    let messages = fleet.messages() - shown;
    assert_eq!(messages, hours * an_hour, "{kind}: one to each");
    let showed = if kind == Kind::Memory {
        flat(before.kilobytes, &kilobytes)
    } else {
        // Networks are counted for an hour, which Redis makes two, and of what is over it may have
        // some for a while.
        let over = match kind {
            Kind::Redis => 5 * an_hour + a_day / 4,
            _ => an_hour + SWEPT,
        };
        let bounds = a_day as u64..=(a_day + 3 * an_hour + over) as u64;
        assert!(
            bounds.contains(&most),
            "{kind}: {most} records, not {bounds:?}"
        );
        format!("at most {most} records at once")
    };
    if let (Some((endless, _)), Some((still, last))) = (endless, ends(fleet)) {
        assert_eq!(still, endless, "{kind}: keys without an end");
        assert!(last <= 25 * HOUR, "{kind}: a key is kept for {last} ms");
    }
    let tried = format!(
        "{a_day} sessions a day for {} days, each from a network of its own",
        days(kind)
    );
    fleet.tell("a68", &tried, &showed, &clock);
}

/// Nothing shows the records in a server's memory but its size. In all the days after the first it
/// grows by less than a quarter of what it did on that one, or by one page more that it was about
/// to need. Of what is over, `seen` is the share that would be too much if it stayed for ever.
fn flat(before: u64, kilobytes: &[u64]) -> String {
    /// In which the store asks for its memory, in kilobytes.
    const PAGE: u64 = 2048;
    let (after_one, last) = (kilobytes[23], kilobytes[kilobytes.len() - 1]);
    let (first, later) = (
        after_one.saturating_sub(before),
        last.saturating_sub(after_one),
    );
    let (bound, days) = (first / 4 + PAGE, kilobytes.len() as u64 / 24);
    let seen = 100 * bound / ((days - 1) * first).max(1);
    let showed = format!(
        "{first} kB more after the first day, {later} kB more after the last; if {seen} % of what \
         is over stayed, {bound} kB"
    );
    assert!(later < bound, "memory: {showed}");
    // Else the size of a server is no witness at all.
    assert!(seen < 50, "memory: {showed}");
    showed
}

/// Keys of a Redis that have no end, and the milliseconds after which the others are gone.
fn ends(fleet: &Fleet) -> Option<(u64, i64)> {
    let Store::Redis(server) = fleet.store() else {
        return None;
    };
    let told = server.cli(&["EVAL", ENDS, "0"]);
    let (endless, last) = told.split_once(' ').expect("two numbers");
    Some((
        endless.parse().expect("a count"),
        last.parse().expect("a time"),
    ))
}

fn number(nth: usize) -> String {
    format!("+479{nth:07}")
}

/// Who sends says nothing of where from.
pub(crate) fn nowhere(_: usize) -> Value {
    json!({})
}

/// Each sends from a network of their own, which is counted for itself: a source and a /48.
fn own_network(nth: usize) -> Value {
    json!({ "end_user_ip": format!("2001:{:x}:{:x}::1", nth >> 16, nth & 0xffff) })
}

/// Sends to each of these people, some at once, at all servers: how many were taken. The others
/// must be told to wait.
pub(crate) async fn sent(caller: &Caller, people: Range<usize>, from: fn(usize) -> Value) -> usize {
    let each = |first| {
        let (caller, own) = (caller.clone(), people.clone().skip(first).step_by(AT_ONCE));
        tokio::spawn(async move {
            let mut taken = 0;
            for nth in own {
                let to = number(nth);
                match caller.send_status(nth % SERVERS, &to, from(nth)).await {
                    (200, _) => taken += 1,
                    (429, Some(1..=3600)) => {}
                    other => panic!("{to}: {other:?}"),
                }
            }
            taken
        })
    };
    let tasks: Vec<_> = (0..AT_ONCE).map(each).collect();
    let mut taken = 0;
    for task in tasks {
        taken += task.await.expect("no other answer");
    }
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_sessions_in_a_servers_memory() {
    a68_what_is_over_goes_and_a_cap_bounds_the_rest(Kind::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_sessions_with_one_sqlite_file() {
    a68_what_is_over_goes_and_a_cap_bounds_the_rest(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_sessions_with_postgres() {
    a68_what_is_over_goes_and_a_cap_bounds_the_rest(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_sessions_with_redis() {
    a68_what_is_over_goes_and_a_cap_bounds_the_rest(Kind::Redis).await;
}
