//! A54, A55, A56: the network between a verifier and its store fails at every point.

use std::future::Future;

use countersign::{SendError, SessionState, Verdict};

use super::behind::NETWORKED;
use super::caller::wrong;
use super::faults::{Plan, Tally, extent_of, plans};
use super::site::Site;

/// Runs a row on every store that is reached over a network.
async fn on_every_network<F: Future<Output = ()>>(row: impl Fn(Site) -> F) {
    for kind in NETWORKED {
        row(Site::start(kind).await).await;
    }
}

/// Every fault that a check can meet.
async fn faults_of_a_check(site: &Site) -> Vec<Plan> {
    let session = site.session().await;
    let guess = wrong(&session.code, 0);
    let check = async || site.check(&session, &guess).await;
    // A session has no more attempts.
    plans(extent_of(site, "a check", 5, check).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a54_no_message_leaves_unless_its_session_is_stored() {
    on_every_network(|site| async move {
        let (kind, mut tally) = (site.kind, Tally::default());
        let once = async || site.send(&site.somebody()).await;
        let extent = extent_of(&site, "a send", 20, once).await;
        for plan in plans(extent) {
            let to = site.somebody();
            let answer = tally.under(&site, plan, &to, site.send(&to)).await;
            let (messages, stored) = (site.codes_to(&to).len(), site.held(&to).await.sessions);
            assert!(messages <= 1, "{kind}, {plan:?}: {messages} messages left");
            assert!(stored.len() <= 1, "{kind}, {plan:?}: charged twice");
            assert!(messages <= stored.len(), "{kind}, {plan:?}: not stored");
            match answer {
                Ok(sent) => {
                    let session = site.known(&sent, &to);
                    let verdict = site.verdict(&session, &session.code).await;
                    assert!(verdict.is_verified(), "{kind}, {plan:?}: {verdict:?}");
                }
                Err(SendError::Store(_)) => assert_eq!(messages, 0, "{kind}, {plan:?}"),
                Err(error) => panic!("{kind}, {plan:?}: {error}"),
            }
        }
        tally.tell(kind, "a54, send");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a55_a_wrong_guess_is_charged_once_or_not_told() {
    on_every_network(|site| async move {
        let (kind, mut tally, mut charged) = (site.kind, Tally::default(), 0);
        for plan in faults_of_a_check(&site).await {
            let session = site.session().await;
            let guess = wrong(&session.code, 0);
            let check = site.check(&session, &guess);
            let answer = tally.under(&site, plan, &session.to, check).await;
            let used = site.used(&session).await;
            // One guess of the caller's is one guess of the session's at most.
            assert!(
                used <= 1,
                "{kind}, {plan:?}: one guess charged {used} times"
            );
            if let Ok(verdict) = answer {
                assert_eq!(verdict, left(4), "{kind}, {plan:?}");
                assert_eq!(used, 1, "{kind}, {plan:?}: told, and given back");
            } else {
                charged += used;
            }
            for n in used + 1..5 {
                let verdict = site.verdict(&session, &guess).await;
                assert_eq!(verdict, left(5 - n), "{kind}, {plan:?}");
            }
            let fifth = site.verdict(&session, &guess).await;
            assert_eq!(fifth, Verdict::Exhausted, "{kind}, {plan:?}");
        }
        tally.tell(kind, "a55, wrong guess");
        println!("{kind}: {charged} of the unknown ones were charged");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a55_a56_an_approval_is_stored_before_it_is_told_and_told_once() {
    on_every_network(|site| async move {
        let (kind, mut tally, mut used_up) = (site.kind, Tally::default(), 0);
        for plan in faults_of_a_check(&site).await {
            let session = site.session().await;
            let check = site.check(&session, &session.code);
            let answer = tally.under(&site, plan, &session.to, check).await;
            let stored = site.is_verified(&session).await;
            let (mut approvals, mut expected) = (0, 1);
            match answer {
                Ok(verdict) => {
                    assert!(verdict.is_verified(), "{kind}, {plan:?}: {verdict:?}");
                    assert!(stored, "{kind}, {plan:?}: told without an acknowledgement");
                    approvals = 1;
                }
                // An approval that nobody was told of has used the code up.
                Err(_) if stored => (expected, used_up) = (0, used_up + 1),
                Err(_) => {}
            }
            for _ in 0..2 {
                match site.verdict(&session, &session.code).await {
                    Verdict::Verified { .. } => approvals += 1,
                    verdict => assert_eq!(verdict, Verdict::AlreadyUsed, "{kind}, {plan:?}"),
                }
            }
            assert_eq!(approvals, expected, "{kind}, {plan:?}");
            assert!(site.is_verified(&session).await, "{kind}, {plan:?}");
        }
        tally.tell(kind, "a55, a56, right code");
        println!("{kind}: {used_up} of the unknown ones had used the code up");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a56_the_same_attempt_has_the_same_answer_when_the_first_was_lost() {
    on_every_network(|site| async move {
        let (kind, mut tally) = (site.kind, Tally::default());
        for plan in faults_of_a_check(&site).await {
            let session = site.session().await;
            for (attempt, guess) in [
                ("typo", wrong(&session.code, 0)),
                ("code", session.code.clone()),
            ] {
                let check = site.check_as(&session, &guess, Some(attempt));
                let first = tally.under(&site, plan, &session.to, check).await;
                let again = site.verdict_as(&session, &guess, Some(attempt)).await;
                if guess == session.code {
                    assert!(again.is_verified(), "{kind}, {plan:?}: {again:?}");
                } else {
                    assert_eq!(again, left(4), "{kind}, {plan:?}: charged once");
                }
                if let Ok(first) = first {
                    assert_eq!(first, again, "{kind}, {plan:?}, {attempt}");
                }
            }
            let replayed = site.verdict(&session, &session.code).await;
            assert_eq!(replayed, Verdict::AlreadyUsed, "{kind}, {plan:?}");
        }
        tally.tell(kind, "a56, both guesses with attempt ids");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a55_any_number_of_faults_gives_no_guess_back() {
    on_every_network(|site| async move {
        let (kind, mut tally, mut sessions) = (site.kind, Tally::default(), 0);
        // As many sessions as it takes until every fault was met, one fault a guess.
        let mut faults = faults_of_a_check(&site).await.into_iter().peekable();
        while faults.peek().is_some() {
            let session = site.session().await;
            let (guess, mut used, mut told) = (wrong(&session.code, 0), 0, 0);
            while site.stands(&session).await.state == SessionState::Live {
                let now = site.used(&session).await;
                assert!(
                    (used..=used + 1).contains(&now),
                    "{kind}: {used}, then {now} used"
                );
                used = now;
                let check = site.check(&session, &guess);
                let answer = match faults.next() {
                    Some(plan) => tally.under(&site, plan, &session.to, check).await,
                    None => check.await,
                };
                told += u8::from(matches!(answer, Ok(Verdict::WrongCode { .. })));
                assert!(told <= 4, "{kind}: {told} wrong codes told in one session");
            }
            let right = site.verdict(&session, &session.code).await;
            assert_eq!(right, Verdict::Exhausted, "{kind}");
            sessions += 1;
        }
        tally.tell(kind, "a55, wrong guesses one after the other");
        println!("{kind}: in {sessions} sessions, each with five comparisons");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a54_a55_while_the_store_is_gone_nothing_is_sent_and_nothing_approved() {
    on_every_network(|site| async move {
        let (kind, to, session) = (site.kind, site.somebody(), site.session().await);
        site.net.fail().await;
        for _ in 0..3 {
            let sent = site.send(&to).await;
            assert!(matches!(sent, Err(SendError::Store(_))), "{kind}: {sent:?}");
            for guess in [wrong(&session.code, 0), session.code.clone()] {
                let verdict = site.check(&session, &guess).await;
                assert!(verdict.is_err(), "{kind}: {verdict:?}");
            }
        }
        assert!(site.codes_to(&to).is_empty(), "{kind}: a message left");
        let calls = site.mended(&session.to).await;
        let stored = site.held(&to).await.sessions;
        assert!(stored.is_empty(), "{kind}: a session that never arrived");
        assert_eq!(site.used(&session).await, 0, "{kind}: charged unseen");
        let verdict = site.verdict(&session, &session.code).await;
        assert!(verdict.is_verified(), "{kind}: {verdict:?}");
        println!("{kind}: a54, a55, an outage: back in {calls} calls");
    })
    .await;
}

const fn left(attempts_remaining: u8) -> Verdict {
    Verdict::WrongCode { attempts_remaining }
}
