//! A57, A58, A62: stores that come back without what they had acknowledged, under servers that
//! nobody starts again. No used code is accepted again, and no session has more comparisons than
//! its attempts. With the fence off both happen, which shows that the fault was one.

use std::ops::AddAssign;

use countersign::Stopwatch;

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use super::setup::Setup;
use super::store::{LOGGED, Store};
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::postgres::{OWNER, Postgres, SECRET};
use crate::parts::redis::Redis;
use crate::parts::redis::sentinel::RedisSentinel;
use crate::parts::server::{PATIENCE, pause};

/// Codes that are used before each fault, and sessions that are guessed at before and after it.
const CODES: usize = 40;
const GUESSED: usize = 8;
/// A session has so many attempts.
const ATTEMPTS: u64 = 5;
/// Harmless answers in a row by which a server has found its store again: it has more than one
/// connection, and finds out of each that it is dead.
const WELL: u32 = 8;

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

/// Who was sent a code before the fault: some use it, at the others somebody guesses.
struct People<'f> {
    fleet: &'f Fleet,
    caller: Caller,
    codes: Vec<Session>,
    guessed: Vec<Guessed>,
}

struct Guessed {
    session: Session,
    /// Comparisons of it that were answered.
    compared: u64,
    /// What the last one was told to be left.
    left: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    used: usize,
    accepted_again: usize,
    sessions: usize,
    /// Comparisons of the session that had most.
    most: u64,
    failures: u64,
    /// Of those, how many the gates do not know.
    forgotten: u64,
}

impl<'f> People<'f> {
    /// One guess at each session that is guessed at is there to stay.
    async fn of(fleet: &'f Fleet, row: &'static str) -> Self {
        let caller = fleet.tenant(row);
        let mut sessions = Vec::new();
        for n in 0..CODES + GUESSED {
            let to = format!("+4740{n:06}");
            sessions.push(fleet.send(&caller, n % SERVERS, &to).await);
        }
        let guessed = sessions.split_off(CODES).into_iter();
        let mut people = Self {
            fleet,
            caller,
            codes: sessions,
            guessed: guessed
                .map(|session| Guessed {
                    session,
                    compared: 0,
                    left: ATTEMPTS,
                })
                .collect(),
        };
        people.guess(1).await;
        people
    }

    /// Each uses its code, at one server after the other, and somebody guesses thrice more.
    async fn use_up(&mut self) {
        for (n, session) in self.codes.iter().enumerate() {
            let right = self.caller.check(n % SERVERS, session, &session.code).await;
            assert_eq!(right, Answer::Verified);
            let again = self
                .caller
                .check((n + 1) % SERVERS, session, &session.code)
                .await;
            assert_eq!(again, Answer::AlreadyUsed);
        }
        self.guess(3).await;
    }

    /// All try again, as soon as the servers have found what their store has become.
    async fn come_again(mut self) -> Shown {
        for at in 0..SERVERS {
            self.finds_its_store(at).await;
        }
        let mut shown = Shown {
            used: self.codes.len(),
            sessions: self.guessed.len(),
            ..Shown::default()
        };
        for (n, session) in self.codes.iter().enumerate() {
            for at in [n, n + 1] {
                let answer = self
                    .caller
                    .check(at % SERVERS, session, &session.code)
                    .await;
                shown.accepted_again += usize::from(answer == Answer::Verified);
            }
        }
        self.guess(ATTEMPTS).await;
        for Guessed {
            session, compared, ..
        } in &self.guessed
        {
            shown.most = shown.most.max(*compared);
            shown.failures += compared;
            shown.forgotten += compared - self.caller.charged(session).await;
        }
        self.goes_on().await;
        shown
    }

    /// So many guesses at each, as far as they are compared: the last one is told what all that
    /// come after it are told, too.
    async fn guess(&mut self, times: u64) {
        for (n, guessed) in self.guessed.iter_mut().enumerate() {
            for time in 0..times {
                let guess = wrong(&guessed.session.code, 0);
                let at = (n + usize::try_from(time).expect("a few")) % SERVERS;
                let answer = self.caller.check(at, &guessed.session, &guess).await;
                let (compared, left) = match answer {
                    Answer::WrongCode { left } => (1, left),
                    Answer::TooManyAttempts => (u64::from(guessed.left == 1), 0),
                    Answer::Verified => panic!("a wrong code is approved"),
                    _ => (0, 0),
                };
                (guessed.compared, guessed.left) = (guessed.compared + compared, left);
            }
        }
    }

    async fn finds_its_store(&self, at: usize) {
        let (clock, mut well) = (Stopwatch::start(), 0);
        while well < WELL {
            let said = || self.fleet.log(at);
            assert!(clock.elapsed() < PATIENCE, "no store: {}", said());
            // No such session: the store was asked.
            if self.caller.status_code(at).await == 404 {
                well += 1;
            } else {
                well = 0;
                pause().await;
            }
        }
    }

    /// Whoever asks for a new code gets one, at every server.
    async fn goes_on(&self) {
        for at in 0..SERVERS {
            let to = format!("+4741{at:06}");
            let fresh = self.fleet.send(&self.caller, at, &to).await;
            let right = self
                .caller
                .check((at + 1) % SERVERS, &fresh, &fresh.code)
                .await;
            assert_eq!(right, Answer::Verified);
        }
    }
}

