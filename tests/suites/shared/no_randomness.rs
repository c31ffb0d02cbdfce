//! A23: the system gives a running server no randomness: it sends nothing.

use countersign::Stopwatch;
use serde_json::json;

use super::caller::{Answer, wrong};
use super::fleet::Fleet;
use super::four_servers::rounds;
use super::setup::Setup;
use super::store::Kind;
use super::tracer::Tracer;
use crate::parts::long::progress;

/// How the system refuses it.
const REFUSALS: [&str; 3] = ["EIO", "EAGAIN", "ENOSYS"];

/// While there is none, each send and resend is refused and no message leaves; a live session is
/// judged as ever. Once there is some again, sends go on.
async fn a23_without_randomness_no_message_leaves(kind: Kind) {
    let fleet = Fleet::start(kind, Setup::default()).await;
    let (caller, clock) = (fleet.tenant("a23"), Stopwatch::start());
    let rounds = rounds().min(100);
    for round in 0..rounds {
        let to = |what: usize| format!("+4740{what}{round:05}");
        let session = fleet.send(&caller, 0, &to(0)).await;
        let shown = fleet.messages();
        let refusal = REFUSALS[round % REFUSALS.len()];
        let tracer = Tracer::attach(fleet.process(0), "getrandom", &format!("error={refusal}"));
        let sent = caller.send(0, &to(1), json!({})).await;
        let resent = caller.resend(0, &session).await;
        let missed = caller.check(0, &session, &wrong(&session.code, 0)).await;
        let found = caller.check(0, &session, &session.code).await;
        tracer.detach();
        for answer in [sent, resent] {
            assert_eq!(answer["status"], 503, "{kind}, {refusal}: {answer}");
        }
        assert_eq!(missed, Answer::WrongCode { left: 4 }, "{kind}, {refusal}");
        assert_eq!(found, Answer::Verified, "{kind}, {refusal}");
        // Had a message left, its code would be taken for this one's.
        let next = fleet.send(&caller, 0, &to(1)).await;
        let own = caller.check(0, &next, &next.code).await;
        assert_eq!(own, Answer::Verified, "{kind}, {refusal}: a message left");
        assert_eq!(fleet.messages(), shown + 1, "{kind}, {refusal}");
        progress("a23", round + 1, rounds);
    }
    let log = fleet.log(0);
    assert!(!log.contains("panicked"), "{kind}: {log}");
    let tried = format!("{rounds} sends and resends each while the system gives no randomness");
    let showed = "0 messages, each refused with 503; served again without a restart";
    fleet.tell("a23", &tried, showed, &clock);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_without_randomness() {
    a23_without_randomness_no_message_leaves(Kind::Memory).await;
}
