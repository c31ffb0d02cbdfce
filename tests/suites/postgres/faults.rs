//! A62: codes that were used, after the server was killed or failed over: none works again, nor
//! has a session more guesses than its attempts.

use std::sync::Arc;
use std::time::Duration;

use countersign::{Policy, Stopwatch};
use countersign_postgres::Options;

use super::bench::{Bench, Session, patient, store};
use crate::parts::guesses::{ATTEMPTS, Compared, Guesses};
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::postgres::{OWNER, Postgres, SECRET};

/// Codes put to the test after each fault.
const CODES: u32 = 200;
/// Sessions that are guessed at, before each failover and after it.
const GUESSED: usize = 20;

/// Opens so many sessions, all at once.
async fn send(bench: &Arc<Bench>, name: &str, sessions: u32) -> Vec<Session> {
    let send = |n| {
        let (bench, to) = (Arc::clone(bench), format!("{name}{n}"));
        async move { bench.send(&to).await.unwrap() }
    };
    let sends: tokio::task::JoinSet<_> = (0..sessions).map(send).collect();
    sends.join_all().await
}

/// Uses the codes, many at once, until so many are approved, and gives those.
async fn consume(bench: &Arc<Bench>, sessions: &[Session], enough: usize) -> Vec<Session> {
    let mut checks = tokio::task::JoinSet::new();
    for session in sessions.iter().cloned() {
        let bench = Arc::clone(bench);
        checks.spawn(async move {
            let verdict = bench.check(&session.id, &session.code).await;
            verdict
                .is_ok_and(|verdict| verdict.is_verified())
                .then_some(session)
        });
    }
    let mut used = Vec::new();
    while used.len() < enough
        && let Some(session) = checks.join_next().await
    {
        used.extend(session.unwrap());
    }
    // The others are dropped in the middle of their work, or a moment before.
    used
}

/// How many of these used codes are accepted again. Each of them is answered: an error would
/// accept nothing, and show nothing.
pub(crate) async fn accepted(bench: &Arc<Bench>, used: &[Session]) -> usize {
    let Some(first) = used.first() else {
        return 0;
    };
    // A store of before must find its way back first.
    let watch = Stopwatch::start();
    while let Err(error) = bench.check(&first.id, "0000").await {
        assert!(watch.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let check = |session: Session| {
        let bench = Arc::clone(bench);
        async move { bench.check(&session.id, &session.code).await.unwrap() }
    };
    let checks: tokio::task::JoinSet<_> = used.iter().cloned().map(check).collect();
    let verdicts = checks.join_all().await;
    verdicts.iter().filter(|one| one.is_verified()).count()
}

/// A verifier whose sessions end with the server's life, and one whose sessions do not.
struct Pair {
    fenced: Arc<Bench>,
    unfenced: Arc<Bench>,
}

impl Pair {
    async fn open(server: &Postgres) -> Self {
        let bench = async |database: &str, fence: bool| {
            let mut options: Options = patient();
            options.fence = fence;
            let url = server.database(database);
            Arc::new(Bench::on(store(&url, options).await, Policy::for_console()))
        };
        Self {
            fenced: bench("fenced", true).await,
            unfenced: bench("unfenced", false).await,
        }
    }
}

/// Commits of a client that asks for no more than the server's default, one after the
/// other: what the same kill does to writes that are not ours.
fn unprotected(server: &Postgres, kill: u32) {
    let values = |n| format!("INSERT INTO unprotected VALUES ({kill}, {n}); ");
    let commits: String = (0..CODES).map(values).collect();
    server.script("postgres", &commits);
}

async fn killed(settings: &[(&str, &str)], forgets: bool) {
    let kills = if long() { 200 } else { 5 };
    let server = Postgres::start(settings);
    server.sql("postgres", "CREATE TABLE unprotected (kill int, n int)");
    let Pair { fenced, unfenced } = Pair::open(&server).await;
    let (mut tried, mut with, mut without) = (0, 0, 0);
    for kill in 0..kills {
        let mut used = Vec::new();
        for bench in [&fenced, &unfenced] {
            let sessions = send(bench, &format!("kill{kill}-"), CODES + 20).await;
            used.push(consume(bench, &sessions, CODES as usize).await);
            assert!(used.iter().all(|used| used.len() >= CODES as usize));
        }
        unprotected(&server, kill);
        server.restart();
        tried += used[0].len();
        with += accepted(&fenced, &used[0]).await;
        without += accepted(&unfenced, &used[1]).await;
        progress("kills of PostgreSQL", kill as usize + 1, kills as usize);
    }
    let kept = server.sql("postgres", "SELECT count(*) FROM unprotected");
    let lost = kills * CODES - kept.parse::<u32>().unwrap();
    assert_eq!((with, without), (0, 0));
    assert_eq!(lost > 0, forgets, "{lost} lost");
    let own = settings
        .iter()
        .map(|(name, value)| format!(", {name} {value}"));
    note(
        "a62",
        "PostgreSQL",
        From::Inside,
        &format!(
            "{kills} kills, {tried} used codes{}",
            own.collect::<String>()
        ),
        &format!(
            "0 accepted again; {lost} of {} commits by the server's default lost",
            kills * CODES
        ),
    );
}

/// The store finds the server again by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a62_killed_no_used_code_works_again() {
    killed(&[], false).await;
}

/// The server's own default would lose the last ten seconds, and does for others: each of
/// our transactions asks for more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a62_killed_with_a_forgetful_default_no_used_code_works_again() {
    let settings = [("synchronous_commit", "off"), ("wal_writer_delay", "10000")];
    killed(&settings, true).await;
}

