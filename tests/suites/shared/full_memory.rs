//! A59: a Redis that throws away what it has no room for starts no server; one that refuses what
//! it has no room for gives no guess back.

use countersign::Stopwatch;
use serde_json::json;

use super::caller::{Answer, wrong};
use super::fleet::{Fleet, SERVERS};
use super::setup::Setup;
use super::store::{LOGGED, Store};
use crate::parts::ledger::{From, note};
use crate::parts::long::long;
use crate::parts::redis::Redis;
use crate::parts::server::{Home, write_secret};

/// All that Redis knows but `noeviction`.
const EVICTING: [&str; 7] = [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

fn sessions() -> usize {
    if long() { 400 } else { 40 }
}

/// No secret of tokens is named either, so that a server that took the store would end as well,
/// and say so.
#[test]
fn no_server_starts_on_a_redis_that_evicts() {
    let redis = Redis::start(&LOGGED);
    let url = redis.url();
    let home = Home::with_config(&format!(
        "secret_file = \"secret\"\n[store]\nurl = \"{url}\"\n"
    ));
    write_secret(&home.path().join("secret"));
    for policy in EVICTING {
        let set = redis.cli(&["CONFIG", "SET", "maxmemory-policy", policy]);
        assert_eq!(set, "OK");
        let output = home.run(&["serve"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{policy}: {said}");
        for part in [policy, "CONFIG SET maxmemory-policy noeviction"] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
    }
    let tried = format!("{} policies that evict", EVICTING.len());
    note("a59", "Redis", From::Outside, &tried, "no server starts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_room_approves_nothing_and_gives_no_guess_back() {
    let server = Redis::start(&LOGGED);
    let url = server.url();
    let fleet = Fleet::on(Store::Redis(server), Setup::default(), &url).await;
    let (caller, clock) = (fleet.tenant("a59"), Stopwatch::start());
    let mut people = Vec::new();
    for n in 0..sessions() {
        let session = fleet.send(&caller, n % SERVERS, &number(n)).await;
        let missed = caller
            .check(n % SERVERS, &session, &wrong(&session.code, 0))
            .await;
        assert_eq!(missed, Answer::WrongCode { left: 4 });
        people.push(session);
    }
    let redis = fleet.redis();
    assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    for (n, session) in people.iter().enumerate() {
        let at = n % SERVERS;
        for guess in [wrong(&session.code, 0), session.code.clone()] {
            let refused = caller.try_check(at, session, &guess).await;
            assert_eq!(refused, None);
        }
        let sent = caller.send(at, &number(sessions() + n), json!({})).await;
        assert_eq!(sent["status"], 503, "{sent}");
    }
    assert_eq!(redis.info("stats", "evicted_keys"), "0");
    assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", "0"]), "OK");
    for (n, session) in people.iter().enumerate() {
        let at = (n + 1) % SERVERS;
        let missed = caller.check(at, session, &wrong(&session.code, 1)).await;
        assert_eq!(missed, Answer::WrongCode { left: 3 });
        let right = caller.check(at, session, &session.code).await;
        assert_eq!(right, Answer::Verified);
    }
    // Had a message left, its code would be taken for this one's.
    let next = fleet.send(&caller, 0, &number(sessions())).await;
    let own = caller.check(1, &next, &next.code).await;
    assert_eq!(
        (own, fleet.messages()),
        (Answer::Verified, people.len() + 1)
    );
    let tried = format!(
        "{} checks and {} sends without room",
        2 * people.len(),
        people.len()
    );
    let showed = "each refused with 503: 0 messages, 0 evicted, no guess charged or given back";
    fleet.tell("a59", &tried, showed, &clock);
}

fn number(n: usize) -> String {
    format!("+4740{n:06}")
}
