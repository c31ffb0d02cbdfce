//! A52: one send that a client repeats a hundred times at once, at every server.

use std::collections::BTreeSet;

use countersign::Stopwatch;
use serde_json::Value;

use super::caller::Caller;
use super::fleet::{Fleet, SERVERS};
use crate::parts::long::{long, progress};

const AT_ONCE: usize = 100;

fn rounds() -> usize {
    if long() { 200 } else { 10 }
}

/// A hundred tries at once with one idempotency key are one session and one message; the same
/// key with another body is refused, and of another tenant it is another send.
pub(crate) async fn a52_a_hundred_retries_at_once_are_one_send(fleet: &Fleet) {
    let (caller, other) = (fleet.tenant("a52"), fleet.tenant("another"));
    let (clock, mut answered) = (Stopwatch::start(), 0);
    let mut messages = fleet.messages();
    for round in 0..rounds() {
        progress("a52", round, rounds());
        let (to, key) = (format!("+4752{round:06}"), format!("retry-{round}"));
        let mut answers = at_once(&caller, &to, &key).await;
        answered += answers.iter().filter(|(status, _)| *status == 200).count();
        answers.push(caller.send_once(0, &to, &key).await);
        let session = only_session(fleet, &answers);
        let elsewhere = format!("+4753{round:06}");
        let (status, body) = caller.send_once(1, &elsewhere, &key).await;
        assert_eq!(status, 422, "{}: {body}", fleet.kind);
        let (status, body) = other.send_once(2, &to, &key).await;
        assert_eq!(status, 200, "{}: {body}", fleet.kind);
        assert_ne!(body["session_id"], session.as_str(), "{}", fleet.kind);
        assert_eq!(caller.sessions(&to).await, 1, "{}", fleet.kind);
        // What was shown before these is known when they are.
        for at in 0..SERVERS {
            let mark = format!("+4754{at}{round:05}");
            fleet.send(&caller, at, &mark).await;
        }
        messages += 2 + SERVERS;
        assert_eq!(fleet.messages(), messages, "{}: messages", fleet.kind);
    }
    fleet.tell(
        "a52",
        &format!("{} × {AT_ONCE} retries at once", rounds()),
        &format!("one session, one message each; {answered} answered at once"),
        &clock,
    );
}

/// An answer's status and body.
type Answer = (u16, Value);

async fn at_once(caller: &Caller, to: &str, key: &str) -> Vec<Answer> {
    let send = |at| {
        let (caller, to, key) = (caller.clone(), to.to_owned(), key.to_owned());
        tokio::spawn(async move { caller.send_once(at, &to, &key).await })
    };
    let tasks: Vec<_> = (0..AT_ONCE).map(|n| send(n % SERVERS)).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no panic"));
    }
    answers
}

/// The session of all answers; of those in between, a retry is told to come again.
fn only_session(fleet: &Fleet, answers: &[Answer]) -> String {
    let mut sessions = BTreeSet::new();
    for (status, body) in answers {
        match status {
            200 => drop(sessions.insert(body["session_id"].as_str().expect("an id"))),
            409 => assert!(body.get("session_id").is_none(), "{body}"),
            _ => panic!("{}: {status} {body}", fleet.kind),
        }
    }
    assert_eq!(answers.last().expect("one").0, 200, "{answers:?}");
    assert_eq!(sessions.len(), 1, "{}: {sessions:?}", fleet.kind);
    sessions.pop_first().expect("one").to_owned()
}
