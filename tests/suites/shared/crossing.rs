//! A04, A07 to A10, A56: right codes that are good for something else, or were good before.

use countersign::Stopwatch;
use serde_json::{Value, json};

use super::caller::{Answer, Caller, count, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use super::four_servers::{each_round, rounds};

/// A used code, a thousand times, everywhere: approved once.
pub(crate) async fn a04_a_used_code_is_approved_once(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a04"), Stopwatch::start());
    let session = fleet.send(&caller, 0, "+4755000000").await;
    let first = caller.check(0, &session, &session.code).await;
    assert_eq!(first, Answer::Verified, "{}", fleet.kind);
    for round in 0..4 {
        let again = vec![session.code.clone(); 250];
        let answers = caller.check_at_once(&session, again).await;
        let used = count(&answers, Answer::AlreadyUsed);
        assert_eq!(used, 250, "{}, round {round}", fleet.kind);
    }
    assert_eq!(caller.charged(&session).await, 0, "{}", fleet.kind);
    let tried = "1,000 repetitions of a used code";
    fleet.tell("a04", tried, "0 further approvals, 0 comparisons", &clock);
}

/// The code of one session at another of the same destination: never approved.
pub(crate) async fn a07_a_code_is_good_for_its_session_only(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a07"), Stopwatch::start());
    let mut tried = 0;
    for round in each_round("a07") {
        let to = format!("+4756{round:06}");
        let a = fleet.send(&caller, 0, &to).await;
        let b = fleet.send(&caller, 1, &to).await;
        if a.code == b.code {
            continue;
        }
        for (at, session, code) in [(2, &a, &b.code), (3, &b, &a.code)] {
            let crossed = caller.check(at, session, code).await;
            assert_eq!(crossed, Answer::WrongCode { left: 4 }, "{}", fleet.kind);
            tried += 1;
        }
    }
    let tried = format!("{tried} codes at another session");
    fleet.tell("a07", &tried, "0 approvals, each charged", &clock);
}

/// Code and session with another tenant's key: as if there were no such session, which is
/// not charged.
pub(crate) async fn a08_another_tenant_sees_nothing(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a08"), Stopwatch::start());
    let another = fleet.tenant("another");
    for round in each_round("a08") {
        let session = fleet.send(&caller, 0, &format!("+4757{round:06}")).await;
        for at in 0..SERVERS {
            let foreign = another.check(at, &session, &session.code).await;
            assert_eq!(foreign, Answer::NotFound, "{}, {round}", fleet.kind);
        }
        assert_eq!(caller.charged(&session).await, 0, "{}", fleet.kind);
        let own = caller.check(1, &session, &session.code).await;
        assert_eq!(own, Answer::Verified, "{}, {round}", fleet.kind);
    }
    let tried = format!(
        "{} right codes with another tenant's key",
        rounds() * SERVERS
    );
    fleet.tell("a08", &tried, "0 approvals, 0 charges", &clock);
}

/// A code sent for one purpose, or for one payment, at another.
async fn good_for_its_own_only(
    fleet: &Fleet,
    caller: &Caller,
    prefix: &str,
    (own, others): (Value, Vec<Value>),
    told: Answer,
) {
    for round in each_round("a09, a10") {
        let to = format!("{prefix}{round:06}");
        let session = fleet.send_with(caller, 0, &to, own.clone()).await;
        for (at, other) in others.iter().enumerate() {
            let crossed = caller.check_with(at, &session, &session.code, other).await;
            assert_ne!(crossed, Answer::Verified, "{}, {other}", fleet.kind);
            assert!(crossed == told || matches!(crossed, Answer::WrongCode { .. }));
        }
        let right = caller.check_with(1, &session, &session.code, &own).await;
        assert_eq!(right, Answer::Verified, "{}, {round}", fleet.kind);
    }
}

pub(crate) async fn a09_a_code_is_good_for_its_purpose_only(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a09"), Stopwatch::start());
    let others = vec![json!({ "purpose": "reset" }), json!({})];
    let cases = (json!({ "purpose": "login" }), others);
    good_for_its_own_only(fleet, &caller, "+4758", cases, Answer::NotFound).await;
    let tried = format!("{} right codes for another purpose", 2 * rounds());
    fleet.tell("a09", &tried, "0 approvals", &clock);
}

/// Altered by one bit, cut, or left out.
pub(crate) async fn a10_a_code_is_good_for_its_binding_only(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a10"), Stopwatch::start());
    let bind = |text: &str| json!({ "binding": text });
    let others = vec![
        bind("EUR 13.50 to NO93"),
        bind("EUR 12.50 to NO9"),
        json!({}),
    ];
    let cases = (bind("EUR 12.50 to NO93"), others);
    good_for_its_own_only(fleet, &caller, "+4759", cases, Answer::NotFound).await;
    let tried = format!("{} right codes for another payment", 3 * rounds());
    fleet.tell("a10", &tried, "0 approvals", &clock);
}

/// A guess repeated with its attempt id, at another server: the same answer, one charge.
pub(crate) async fn a56_a_repeated_attempt_is_charged_once(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a56"), Stopwatch::start());
    for round in each_round("a56") {
        let session: Session = fleet.send(&caller, 0, &format!("+4745{round:06}")).await;
        let attempt = |n: usize| json!({ "attempt_id": format!("{round}-{n}") });
        for at in 0..SERVERS {
            let guess = wrong(&session.code, 0);
            let answer = caller.check_with(at, &session, &guess, &attempt(0)).await;
            assert_eq!(answer, Answer::WrongCode { left: 4 }, "{}", fleet.kind);
        }
        assert_eq!(caller.charged(&session).await, 1, "{}", fleet.kind);
        for at in 0..SERVERS {
            let answer = caller
                .check_with(at, &session, &session.code, &attempt(1))
                .await;
            assert_eq!(answer, Answer::Verified, "{}, {at}", fleet.kind);
        }
        let without = caller.check(0, &session, &session.code).await;
        assert_eq!(without, Answer::AlreadyUsed, "{}", fleet.kind);
    }
    let tried = format!("{} × a wrong and a right attempt, each 4 times", rounds());
    fleet.tell("a56", &tried, "one charge and one approval each", &clock);
}
