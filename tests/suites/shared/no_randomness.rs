//! A23: the system gives a running server no randomness, at any one draw of a send or from it on:
//! it sends nothing.
//!
//! Over a server's memory alone: no store has a part in what is drawn.

use countersign::Stopwatch;
use serde_json::json;

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, Session};
use super::setup::Setup;
use super::store::Kind;
use super::tracer::{Seen, Tracer};
use crate::parts::long::{long, progress};

/// How the system refuses it.
const REFUSALS: [&str; 3] = ["EIO", "EAGAIN", "ENOSYS"];
/// Whether each draw from the n-th on is refused, or the n-th alone: behind one that is made up for
/// a later one is refused all the same.
const UNTIL: [&str; 2] = ["+", ""];
/// A limit whose charges have ids of their own, which are drawn as well.
const LIMITED: &str = "tenant_sends = \"10000/1h\"\n";
/// No request has so many draws.
const MANY: usize = 12;

/// What a message leaves for, and what is drawn for it: a session's id, a code, a charge's id.
#[derive(Clone, Copy, Debug)]
enum Request {
    Send = 3,
    Resend = 2,
}

struct Dry {
    fleet: Fleet,
    caller: Caller,
    number: usize,
    refused: usize,
}

impl Dry {
    fn somebody(&mut self) -> String {
        self.number += 1;
        format!("+4740{:06}", self.number)
    }

    /// At the first draw, at the second, until the request has no such draw.
    async fn each_draw(&mut self, request: Request, (refusal, until): (&str, &str)) {
        let mut nth = 1;
        for _ in 0..MANY {
            let fate = format!("error={refusal}:when={nth}{until}");
            let seen = self.ask(request, &fate).await;
            if seen.struck() > 0 {
                nth += 1;
            } else if seen.begun() < nth {
                let draws = request as usize;
                assert!(nth > draws, "{request:?}: {} of {draws} draws", nth - 1);
                return;
            }
            // Each thread counts for itself: its draws were spread over several, so once more.
        }
        panic!("{request:?}: {MANY} draws");
    }

    /// A request, refused without a message if a draw was, and a live session, judged as ever.
    /// Once there is randomness again, sends go on.
    async fn ask(&mut self, request: Request, fate: &str) -> Seen {
        let (owner, to) = (self.somebody(), self.somebody());
        let (fleet, caller) = (&self.fleet, &self.caller);
        let session = fleet.send(caller, 0, &owner).await;
        let shown = fleet.messages();
        let tracer = Tracer::attach(fleet.process(0), "getrandom", fate);
        let answer = match request {
            Request::Send => caller.send(0, &to, json!({})).await,
            Request::Resend => caller.resend(0, &session).await,
        };
        let is_refused = answer["status"] == 503;
        if is_refused {
            is_judged(caller, &session, fate).await;
        }
        let seen = tracer.detach();
        let is_struck = seen.struck() > 0;
        assert_eq!(is_refused, is_struck, "{fate}: {answer}, {seen:?}");
        let left = usize::from(!is_refused);
        if !is_refused {
            // Its code would be taken for the next one's.
            fleet.opened(0, &to, &answer, shown).await;
        }
        // Had a message left, its code would be taken for this one's.
        let next = fleet.send(caller, 0, &to).await;
        let own = caller.check(0, &next, &next.code).await;
        assert_eq!(own, Answer::Verified, "{fate}: a message left");
        assert_eq!(fleet.messages(), shown + left + 1, "{fate}");
        self.refused += usize::from(is_refused);
        seen
    }
}

async fn is_judged(caller: &Caller, session: &Session, fate: &str) {
    let missed = caller.check(0, session, &wrong(&session.code, 0)).await;
    assert_eq!(missed, Answer::WrongCode { left: 4 }, "{fate}");
    let found = caller.check(0, session, &session.code).await;
    assert_eq!(found, Answer::Verified, "{fate}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_without_randomness() {
    let setup = Setup {
        policy: LIMITED,
        ..Setup::default()
    };
    let fleet = Fleet::start(Kind::Memory, setup).await;
    let (caller, clock) = (fleet.tenant("a23"), Stopwatch::start());
    let mut dry = Dry {
        fleet,
        caller,
        number: 0,
        refused: 0,
    };
    let rounds = if long() { 60 } else { 3 };
    for (round, refusal) in REFUSALS.into_iter().cycle().take(rounds).enumerate() {
        for request in [Request::Send, Request::Resend] {
            for until in UNTIL {
                dry.each_draw(request, (refusal, until)).await;
            }
        }
        progress("a23", round + 1, rounds);
    }
    let log = dry.fleet.log(0);
    assert!(!log.contains("panicked"), "{log}");
    let tried = format!(
        "{} sends and resends to which the system gives no randomness, at each draw alone and from it on",
        dry.refused
    );
    let showed = "0 messages, each refused with 503; served again without a restart";
    dry.fleet.tell("a23", &tried, showed, &clock);
}
