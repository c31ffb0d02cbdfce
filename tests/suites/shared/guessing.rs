//! A01, A02, A03, A12, A16: guesses from everywhere at once.

use countersign::Stopwatch;

use super::caller::{Answer, count, wrong};
use super::fleet::{Fleet, SERVERS};
use super::four_servers::{each_round, rounds};

/// Guesses at once, over all servers.
const AT_ONCE: usize = 256;

/// 256 wrong guesses at once: five are compared, whichever server they met.
pub(crate) async fn a01_wrong_guesses_at_once_are_compared_five_times(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a01"), Stopwatch::start());
    let before = fleet.checks("wrong_code").await;
    for round in each_round("a01") {
        let to = format!("+4741{round:06}");
        let session = fleet.send(&caller, round % SERVERS, &to).await;
        let guesses = (0..AT_ONCE).map(|n| wrong(&session.code, n));
        let answers = caller.check_at_once(&session, guesses).await;
        for left in 1..=4 {
            let told = count(&answers, Answer::WrongCode { left });
            assert_eq!(told, 1, "{}, round {round}: {left} left", fleet.kind);
        }
        let ended = count(&answers, Answer::TooManyAttempts);
        assert_eq!(ended, AT_ONCE - 4, "{}, round {round}", fleet.kind);
        assert_eq!(caller.charged(&session).await, 5, "{}", fleet.kind);
        let right = caller.check(round % SERVERS, &session, &session.code).await;
        assert_eq!(right, Answer::TooManyAttempts, "{}", fleet.kind);
    }
    // The metrics agree; they count the fifth with all those that come too late.
    let counted = fleet.checks("wrong_code").await - before;
    assert_eq!(counted, 4 * rounds() as u64, "{}", fleet.kind);
    fleet.tell(
        "a01, a03",
        &format!("{} × {AT_ONCE} wrong guesses at once", rounds()),
        "5 comparisons in each",
        &clock,
    );
}

/// 256 right answers at once: one is an approval.
pub(crate) async fn a02_right_answers_at_once_are_approved_once(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a02"), Stopwatch::start());
    let before = fleet.checks("verified").await;
    for round in each_round("a02") {
        let to = format!("+4742{round:06}");
        let session = fleet.send(&caller, round % SERVERS, &to).await;
        let right = vec![session.code.clone(); AT_ONCE];
        let answers = caller.check_at_once(&session, right).await;
        let approved = count(&answers, Answer::Verified);
        assert_eq!(approved, 1, "{}, round {round}", fleet.kind);
        let used = count(&answers, Answer::AlreadyUsed);
        assert_eq!(used, AT_ONCE - 1, "{}, round {round}", fleet.kind);
    }
    let counted = fleet.checks("verified").await - before;
    assert_eq!(counted, rounds() as u64, "{}: by the metrics", fleet.kind);
    fleet.tell(
        "a02, a03",
        &format!("{} × {AT_ONCE} right answers at once", rounds()),
        "1 approval in each",
        &clock,
    );
}

/// Five wrong guesses and a new session, again and again: ten guesses an hour. The day
/// and the year are tried with a clock that can be set.
pub(crate) async fn a12_new_sessions_give_no_guess_back(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a12"), Stopwatch::start());
    for round in each_round("a12") {
        let to = format!("+4743{round:06}");
        let mut compared = 0;
        for at in 0..SERVERS {
            let session = fleet.send(&caller, at, &to).await;
            let guesses = (0..5).map(|n| wrong(&session.code, n));
            let answers = caller.check_at_once(&session, guesses).await;
            compared += 5 - count(&answers, Answer::Throttled);
            let right = caller.check(at, &session, &session.code).await;
            assert_ne!(right, Answer::Verified, "{}, round {round}", fleet.kind);
        }
        assert_eq!(compared, 10, "{}, round {round}", fleet.kind);
        let last = fleet.send(&caller, 0, &to).await;
        assert_eq!(
            caller.charged(&last).await,
            10,
            "{}, round {round}",
            fleet.kind
        );
    }
    fleet.tell(
        "a12",
        &format!("{} × {SERVERS} sessions with 5 wrong guesses", rounds()),
        "10 comparisons in each hour",
        &clock,
    );
}

/// Four wrong guesses in flight with the right one: the owner is never refused.
pub(crate) async fn a16_wrong_guesses_in_flight_never_refuse_the_owner(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a16"), Stopwatch::start());
    for round in each_round("a16") {
        let to = format!("+4744{round:06}");
        let session = fleet.send(&caller, round % SERVERS, &to).await;
        let mut guesses: Vec<_> = (0..4).map(|n| wrong(&session.code, n)).collect();
        guesses.insert(round % 5, session.code.clone());
        let answers = caller.check_at_once(&session, guesses).await;
        let approved = count(&answers, Answer::Verified);
        assert_eq!(approved, 1, "{}, round {round}: {answers:?}", fleet.kind);
    }
    fleet.tell(
        "a16",
        &format!("{} × 4 wrong and 1 right at once", rounds()),
        "the right one never refused",
        &clock,
    );
}
