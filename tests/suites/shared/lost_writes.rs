//! A57, A58, A60, A62: stores that come back without what they had acknowledged, under servers that go
//! on, or are stopped for it by whoever puts a copy back. No used code is accepted again, and no
//! session has more comparisons than its attempts. Without the fence both happen, which shows that
//! the fault was one.

use tempfile::TempDir;

use super::fleet::{Fleet, SERVERS};
use super::setup::Setup;
use super::store::{Kind, LOGGED, Store};
use super::users::{ATTEMPTS, Shown, Users};
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::postgres::{OWNER, Postgres, SECRET};
use crate::parts::redis::Redis;
use crate::parts::redis::sentinel::RedisSentinel;
use crate::parts::server::until;

/// Commits of another client, before each kill.
const UNPROTECTED: usize = 200;

/// Faults of each sort.
fn rounds() -> usize {
    if long() { 20 } else { 1 }
}

/// What the servers' configuration says of the fence.
const FENCED: &str = "";
const UNFENCED: &str = "dangerous_unfenced = true\n";

fn setup(store: &str) -> Setup<'_> {
    Setup {
        store,
        ..Setup::default()
    }
}

/// Without an append-only file, as the servers say when they start.
async fn restarted_from_a_snapshot(fence: &'static str) -> Shown {
    let server = Redis::start(&[]);
    let url = server.url();
    let fleet = Fleet::on(Store::Redis(server), setup(fence), &url).await;
    let warned = || fleet.log(0).contains("keeps no append-only file");
    until("no server warns of it", warned).await;
    let mut users = Users::of(&fleet, "a57").await;
    assert_eq!(fleet.redis().cli(&["SAVE"]), "OK");
    users.use_up().await;
    fleet.redis().restart();
    users.come_again(&fleet).await
}

/// Which of two servers leaves the other with what is there before the codes are used, and later
/// gives it to the one that the codes were used at.
async fn demoted_and_promoted_again(fence: &'static str) -> Shown {
    let args = [&LOGGED[..], &["--repl-diskless-sync-delay", "0"]].concat();
    let server = Redis::start(&args);
    let (url, of) = (server.url(), format!("127.0.0.1 {}", server.port));
    // From the start: the first replica that joins makes the primary change its id.
    let other = Redis::start(&[&args[..], &["--replicaof", &of]].concat());
    follows(&other).await;
    let fleet = Fleet::on(Store::Redis(server), setup(fence), &url).await;
    let mut users = Users::of(&fleet, "a58").await;
    in_step(fleet.redis(), &other).await;
    other.cli(&["REPLICAOF", "NO", "ONE"]);
    users.use_up().await;
    let own = fleet.redis();
    own.cli(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]);
    follows(own).await;
    own.cli(&["REPLICAOF", "NO", "ONE"]);
    users.come_again(&fleet).await
}

/// Sentinel promotes a replica that missed the codes' use.
async fn failed_over_to_a_cut_replica(fence: &'static str) -> Shown {
    let site = RedisSentinel::start_with(&LOGGED);
    let url = site.url();
    let fleet = Fleet::on(Store::RedisSentinel(site), setup(fence), &url).await;
    let Store::RedisSentinel(site) = fleet.store() else {
        panic!("another store");
    };
    let mut users = Users::of(&fleet, "a58").await;
    let [primary, replica] = &site.servers;
    in_step(primary, replica).await;
    site.cut_replica();
    users.use_up().await;
    site.fail_over();
    users.come_again(&fleet).await
}

/// A standby that missed the codes' use is promoted. The servers know both.
async fn failed_over_to_a_standby_that_lags(fence: &'static str) -> Shown {
    let primary = Postgres::start(&[]);
    let standby = primary.standby();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port, standby.port);
    let url = format!("postgres://{OWNER}:{SECRET}@{hosts}/postgres");
    let fleet = Fleet::on(Store::Postgres(primary), setup(fence), &url).await;
    let mut users = Users::of(&fleet, "a62").await;
    fleet.postgres().wait_for(&standby);
    standby.cut_off();
    users.use_up().await;
    fleet.postgres().kill();
    standby.promote();
    users.come_again(&fleet).await
}

