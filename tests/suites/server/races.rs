//! Many requests at once on one HTTP/2 connection.

use std::collections::BTreeMap;

use countersign::Stopwatch;

use crate::api::Api;
use crate::page::wrong;
use crate::parts::long::{long, progress};
use crate::stage::stage;

/// Requests at once: as many as the server takes on one connection.
const AT_ONCE: usize = 256;

/// Rounds of each race.
pub(crate) fn rounds() -> usize {
    if long() { 1000 } else { 20 }
}

/// Checks `guess` as often as fits on the connection, all at once, and counts the answers
/// by status or reason and attempts.
async fn all_at_once(api: &Api, session: &str, guess: &str) -> BTreeMap<(String, u64), usize> {
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (api, session, guess) = (api.clone(), session.to_owned(), guess.to_owned());
            tokio::spawn(async move { api.check(&session, &guess).await })
        })
        .collect();
    let mut counts = BTreeMap::new();
    for task in tasks {
        let answer = task.await.expect("no panic");
        let kind = if answer.is_verified() {
            "verified".to_owned()
        } else {
            answer.reason()
        };
        let left = answer.number_of("attempts_remaining").unwrap_or(0);
        *counts.entry((kind, left)).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a01_wrong_guesses_at_once_over_http2_are_compared_five_times() {
    let (stage, clock) = (stage().await, Stopwatch::start());
    let tenant = stage.tenant("a01");
    let api = Api::http2(&stage.home.base(), tenant.key());
    for round in 0..rounds() {
        let to = format!("+47410{round:05}");
        let (session, code) = stage.texted(&api, &to).await;
        let counts = all_at_once(&api, &session, &wrong(&code)).await;
        for left in 1..=4 {
            let count = counts.get(&("wrong_code".into(), left));
            assert_eq!(count, Some(&1), "round {round}: {counts:?}");
        }
        let ended = counts.get(&("too_many_attempts".into(), 0));
        assert_eq!(ended, Some(&(AT_ONCE - 4)), "round {round}: {counts:?}");
        assert_eq!(charged(&tenant, &to).await, 5, "round {round}");
        assert_eq!(
            api.check(&session, &code).await.reason(),
            "too_many_attempts"
        );
        progress("a01 over HTTP/2", round, rounds());
    }
    println!(
        "a01: {} rounds of {AT_ONCE} in {} ms",
        rounds(),
        clock.elapsed_millis()
    );
}

/// Failed guesses of this destination since its last success, as the operator sees them.
async fn charged(api: &Api, to: &str) -> u64 {
    let path = format!("/v1/verify/destination?to={}", to.replace('+', "%2B"));
    let seen = api.get(&path).await.expect(200).json();
    seen["open"]["failures_in_a_row"]
        .as_u64()
        .expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_right_answers_at_once_over_http2_are_approved_once() {
    let (stage, clock) = (stage().await, Stopwatch::start());
    let tenant = stage.tenant("a02");
    let api = Api::http2(&stage.home.base(), tenant.key());
    for round in 0..rounds() {
        let (session, code) = stage.texted(&api, &format!("+47420{round:05}")).await;
        let counts = all_at_once(&api, &session, &code).await;
        let expected = BTreeMap::from([
            (("already_used".to_owned(), 0), AT_ONCE - 1),
            (("verified".to_owned(), 0), 1),
        ]);
        assert_eq!(counts, expected, "round {round}");
        progress("a02 over HTTP/2", round, rounds());
    }
    println!(
        "a02: {} rounds of {AT_ONCE} in {} ms",
        rounds(),
        clock.elapsed_millis()
    );
}