/// A bench that knows both servers, and asks the one that can be written to.
async fn on_both(one: &Postgres, two: &Postgres, database: &str, fence: bool) -> Arc<Bench> {
    let (one, two) = (one.port, two.port);
    let hosts = format!("127.0.0.1:{one},127.0.0.1:{two}");
    let url = format!("postgres://{OWNER}:{SECRET}@{hosts}/{database}");
    let mut options: Options = patient();
    options.fence = fence;
    Arc::new(Bench::on(store(&url, options).await, Policy::for_console()))
}

async fn guessed_once<'b>(benches: [&'b Arc<Bench>; 2], name: &str) -> Vec<Guesses<'b>> {
    let mut all = Vec::new();
    for bench in benches {
        let mut guesses = Guesses::open(&bench.verifier, &bench.tenant, name, GUESSED).await;
        guesses.guess(1).await;
        all.push(guesses);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a62_failed_over_to_a_standby_that_lags_no_used_code_works_again_nor_a_sixth_guess() {
    let failovers = if long() { 200 } else { 3 };
    let mut primary = Postgres::start(&[]);
    for database in ["fenced", "unfenced"] {
        primary.database(database);
    }
    let (mut tried, mut with, mut without) = (0, 0, 0);
    let mut compared = [Compared::default(); 2];
    for failover in 0..failovers {
        let standby = primary.standby();
        let fenced = on_both(&primary, &standby, "fenced", true).await;
        let unfenced = on_both(&primary, &standby, "unfenced", false).await;
        let name = format!("failover{failover}-");
        let codes = send(&fenced, &name, CODES).await;
        let others = send(&unfenced, &name, CODES).await;
        let benches = [&fenced, &unfenced];
        let mut guesses = guessed_once(benches, &format!("guessed{failover}-")).await;
        primary.wait_for(&standby);
        standby.cut_off();
        let codes = consume(&fenced, &codes, usize::MAX).await;
        let others = consume(&unfenced, &others, usize::MAX).await;
        assert_eq!(
            (codes.len(), others.len()),
            (CODES as usize, CODES as usize)
        );
        // These are lost, three of four.
        for guesses in &mut guesses {
            guesses.guess(3).await;
        }
        primary.kill();
        standby.promote();
        // The same stores: they find the new primary by themselves.
        tried += codes.len();
        with += accepted(&fenced, &codes).await;
        without += accepted(&unfenced, &others).await;
        for (guesses, compared) in guesses.iter_mut().zip(&mut compared) {
            guesses.guess_to_the_end().await;
            *compared += guesses.count().await;
        }
        let fresh = send(&fenced, &format!("fresh{failover}-"), 1).await;
        assert!(fenced.approves(&fresh[0]).await, "and go on");
        primary = standby;
        progress("failovers of PostgreSQL", failover + 1, failovers);
    }
    assert_eq!(with, 0);
    assert_eq!(without, tried, "all of them, so the standby did lag");
    let [fenced, unfenced] = compared;
    assert!(fenced.most <= ATTEMPTS, "{fenced:?}");
    assert!(unfenced.most > ATTEMPTS, "not seen: {unfenced:?}");
    let what = format!("{failovers} failovers to a standby that lags");
    fenced.tell("a62", "PostgreSQL", &what, unfenced);
    note(
        "a62",
        "PostgreSQL",
        From::Inside,
        &format!("{what}, {tried} used codes"),
        &format!("0 accepted again; {without} without the fence"),
    );
}

/// A backup that was restored looks like the newest state: the operator renews the fence.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_renewed_fence_ends_every_session() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let bench = Arc::new(Bench::open(&url).await);
    let sessions = send(&bench, "old", 20).await;
    countersign_postgres::PostgresStore::fence(&url, patient())
        .await
        .unwrap();
    assert_eq!(accepted(&bench, &sessions).await, 0);
    let fresh = send(&bench, "new", 1).await;
    assert!(bench.approves(&fresh[0]).await);
}

/// A machine without power refuses nothing: nobody answers, and the next host must still be
/// asked.
#[tokio::test]
async fn a62_a_host_that_is_silent_does_not_hide_the_next_one() {
    use countersign::SessionStore as _;
    use tokio::net::{TcpSocket, TcpStream};
    let server = Postgres::start(&[]);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let silent = listener.local_addr().unwrap();
    let mut fillers = Vec::new();
    // Once nobody more can wait to be accepted, connections are not answered at all.
    let patience = Duration::from_millis(300);
    while let Ok(filler) = tokio::time::timeout(patience, TcpStream::connect(silent)).await {
        fillers.push(filler.unwrap());
    }
    let mut options = patient();
    options.connect_timeout = Duration::from_secs(2);
    let hosts = format!("{silent},127.0.0.1:{}", server.port);
    let url = format!("postgres://{OWNER}:{SECRET}@{hosts}/postgres");
    store(&url, options).await.ping().await.unwrap();
}
