//! Ends of the process: what was acknowledged before is true after.

use countersign::Stopwatch;
use serde_json::json;

use crate::api::Api;
use crate::page::wrong;
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::server::{Home, Server, pause};
use crate::terminal;

async fn texted(server: &Server, api: &Api, to: &str) -> (String, String) {
    let shown = terminal::codes(server).len();
    let session = api.send("sms", to).await.session();
    (session, terminal::code_after(server, shown).await)
}

#[tokio::test]
async fn a05_a_used_code_stays_used_and_guesses_stay_charged_after_a_restart() {
    let home = Home::empty();
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let (used, code) = texted(&server, &api, "+4740000020").await;
    assert!(api.check(&used, &code).await.is_verified());
    let (guessed, right) = texted(&server, &api, "+4740000021").await;
    for left in [4, 3] {
        let answer = api.check(&guessed, &wrong(&right)).await;
        assert_eq!(answer.number_of("attempts_remaining"), Some(left));
    }
    server.stop().await;

    let server = home.serve().await;
    assert_eq!(api.check(&used, &code).await.reason(), "already_used");
    let answer = api.check(&guessed, &wrong(&right)).await;
    assert_eq!(answer.number_of("attempts_remaining"), Some(2));
    assert!(api.check(&guessed, &right).await.is_verified());
    assert_eq!(api.check(&guessed, &right).await.reason(), "already_used");
    server.stop().await;
}

/// What a client knows of one session when the server is killed.
struct Known {
    session: String,
    code: String,
    /// Wrong guesses whose charge was acknowledged.
    charged: u64,
    /// Whether the approval was acknowledged.
    approved: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_load_nothing_acknowledged_is_lost() {
    let home = Home::empty();
    let mut server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let (rounds, sessions) = (if long() { 1000 } else { 100 }, 24);
    let (mut approvals, mut charges, clock) = (0, 0, Stopwatch::start());
    for round in 0..rounds {
        let mut open = Vec::new();
        for n in 0..sessions {
            open.push(texted(&server, &api, &format!("+4743{round:03}{n:03}")).await);
        }
        let work: Vec<_> = open
            .into_iter()
            .enumerate()
            .map(|(n, (session, code))| {
                tokio::spawn(load(api.clone(), session, code, n as u64 % 4))
            })
            .collect();
        // Kill it after another number of answers in each round.
        let target = 5 + round * 9 % 45;
        while ANSWERS.load(std::sync::atomic::Ordering::SeqCst) < target {
            pause().await;
        }
        server.signal("KILL");
        let mut known = Vec::new();
        for task in work {
            known.push(task.await.expect("no panic"));
        }
        ANSWERS.store(0, std::sync::atomic::Ordering::SeqCst);
        assert!(!server.ended().await.success());
        server = home.serve().await;
        for session in known {
            approvals += usize::from(session.approved);
            charges += session.charged;
            assert_kept(&api, &session).await;
        }
        progress("killed under load", round, rounds);
    }
    assert!(approvals > 0 && charges > 0, "the load was no load");
    println!(
        "{rounds} kills: {approvals} approvals and {charges} charges kept, in {} ms",
        clock.elapsed_millis()
    );
    note(
        "a60, a05",
        "SQLite",
        From::Outside,
        &format!("{rounds} kills of the server"),
        &format!("{approvals} approvals and {charges} charges kept, 0 given back"),
    );
    server.stop().await;
}

static ANSWERS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Guesses wrong as often as `guesses` says, then right, until the server is gone.
async fn load(api: Api, session: String, code: String, guesses: u64) -> Known {
    let mut known = Known {
        session,
        code,
        charged: 0,
        approved: false,
    };
    for n in 0..=guesses {
        let right = n == guesses;
        let guess = if right {
            known.code.clone()
        } else {
            wrong(&known.code)
        };
        let body = json!({ "session_id": known.session, "code": guess });
        let request = api.request("POST", "/v1/verify/check").json(&body);
        let Ok(response) = request.send().await else {
            break;
        };
        let Ok(text) = response.text().await else {
            break;
        };
        ANSWERS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        match answer["status"].as_str() {
            Some("verified") => known.approved = true,
            Some("failed") if answer["reason"] == "wrong_code" => known.charged += 1,
            _ => panic!("unexpected: {text}"),
        }
    }
    known
}

/// That after the restart no used code is accepted and no acknowledged guess is back.
async fn assert_kept(api: &Api, known: &Known) {
    if known.approved {
        let replayed = api.check(&known.session, &known.code).await;
        assert_eq!(replayed.reason(), "already_used");
        return;
    }
    let answer = api.check(&known.session, &wrong(&known.code)).await;
    match answer.reason().as_str() {
        // The approval was written and its answer lost: used is used.
        "already_used" => {}
        "wrong_code" => {
            let left = answer.number_of("attempts_remaining").expect("a number");
            assert!(
                left < 5 - known.charged,
                "{left} left after {}",
                known.charged
            );
        }
        reason => panic!("{reason}: {answer:?}"),
    }
}
