//! A06: callers who hang up over their guess, at twelve moments of it and between its charge and
//! its answer: what was compared stays charged.
//!
//! Not here are a store that fails between the two (A55), and a panic there, which nobody can cause
//! from outside.

use countersign::Stopwatch;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, yield_now};

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use super::four_servers::rounds;
use super::killed::{POSTGRES, Site};
use super::outages::{CHECK, open};
use super::setup::Setup;
use super::store::Kind;
use super::tracer::Tracer;
use crate::parts::long::progress;
use crate::parts::proxy::{Fault, Way};
use crate::parts::server::{PATIENCE, pause};

/// Most guesses of a session whose caller hangs up.
const CUT: usize = 8;
/// A caller gives way once before it hangs up, or twice, or four times, and so on. At the last
/// moment a caller with a connection of its own waits for the answer instead, and hangs up without
/// reading it.
const MOMENTS: usize = 11;
/// So long the sync of a charge is held up, in microseconds; less once the tracer lets go.
const HELD: &str = "delay_enter=5000000";

/// How a caller hangs up.
#[derive(Clone, Copy)]
enum End {
    /// Its connection is torn down (RST).
    Reset,
    /// Its connection is closed (FIN).
    Close,
    /// Its stream of a connection that lives on is (`RST_STREAM`).
    Stream,
}

const ENDS: [End; 3] = [End::Reset, End::Close, End::Stream];

/// What hanging up came to.
#[derive(Default)]
struct Cut {
    guesses: usize,
    /// Guesses whose answer had come to the client by then, and to nobody else.
    answered: u64,
    /// Comparisons, but for the last, that were made for them.
    unheard: u64,
}

/// Guesses that are hung up on, and then guesses that are heard until there are no more: five are
/// compared, and five charged.
async fn a06_hung_up_at_any_moment(kind: Kind) {
    let fleet = Fleet::start(kind, Setup::default()).await;
    let (caller, clock) = (fleet.tenant("a06"), Stopwatch::start());
    let (mut cut, mut stayed) = (Cut::default(), 0);
    let rounds = 2 * rounds().min(250);
    let mut compared = fleet.checks("wrong_code").await;
    for round in 0..rounds {
        let to = format!("+4740{round:06}");
        let session = fleet.send(&caller, round % SERVERS, &to).await;
        let mut certain = 0;
        let guesses = 1 + round % CUT;
        for n in 0..guesses {
            let (moment, end) = ((round + n) % (MOMENTS + 1), ENDS[cut.guesses % ENDS.len()]);
            let guess = wrong(&session.code, n);
            certain +=
                u64::from(hung_up(&caller, n % SERVERS, &session, guess, (end, moment)).await);
            cut.guesses += 1;
        }
        cut.answered += certain;
        let counted = fleet.checks("wrong_code").await - compared;
        let (first, heard) = heard(&caller, &session, round).await;
        // What was answered or counted before it was charged before it.
        let before = first.map_or(4, |left| 4 - left);
        let bounds = counted.max(certain.min(4))..=guesses as u64;
        assert!(
            bounds.contains(&before),
            "{kind}, round {round}: {before} charged of {bounds:?}"
        );
        assert_eq!(caller.charged(&session).await, 5, "{kind}, round {round}");
        let right = caller.check(round % SERVERS, &session, &session.code).await;
        assert_eq!(right, Answer::TooManyAttempts, "{kind}, round {round}");
        // The metrics count the fifth with all those that come too late.
        compared += 4;
        comes_to(kind, compared, async || fleet.checks("wrong_code").await).await;
        cut.unheard += 4 - heard;
        stayed += heard;
        progress("a06", round + 1, rounds);
    }
    assert_eq!(fleet.checks("wrong_code").await, compared, "{kind}");
    let unheard = cut.unheard;
    assert!(unheard > rounds as u64, "{kind}: {unheard} unheard");
    let tried = format!(
        "{} wrong guesses whose callers hung up, at {} moments, in {rounds} sessions",
        cut.guesses,
        MOMENTS + 1
    );
    let showed = format!(
        "5 charges in each session, and 4 comparisons counted before the one that ends it; of \
         those four {unheard} for callers who had gone ({} guesses whose answer had come and was \
         told to nobody), {stayed} for callers who stayed",
        cut.answered
    );
    fleet.tell("a06", &tried, &showed, &clock);
}

/// A guess whose caller hangs up: true if its answer had come by then.
async fn hung_up(
    caller: &Caller,
    at: usize,
    session: &Session,
    guess: String,
    (end, moment): (End, usize),
) -> bool {
    let ways = 1 << moment;
    if let End::Stream = end {
        let task = guessing(caller, at, session, guess);
        for _ in 0..ways {
            yield_now().await;
        }
        task.abort();
        return task.await.is_ok();
    }
    let body = json!({ "session_id": session.id, "code": guess });
    let (request, address) = caller.on_the_wire(at, "/v1/verify/check", &body);
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket option");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("the request leaves");
    if moment == MOMENTS {
        let answer = tokio::time::timeout(PATIENCE, stream.readable()).await;
        answer.expect("in time").expect("an answer");
    } else {
        for _ in 0..ways {
            yield_now().await;
        }
    }
    if let End::Reset = end {
        stream.set_zero_linger().expect("a socket option");
    }
    stream.try_read(&mut [0]).is_ok_and(|read| read > 0)
}

