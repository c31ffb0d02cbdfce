//! A17, A19, A63: rows about time, by a clock that the test moves.

use countersign::Stopwatch;
use serde_json::json;

use super::caller::{Answer, Caller, count, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use super::four_servers::{SENDS, rounds};
use super::held::Gate;
use super::setup::Setup;
use super::store::Kind;
use crate::parts::long::{long, progress};

/// How long a code lives, in milliseconds.
const LIFE: i64 = 300_000;
/// What is left of it when a code is typed in time; the test itself takes some of that.
const LEFT: i64 = 60_000;
const HOUR: i64 = 3_600_000;
/// A quarter of a day, and a second: failures are kept with their second, rounded up, and those of a
/// day ago would be counted or not by how fast this machine is.
const QUARTER: i64 = 6 * HOUR + 1000;
/// Jumps of a clock, from when a code is fresh.
const JUMPS: [i64; 6] = [LIFE / 2, LIFE, -LIFE, -LIFE, -24 * HOUR, 48 * HOUR];

async fn every_row_holds_on(kind: Kind) {
    let setup = Setup {
        policy: SENDS,
        moves: true,
        ..Setup::default()
    };
    let (fleet, clock) = (Fleet::start(kind, setup).await, Stopwatch::start());
    a19_a_code_is_refused_from_the_end_of_its_time_on(&fleet).await;
    a63_however_the_clock_jumps_nothing_is_approved_late_or_twice(&fleet).await;
    a17_a_year_at_one_destination_is_a_hundred_guesses(&fleet).await;
    println!("{kind}: all rows after {} ms", clock.elapsed_millis());
}

/// Typed within its time, from its end on, and in a request that begins in time and ends late.
async fn a19_a_code_is_refused_from_the_end_of_its_time_on(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a19"), Stopwatch::start());
    let (mut number, mut late) = (0, 0);
    let rounds = rounds().min(100);
    for at in (0..SERVERS).cycle().take(rounds) {
        for (age, slow) in [
            (LIFE - LEFT, false),
            (LIFE - LEFT, true),
            (LIFE, false),
            (LIFE, true),
            (LIFE + 1, false),
            (12 * LIFE, true),
        ] {
            number += 1;
            let session = fleet.send(&caller, at, &format!("+4765{number:06}")).await;
            let there = (at + number) % SERVERS;
            let answer = aged(fleet, &caller, (there, age, slow), &session).await;
            if age < LIFE {
                assert_eq!(answer, Answer::Verified, "{}, {age} ms", fleet.kind);
            } else {
                late += 1;
                assert_eq!(answer, Answer::Expired, "{}, {age} ms", fleet.kind);
            }
        }
        progress("a19", number / 6, rounds);
    }
    let tried = format!(
        "{late} right codes at the end of their time and later, half in requests that began in time"
    );
    fleet.tell("a19", &tried, "0 approvals", &clock);
}

/// The answer to a right code of this age. Who is slow begins the request when it is fresh.
async fn aged(
    fleet: &Fleet,
    caller: &Caller,
    (at, age, slow): (usize, i64, bool),
    session: &Session,
) -> Answer {
    if !slow {
        fleet.wind(age);
        return caller.check(at, session, &session.code).await;
    }
    // Open when a second one waits at it.
    let gate = Gate::of(2);
    let (slow, held) = (caller.clone(), gate.clone());
    let theirs = session.clone();
    let task = tokio::spawn(async move { slow.check_held(at, &theirs, &held).await });
    gate.lacks(1).await;
    // What comes later over the same connection is answered: the server has the beginning.
    assert_eq!(caller.status_code(at).await, 404);
    fleet.wind(age);
    gate.pass();
    task.await.expect("no panic")
}

/// Clocks that jump forward and back, and back again: used codes stay used, and attempts too.
async fn a63_however_the_clock_jumps_nothing_is_approved_late_or_twice(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a63"), Stopwatch::start());
    let rounds = rounds().min(100);
    for round in 0..rounds {
        let kind = fleet.kind;
        let to = |what: usize| format!("+4766{what}{round:05}");
        let used = fleet.send(&caller, 0, &to(0)).await;
        let verified = caller.check(1, &used, &used.code).await;
        assert_eq!(verified, Answer::Verified, "{kind}");
        let ended = fleet.send(&caller, 2, &to(1)).await;
        for n in 0..5 {
            caller
                .check(n % SERVERS, &ended, &wrong(&ended.code, n))
                .await;
        }
        let live = fleet.send(&caller, 3, &to(2)).await;
        // Half its life on, past its end, back into it, to a time before it, and a day either way.
        for (nth, jump) in JUMPS.into_iter().enumerate() {
            fleet.wind(jump);
            let is_in_life = nth == 0 || nth == 2;
            for (session, end) in [
                (&used, Answer::AlreadyUsed),
                (&ended, Answer::TooManyAttempts),
            ] {
                let again = vec![session.code.clone(); SERVERS];
                let answers = caller.check_at_once(session, again).await;
                let (approved, told) = (count(&answers, Answer::Verified), count(&answers, end));
                assert_eq!(approved, 0, "{kind}, round {round}, jump {nth}");
                assert!(
                    !is_in_life || told == SERVERS,
                    "{kind}, jump {nth}: {answers:?}"
                );
            }
            if !is_in_life {
                let late = caller.check(round % SERVERS, &live, &live.code).await;
                let is_over = matches!(late, Answer::Expired | Answer::NotFound);
                assert!(is_over, "{kind}, round {round}, jump {nth}: {late:?}");
            }
        }
        progress("a63", round + 1, rounds);
    }
    let tried = format!(
        "{rounds} × {} jumps of the clock, forward and back, by up to two days",
        JUMPS.len()
    );
    let showed = "0 used codes or used-up sessions approved, 0 approvals out of a code's time";
    fleet.tell("a63", &tried, showed, &clock);
}

/// A send and five guesses as often as it is allowed, for a year. With the last of a hundred the
/// destination is locked: the code of another live session is refused, and every send.
async fn a17_a_year_at_one_destination_is_a_hundred_guesses(fleet: &Fleet) {
    const TO: &str = "+4767000000";
    let (caller, clock) = (fleet.tenant("a17"), Stopwatch::start());
    let days = if long() { 365 } else { 30 };
    let (mut compared, mut locked) = (0, 0);
    for quarter in 0..4 * days {
        let at = quarter % SERVERS;
        let other = match compared {
            95 => Some(fleet.send(&caller, (at + 1) % SERVERS, TO).await),
            _ => None,
        };
        compared += a_session_guessed_at(fleet, &caller, at, TO).await;
        if let Some(other) = other {
            let right = caller.check(at, &other, &other.code).await;
            assert_eq!((compared, right), (100, Answer::Locked), "{}", fleet.kind);
            locked += 1;
        }
        fleet.wind(QUARTER);
        progress("a17", quarter + 1, 4 * days);
    }
    assert_eq!((compared, locked), (100, 1), "{}", fleet.kind);
    let refused = caller.send(0, TO, json!({})).await;
    let problem = refused["type"].as_str().expect("a problem");
    assert!(problem.ends_with(":locked"), "{}: {refused}", fleet.kind);
    let tried = format!("a send and 5 guesses, 4 times a day, for {days} days");
    let showed = "100 comparisons, then locked, the right code of another session too";
    fleet.tell("a17", &tried, showed, &clock);
}

/// Opens a session and guesses five times, unless that is refused: how many were compared. No guess
/// is right, or it would begin anew.
async fn a_session_guessed_at(fleet: &Fleet, caller: &Caller, at: usize, to: &str) -> usize {
    // The code is the caller's own, who does not guess it.
    let own = json!({ "custom_code": "918273" });
    let before = fleet.messages();
    let sent = caller.send(at, to, own).await;
    if sent["status"] != "sent" {
        return 0;
    }
    fleet.has_shown(1, before).await;
    let session = Session {
        id: sent["session_id"].as_str().expect("an id").to_owned(),
        to: to.to_owned(),
        code: String::new(),
    };
    let guesses = (0..5).map(|n| format!("00000{n}"));
    let answers = caller.check_at_once(&session, guesses).await;
    5 - count(&answers, Answer::Throttled) - count(&answers, Answer::Locked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_time_holds_on_a_server_with_its_memory() {
    every_row_holds_on(Kind::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_time_holds_on_four_servers_with_one_sqlite_file() {
    every_row_holds_on(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_time_holds_on_four_servers_with_postgres() {
    every_row_holds_on(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_time_holds_on_four_servers_with_redis() {
    every_row_holds_on(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_time_holds_on_four_servers_with_a_redis_cluster() {
    every_row_holds_on(Kind::RedisCluster).await;
}
