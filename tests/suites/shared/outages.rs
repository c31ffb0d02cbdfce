//! A54, A55: a server that is cut off from its store during a send or a check, and another one that
//! is not.

use countersign::Stopwatch;
use serde_json::{Value, json};

use super::caller::{Answer, wrong};
use super::fleet::Session;
use super::four_servers::rounds;
use super::killed::{POSTGRES, Site};
use super::store::Kind;
use crate::parts::proxy::{End, Fault, Proxy, Way, Words};
use crate::parts::server::{PATIENCE, pause};
use crate::parts::twilio::taken;

/// What a check is on the wire of Redis.
pub(crate) const CHECK: Words = Words {
    asked: b"_check",
    told: b"",
};

/// How the answer of a store is lost, or the question.
const LOST: [(Fault, bool); 5] = [
    (Fault::CutBefore(End::Reset), false),
    (Fault::CutBefore(End::Close), false),
    (Fault::CutAfter(End::Reset), true),
    (Fault::CutAfter(End::Close), true),
    (Fault::Swallow(Way::ToClient), true),
];

/// While the store is gone, nothing is sent; when it is back, everything is.
async fn a54_a_store_that_is_down_lets_no_message_go(kind: Kind) {
    let (site, clock) = (Site::start(kind, "a54").await, Stopwatch::start());
    let (mut refused, mut number) = (0, 0);
    let mut next = || {
        number += 1;
        spread(900, number)
    };
    for _ in 0..rounds().min(100) {
        proxy(&site).refuse().await;
        proxy(&site).cut_all();
        let to = next();
        let answer = site.victim.send(0, &to, json!({})).await;
        assert_eq!(answer["status"], 503, "{kind}: {answer}");
        assert_eq!(site.codes_to(&to).len(), 0, "{kind}");
        refused += 1;
        proxy(&site).mend().await;
        let clock = Stopwatch::start();
        loop {
            let to = next();
            site.provider.play(taken());
            let answer = site.victim.send(0, &to, json!({})).await;
            let sent = usize::from(answer["status"] == "sent");
            assert_eq!(site.codes_to(&to).len(), sent, "{kind}: {answer}");
            if sent == 1 {
                break;
            }
            assert!(clock.elapsed() < PATIENCE, "{kind}: {answer}");
            pause().await;
        }
    }
    let tried = format!("{refused} sends while the store is gone");
    let showed = "0 messages, each refused with 503; served again without a restart";
    site.fleet.tell("a54", &tried, showed, &clock);
}

/// A check whose question or answer is lost is no approval, and the code is good once in all.
async fn a55_a_check_whose_answer_is_lost_is_no_approval(kind: Kind) {
    let (site, clock) = (Site::start(kind, "a55").await, Stopwatch::start());
    let rounds = LOST.len() * rounds().min(100) / 20;
    let (mut used, mut charged) = (0, 0);
    for (n, (fault, arrives)) in LOST.into_iter().cycle().take(rounds).enumerate() {
        let mistyped = open(&site, 2 * n).await;
        let guess = wrong(&mistyped.code, 0);
        assert_eq!(
            lost(&site, fault, &mistyped, &guess).await,
            503,
            "{kind}, {fault:?}"
        );
        let left = match site.other.check(0, &mistyped, &wrong(&guess, 1)).await {
            Answer::WrongCode { left } => left,
            other => panic!("{kind}, {fault:?}: {other:?}"),
        };
        assert_eq!(left, 4 - u64::from(arrives), "{kind}, {fault:?}");
        charged += u64::from(arrives);
        let typed = open(&site, 2 * n + 1).await;
        assert_eq!(
            lost(&site, fault, &typed, &typed.code).await,
            503,
            "{kind}, {fault:?}"
        );
        let right = site.other.check(0, &typed, &typed.code).await;
        let expected = if arrives {
            Answer::AlreadyUsed
        } else {
            Answer::Verified
        };
        assert_eq!(right, expected, "{kind}, {fault:?}");
        used += u64::from(arrives);
        let again = site.other.check(0, &typed, &typed.code).await;
        assert_eq!(again, Answer::AlreadyUsed, "{kind}, {fault:?}");
    }
    let tried = format!("{rounds} right and {rounds} wrong codes whose check was cut off");
    let showed = format!(
        "0 approved without the store's word, none twice; {used} were used and {charged} charged, \
         whose answer was lost"
    );
    site.fleet.tell("a55", &tried, &showed, &clock);
}

/// The n-th number, over fifty prefixes from this one on: nobody verifies, and one would be closed.
fn spread(prefix: usize, n: usize) -> String {
    format!("+47{}{n:05}", prefix + n % 50)
}

fn proxy(site: &Site) -> &Proxy {
    site.proxy.as_ref().expect("a network")
}

/// A session that the other server opened.
pub(crate) async fn open(site: &Site, n: usize) -> Session {
    let to = spread(950, n);
    site.provider.play(taken());
    let sent = site.other.send(0, &to, json!({})).await;
    let id = sent["session_id"].as_str();
    Session {
        id: id.unwrap_or_else(|| panic!("{sent}")).to_owned(),
        code: site.codes_to(&to).pop().expect("a message"),
        to,
    }
}

/// The status of a guess whose way to the store or back is cut; after it all is well again.
async fn lost(site: &Site, fault: Fault, session: &Session, guess: &str) -> u64 {
    let words = match site.fleet.kind {
        Kind::Postgres => POSTGRES,
        _ => CHECK,
    };
    let struck = proxy(site).struck();
    proxy(site).strike_saying(words, 1, fault);
    let body = json!({ "session_id": session.id, "code": guess });
    let answer: Value = loop {
        let answer = site.victim.post(0, "/v1/verify/check", &body).await;
        let answer = answer.expect("the server answers");
        // One that finds the last cut's connections gone has asked nothing yet.
        if proxy(site).struck() > struck {
            break answer;
        }
        pause().await;
    };
    proxy(site).cut_all();
    proxy(site).mend().await;
    answer["status"]
        .as_u64()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_and_nothing_is_approved_without_redis() {
    a54_a_store_that_is_down_lets_no_message_go(Kind::Redis).await;
    a55_a_check_whose_answer_is_lost_is_no_approval(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_and_nothing_is_approved_without_postgres() {
    a54_a_store_that_is_down_lets_no_message_go(Kind::Postgres).await;
    a55_a_check_whose_answer_is_lost_is_no_approval(Kind::Postgres).await;
}