/// Guesses until no attempt is left: what the first was told to be left, unless there was none,
/// and how many were told that they were wrong.
async fn heard(caller: &Caller, session: &Session, round: usize) -> (Option<u64>, u64) {
    let (mut first, mut last, mut heard) = (None, 5, 0);
    for n in 0..=CUT {
        let guess = wrong(&session.code, CUT + n);
        match caller.check((round + n) % SERVERS, session, &guess).await {
            Answer::WrongCode { left } => {
                assert!(left < last, "round {round}: {left} left of {last}");
                first = first.or(Some(left));
                (last, heard) = (left, heard + 1);
            }
            Answer::TooManyAttempts => return (first, heard),
            other => panic!("round {round}: {other:?}"),
        }
    }
    panic!("round {round}: {CUT} guesses and no end");
}

/// Waits until a count comes to so many; it is never more.
async fn comes_to(kind: Kind, wanted: u64, count: impl AsyncFn() -> u64) {
    let clock = Stopwatch::start();
    loop {
        let counted = count().await;
        assert!(counted <= wanted, "{kind}: {counted}, not {wanted}");
        if counted == wanted {
            return;
        }
        let is_patient = clock.elapsed() < PATIENCE;
        assert!(is_patient, "{kind}: {counted}, not {wanted}");
        pause().await;
    }
}

fn guessing(
    caller: &Caller,
    at: usize,
    session: &Session,
    guess: String,
) -> JoinHandle<Option<Answer>> {
    let (caller, session) = (caller.clone(), session.clone());
    tokio::spawn(async move { caller.try_check(at, &session, &guess).await })
}

/// The charge is written, or on its way to the disk, and nobody has heard of it when the caller
/// hangs up: another server knows it.
async fn a06_hung_up_between_charge_and_answer(kind: Kind) {
    let (site, clock) = (Site::start(kind, "a06").await, Stopwatch::start());
    let (mut charged, rounds) = (0, rounds().min(400) / 4);
    for round in 0..rounds {
        let cuts = 1 + round as u64 % 5;
        let session = open(&site, 2 * round).await;
        for n in 0..cuts {
            between(&site, &session, wrong(&session.code, charged)).await;
            charged += 1;
            // Another server sees the charge, if only once the disk has it.
            comes_to(kind, n + 1, async || site.other.charged(&session).await).await;
        }
        let next = site
            .other
            .check(0, &session, &wrong(&session.code, charged))
            .await;
        let (told, then) = match cuts {
            ..=3 => (Answer::WrongCode { left: 4 - cuts }, Answer::Verified),
            _ => (Answer::TooManyAttempts, Answer::TooManyAttempts),
        };
        assert_eq!(next, told, "{kind}: {cuts} cut");
        assert_eq!(
            site.other.charged(&session).await,
            5.min(cuts + 1),
            "{kind}: {cuts} cut"
        );
        let right = site.other.check(0, &session, &session.code).await;
        assert_eq!(right, then, "{kind}: {cuts} cut");
        // The right one, of which nobody heard, is used up.
        let session = open(&site, 2 * round + 1).await;
        between(&site, &session, session.code.clone()).await;
        let again = site.other.check(0, &session, &session.code).await;
        assert_eq!(again, Answer::AlreadyUsed, "{kind}");
        progress("a06, between", round + 1, rounds);
    }
    let tried =
        format!("{charged} wrong and {rounds} right guesses, hung up on between charge and answer");
    let showed = "each charged or used up at another server, 0 approvals";
    site.fleet.tell("a06", &tried, showed, &clock);
}

/// A guess whose caller hangs up once the store has it, while the server waits to hear of that.
async fn between(site: &Site, session: &Session, guess: String) {
    let Some(proxy) = &site.proxy else {
        // A sync of whichever thread: but for a checkpoint's, which is seldom, it is the guess's.
        let tracer = Tracer::attach(site.fleet.process(0), "fsync,fdatasync", HELD);
        cut_once(site, session, guess, || tracer.met()).await;
        tracer.detach();
        return;
    };
    let unheard = proxy.unheard();
    let words = match site.fleet.kind {
        Kind::Postgres => POSTGRES,
        _ => CHECK,
    };
    proxy.strike_saying(words, 1, Fault::Swallow(Way::ToClient));
    cut_once(site, session, guess, || proxy.unheard() > unheard).await;
    proxy.cut_all();
    proxy.mend().await;
}

async fn cut_once(site: &Site, session: &Session, guess: String, is_met: impl Fn() -> bool) {
    let clock = Stopwatch::start();
    let mut call = guessing(&site.victim, 0, session, guess.clone());
    while !is_met() {
        // One that finds the last cut's connections gone has asked nothing yet.
        if call.is_finished() {
            assert_eq!(call.await.expect("no panic"), None, "{}", site.fleet.kind);
            call = guessing(&site.victim, 0, session, guess.clone());
        }
        assert!(clock.elapsed() < PATIENCE, "{}: never met", site.fleet.kind);
        pause().await;
    }
    call.abort();
    let told = call.await;
    assert!(told.is_err(), "{}: {told:?} was told", site.fleet.kind);
    // What comes later over the same connection is answered: the server knows of the end.
    site.victim.status_code(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_up_at_any_moment_on_a_server_with_its_memory() {
    a06_hung_up_at_any_moment(Kind::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_up_at_any_moment_on_four_servers_with_one_sqlite_file() {
    a06_hung_up_at_any_moment(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_up_at_any_moment_on_four_servers_with_postgres() {
    a06_hung_up_at_any_moment(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_up_at_any_moment_on_four_servers_with_redis() {
    a06_hung_up_at_any_moment(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_up_between_charge_and_answer_with_one_sqlite_file() {
    a06_hung_up_between_charge_and_answer(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_up_between_charge_and_answer_with_postgres() {
    a06_hung_up_between_charge_and_answer(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_up_between_charge_and_answer_with_redis() {
    a06_hung_up_between_charge_and_answer(Kind::Redis).await;
}
