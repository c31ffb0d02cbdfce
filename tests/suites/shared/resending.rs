//! A11, A13, A14, A15: many codes of one destination, sent and guessed at all servers.

use countersign::Stopwatch;

use super::caller::{Answer, count, wrong};
use super::fleet::{Fleet, SERVERS};
use super::four_servers::{each_round, rounds};

/// Four wrong guesses and a resend, as often as a session has messages: five compared.
pub(crate) async fn a11_a_resend_gives_no_attempt_back(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a11"), Stopwatch::start());
    for round in each_round("a11") {
        let mut session = fleet.send(&caller, 0, &format!("+4751{round:06}")).await;
        let (mut told, mut resent) = (0, 0);
        for at in 0..10 {
            let guesses = (0..4).map(|n| wrong(&session.code, n));
            let answers = caller.check_at_once(&session, guesses).await;
            told += 4 - count(&answers, Answer::TooManyAttempts);
            if told == 4 && resent == 0 {
                session = fleet.resend(&caller, at % SERVERS, &session).await;
                resent += 1;
            } else {
                let refused = caller.resend(at % SERVERS, &session).await;
                assert_ne!(
                    refused["status"], "sent",
                    "an ended session: {}",
                    fleet.kind
                );
            }
        }
        // The fifth comparison is told as the end of the session.
        assert_eq!(told, 4, "{}, round {round}", fleet.kind);
        assert_eq!(caller.charged(&session).await, 5, "{}", fleet.kind);
    }
    fleet.tell(
        "a11",
        &format!("{} × 10 × (4 wrong, resend)", rounds()),
        "5 comparisons in each session",
        &clock,
    );
}

/// After resends from other servers only the newest code works.
pub(crate) async fn a13_the_old_codes_are_dead_after_a_resend(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a13"), Stopwatch::start());
    for round in each_round("a13") {
        let first = fleet.send(&caller, 0, &format!("+4752{round:06}")).await;
        let second = fleet.resend(&caller, 1, &first).await;
        let third = fleet.resend(&caller, 2, &second).await;
        let old = [first.code, second.code].into_iter();
        let old: Vec<_> = old.filter(|code| *code != third.code).collect();
        let answers = caller.check_at_once(&third, old).await;
        let approved = count(&answers, Answer::Verified);
        assert_eq!(approved, 0, "{}, round {round}", fleet.kind);
        let newest = caller.check(3, &third, &third.code).await;
        assert_eq!(newest, Answer::Verified, "{}, round {round}", fleet.kind);
    }
    fleet.tell(
        "a13",
        &format!("{} × 2 old codes", rounds()),
        "0 approvals of them",
        &clock,
    );
}

/// Wrong guesses at three servers while the fourth resends: the old code is dead, every
/// guess is charged, and the new code works.
pub(crate) async fn a14_a_guess_that_races_a_resend_brings_no_old_code_back(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a14"), Stopwatch::start());
    for round in each_round("a14") {
        let old = fleet.send(&caller, 0, &format!("+4753{round:06}")).await;
        let guesses = (0..3).map(|n| wrong(&old.code, 1000 + n));
        let (new, answers) = tokio::join!(
            fleet.resend(&caller, 3, &old),
            caller.check_at_once(&old, guesses)
        );
        // One of the wrong guesses may be the new code, once in 300,000 rounds.
        let lucky = count(&answers, Answer::Verified);
        if lucky == 0 && new.code != old.code {
            assert_eq!(
                caller.charged(&new).await,
                3,
                "{}, round {round}",
                fleet.kind
            );
            let dead = caller.check(1, &old, &old.code).await;
            assert_eq!(
                dead,
                Answer::WrongCode { left: 1 },
                "{}, {round}",
                fleet.kind
            );
            let right = vec![new.code.clone(); SERVERS];
            let approved = count(&caller.check_at_once(&new, right).await, Answer::Verified);
            assert_eq!(approved, 1, "{}, round {round}", fleet.kind);
        }
    }
    fleet.tell(
        "a14",
        &format!("{} × 3 guesses and a resend at once", rounds()),
        "0 approvals of the old code, 1 of the new",
        &clock,
    );
}

/// Three live sessions of one destination, and the code of each guessed at the others:
/// each guess is tried on its own session only, and charged once. That a guess is tried
/// on the last n codes of one session is another policy, tried in process.
pub(crate) async fn a15_one_guess_is_tried_on_one_session_and_charged_once(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a15"), Stopwatch::start());
    for round in each_round("a15") {
        let mut sessions = Vec::new();
        for at in 0..3 {
            let to = format!("+4754{round:06}");
            sessions.push(fleet.send(&caller, at, &to).await);
        }
        let mut charged = 0;
        for (own, session) in sessions.iter().enumerate() {
            let others = sessions.iter().map(|session| session.code.clone());
            let others = others.filter(|code| *code != session.code);
            let answers = caller.check_at_once(session, others).await;
            assert_eq!(
                count(&answers, Answer::Verified),
                0,
                "{}, {own}",
                fleet.kind
            );
            charged += answers.len() as u64;
            assert_eq!(caller.charged(session).await, charged, "{}", fleet.kind);
        }
        for (at, session) in sessions.iter().enumerate() {
            let right = caller
                .check((at + 1) % SERVERS, session, &session.code)
                .await;
            assert_eq!(right, Answer::Verified, "{}, round {round}", fleet.kind);
        }
    }
    fleet.tell(
        "a15",
        &format!("{} × 3 live codes, each guessed at the others", rounds()),
        "each charged once, 0 approvals",
        &clock,
    );
}