/// By its own default this server loses the last ten seconds, as it does for another client, when
/// it `ends`. Gives how many of that one's commits it lost, too.
async fn ended_with_a_forgetful_default(
    row: &'static str,
    ends: fn(&Postgres, &TempDir),
) -> (Shown, usize) {
    let settings = [("synchronous_commit", "off"), ("wal_writer_delay", "10000")];
    let server = Postgres::start(&settings);
    server.sql("postgres", "CREATE TABLE unprotected (n int)");
    let url = server.url("postgres");
    let fleet = Fleet::on(Store::Postgres(server), setup(UNFENCED), &url).await;
    let mut users = Users::of(&fleet, row).await;
    let (server, copy) = (fleet.postgres(), fleet.postgres().copy());
    users.use_up().await;
    let insert = "INSERT INTO unprotected VALUES (1); ";
    server.script("postgres", &insert.repeat(UNPROTECTED));
    ends(server, &copy);
    let kept = server.sql("postgres", "SELECT count(*) FROM unprotected");
    let lost = UNPROTECTED - kept.parse::<usize>().expect("a count");
    (users.come_again(&fleet).await, lost)
}

/// A Redis that from before the codes' use on syncs its log by this policy. Gives how many bytes of
/// it were not on the disk, too.
async fn without_power(policy: &str) -> (Shown, u64) {
    let server = Redis::start_traced("always");
    let url = server.url();
    let fleet = Fleet::on(Store::Redis(server), setup(UNFENCED), &url).await;
    let mut users = Users::of(&fleet, "a60").await;
    let set = fleet.redis().cli(&["CONFIG", "SET", "appendfsync", policy]);
    assert_eq!(set, "OK");
    users.use_up().await;
    let lost = fleet.redis().cut_power();
    (users.come_again(&fleet).await, lost)
}

/// Its operator puts back what was copied before the codes were used, and runs `countersign
/// fence` before the servers start again: by the copy alone nobody can tell.
async fn restored_from_a_copy(kind: Kind, fence: &'static str) -> Shown {
    let mut fleet = Fleet::start(kind, Setup::default()).await;
    let mut users = Users::of(&fleet, "a57").await;
    fleet.store().back_up();
    users.use_up().await;
    for at in 0..SERVERS {
        fleet.kill(at).await;
    }
    fleet.store().restore();
    if fence == FENCED {
        fleet.home(0).run_ok(&["fence"]);
    }
    for at in 0..SERVERS {
        fleet.restart(at).await;
    }
    users.come_again(&fleet).await
}

async fn follows(replica: &Redis) {
    until("no replica", || {
        replica.info("replication", "master_link_status") == "up"
    })
    .await;
}

async fn in_step(primary: &Redis, replica: &Redis) {
    let offset = |server: &Redis| server.info("replication", "master_repl_offset");
    until("never in step", || offset(primary) == offset(replica)).await;
}