impl AddAssign for Shown {
    fn add_assign(&mut self, other: Self) {
        self.used += other.used;
        self.accepted_again += other.accepted_again;
        self.sessions += other.sessions;
        self.most = self.most.max(other.most);
        self.failures += other.failures;
        self.forgotten += other.forgotten;
    }
}

/// Without an append-only file, as the servers say when they start.
async fn restarted_from_a_snapshot(fence: &'static str) -> Shown {
    let server = Redis::start(&[]);
    let url = server.url();
    let fleet = Fleet::on(Store::Redis(server), setup(fence), &url).await;
    let warned = fleet.log(0);
    assert!(warned.contains("keeps no append-only file"), "{warned}");
    let mut people = People::of(&fleet, "a57").await;
    assert_eq!(fleet.redis().cli(&["SAVE"]), "OK");
    people.use_up().await;
    fleet.redis().restart();
    people.come_again().await
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
    let mut people = People::of(&fleet, "a58").await;
    in_step(fleet.redis(), &other).await;
    other.cli(&["REPLICAOF", "NO", "ONE"]);
    people.use_up().await;
    let own = fleet.redis();
    own.cli(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]);
    follows(own).await;
    own.cli(&["REPLICAOF", "NO", "ONE"]);
    people.come_again().await
}

/// Sentinel promotes a replica that missed the codes' use.
async fn failed_over_to_a_cut_replica(fence: &'static str) -> Shown {
    let site = RedisSentinel::start_with(&LOGGED);
    let url = site.url();
    let fleet = Fleet::on(Store::RedisSentinel(site), setup(fence), &url).await;
    let Store::RedisSentinel(site) = fleet.store() else {
        panic!("another store");
    };
    let mut people = People::of(&fleet, "a58").await;
    let [primary, replica] = &site.servers;
    in_step(primary, replica).await;
    site.cut_replica();
    people.use_up().await;
    site.fail_over();
    people.come_again().await
}

/// A standby that missed the codes' use is promoted. The servers know both.
async fn failed_over_to_a_standby_that_lags(fence: &'static str) -> Shown {
    let primary = Postgres::start(&[]);
    let standby = primary.standby();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port, standby.port);
    let url = format!("postgres://{OWNER}:{SECRET}@{hosts}/postgres");
    let fleet = Fleet::on(Store::Postgres(primary), setup(fence), &url).await;
    let mut people = People::of(&fleet, "a62").await;
    fleet.postgres().wait_for(&standby);
    standby.cut_off();
    people.use_up().await;
    fleet.postgres().kill();
    standby.promote();
    people.come_again().await
}

/// By its own default this server would lose the last ten seconds.
async fn killed_with_a_forgetful_default(fence: &'static str) -> Shown {
    let settings = [("synchronous_commit", "off"), ("wal_writer_delay", "10000")];
    let server = Postgres::start(&settings);
    let url = server.url("postgres");
    let fleet = Fleet::on(Store::Postgres(server), setup(fence), &url).await;
    let mut people = People::of(&fleet, "a62").await;
    people.use_up().await;
    fleet.postgres().restart();
    people.come_again().await
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

async fn until(else_said: &str, is_so: impl Fn() -> bool) {
    let clock = Stopwatch::start();
    while !is_so() {
        assert!(clock.elapsed() < PATIENCE, "{else_said}");
        pause().await;
    }
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
    tell(row, store, &format!("{rounds} {what}"), with, Some(without));
}

fn tell(row: &str, store: &str, what: &str, with: Shown, without: Option<Shown>) {
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
    let without = without.map_or_else(String::new, |shown| {
        let (again, of, most) = (shown.accepted_again, shown.used, shown.most);
        format!("; without the fence {again} of {of}, and {most} comparisons")
    });
    let showed = format!(
        "0 accepted again, at most {most} comparisons a session; of {failures} failures the gates \
         forgot {forgotten}{without}"
    );
    note(row, store, From::Outside, &tried, &showed);
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
    let what = "failovers to a standby that lags";
    withstood(
        "a62",
        "PostgreSQL",
        what,
        failed_over_to_a_standby_that_lags,
    )
    .await;
}

/// Here it is no fence that holds: each transaction asks for more than the server's default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_used_again_when_postgres_is_killed() {
    let (rounds, mut shown) = (rounds(), Shown::default());
    let what = "kills, synchronous_commit off by default";
    for round in 1..=rounds {
        shown += killed_with_a_forgetful_default(UNFENCED).await;
        progress(what, round, rounds);
    }
    println!("PostgreSQL: a62: {rounds} {what}: {shown:?}");
    assert_eq!(shown.accepted_again, 0, "{shown:?}");
    assert!(shown.most <= ATTEMPTS, "{shown:?}");
    assert_eq!(shown.forgotten, 0, "{shown:?}");
    tell(
        "a62",
        "PostgreSQL",
        &format!("{rounds} {what}"),
        shown,
        None,
    );
}