/// One sort of fault, so many times with the fence and once without.
async fn withstood<F>(row: &str, store: &str, what: &str, fault: F)
where
    F: AsyncFn(&'static str) -> Shown,
{
    let (rounds, mut with) = (rounds(), Shown::default());
    for round in 1..=rounds {
        with += fault(FENCED).await;
        progress(what, round, rounds);
    }
    assert_eq!(with.accepted_again, 0, "{what}: {with:?}");
    assert!(with.most <= ATTEMPTS, "{what}: {with:?}");
    let without = fault(UNFENCED).await;
    println!("{store}: {row}: {rounds} {what}: {with:?}; without the fence {without:?}");
    let seen = without.accepted_again > 0 && without.most > ATTEMPTS;
    assert!(seen, "{what}: the test would not see it: {without:?}");
    let (again, of, most) = (without.accepted_again, without.used, without.most);
    let control = format!("without the fence {again} of {of}, and {most} comparisons");
    tell(row, store, &format!("{rounds} {what}"), with, &control);
}

fn tell(row: &str, store: &str, what: &str, with: Shown, control: &str) {
    let Shown {
        used,
        sessions,
        most,
        failures,
        forgotten,
        ..
    } = with;
    let tried = format!(
        "{what}, {used} used codes and {sessions} sessions guessed at before and after, four servers"
    );
    let showed = format!(
        "0 accepted again, at most {most} comparisons a session; of {failures} failures the gates \
         forgot {forgotten}; {control}"
    );
    note(row, store, From::Outside, &tried, &showed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_a_copy_of_sqlite_is_put_back() {
    let what = "copies put back, then `countersign fence`";
    let fault = async |fence| restored_from_a_copy(Kind::Sqlite, fence).await;
    withstood("a57", "SQLite", what, fault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_a_copy_of_postgres_is_put_back() {
    let what = "copies put back, then `countersign fence`";
    let fault = async |fence| restored_from_a_copy(Kind::Postgres, fence).await;
    withstood("a57", "PostgreSQL", what, fault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_redis_starts_from_a_snapshot() {
    let what = "restarts from a snapshot";
    withstood("a57", "Redis", what, restarted_from_a_snapshot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_a_primary_of_redis_is_promoted_again() {
    let what = "promotions of a demoted primary";
    withstood("a58", "Redis", what, demoted_and_promoted_again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_redis_fails_over_to_a_cut_replica() {
    let what = "failovers to a replica that was cut off";
    withstood("a58", "Redis", what, failed_over_to_a_cut_replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_postgres_fails_over_to_a_standby_that_lags() {
    let (what, fault) = (
        "failovers to a standby that lags",
        failed_over_to_a_standby_that_lags,
    );
    withstood("a62", "PostgreSQL", what, fault).await;
}

/// Each transaction asks for more than the server's default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_postgres_is_killed() {
    let what = "kills, synchronous_commit off by default";
    unforgotten("a62", what, |server, _| server.restart()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_the_power_of_postgres_is_cut() {
    let what = "cuts of the power, synchronous_commit off by default";
    unforgotten("a60", what, Postgres::cut_power).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_the_power_of_redis_is_cut() {
    let (rounds, mut shown) = (rounds(), Shown::default());
    let what = "cuts of the power, each write synced";
    for round in 1..=rounds {
        let (users, bytes) = without_power("always").await;
        assert_eq!(bytes, 0, "{what}: {users:?}");
        shown += users;
        progress(what, round, rounds);
    }
    let (others, bytes) = without_power("no").await;
    println!("Redis: a60: {rounds} {what}: {shown:?}; of a log that is not synced {others:?}");
    assert!(
        bytes > 0 && others.accepted_again > 0,
        "not seen: {others:?}"
    );
    let (again, of) = (others.accepted_again, others.used);
    let control = format!("{again} of {of} where {bytes} bytes were not synced");
    let tried = format!("{rounds} {what}");
    nothing_is_lost(shown);
    tell("a60", "Redis", &tried, shown, &control);
}

/// It is no fence that holds, but what the disk has.
fn nothing_is_lost(shown: Shown) {
    assert_eq!(shown.accepted_again, 0, "{shown:?}");
    assert_eq!(shown.most, ATTEMPTS, "what was open goes on: {shown:?}");
    assert_eq!(shown.forgotten, 0, "{shown:?}");
}

/// PostgreSQL that ends so many times in this way, whose default is to forget.
async fn unforgotten(row: &'static str, what: &str, ends: fn(&Postgres, &TempDir)) {
    let (rounds, mut shown, mut lost) = (rounds(), Shown::default(), 0);
    for round in 1..=rounds {
        let (users, others) = ended_with_a_forgetful_default(row, ends).await;
        shown += users;
        lost += others;
        progress(what, round, rounds);
    }
    let of = rounds * UNPROTECTED;
    println!("PostgreSQL: {row}: {rounds} {what}: {shown:?}; {lost} of {of} others lost");
    assert!(lost > 0, "the test would not see it");
    nothing_is_lost(shown);
    let control = format!("of {of} commits by that default {lost} lost");
    tell(
        row,
        "PostgreSQL",
        &format!("{rounds} {what}"),
        shown,
        &control,
    );
}
