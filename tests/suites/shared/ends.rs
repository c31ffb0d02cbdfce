//! A03, A05, A67: what one server knew, the others know: keys revoked, codes used, also
//! when a server is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::Stopwatch;
use tokio::task::JoinHandle;

use super::caller::{Answer, Caller, count, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use crate::parts::long::{long, progress};
use crate::parts::server::{PATIENCE, pause};

/// A key that every server has just used is revoked: soon all refuse it.
pub(crate) async fn a67_a_revoked_key_is_refused_by_all_servers(fleet: &Fleet) {
    let caller = fleet.tenant("a67");
    for at in 0..SERVERS {
        assert_eq!(caller.status_code(at).await, 404, "the key works");
    }
    fleet.home(0).run_ok(&["key", "revoke", caller.kid()]);
    let (clock, mut taken) = (Stopwatch::start(), 0);
    for at in 0..SERVERS {
        loop {
            let began = clock.elapsed_millis();
            if caller.status_code(at).await == 401 {
                break;
            }
            taken = taken.max(began);
            assert!(clock.elapsed() < PATIENCE, "server {at} takes it still");
            pause().await;
        }
    }
    // Told by the beginning of each use, so that no slowness of this machine matters: what
    // begins a second after the answer is refused, however long it takes.
    assert!(taken < 1000, "{}: used after {taken} ms", fleet.kind);
    fleet.tell(
        "a67",
        "one key, revoked",
        &format!("no use taken that began more than {taken} ms after"),
        &clock,
    );
    for at in 0..SERVERS {
        assert_eq!(
            caller.status_code(at).await,
            401,
            "{}, server {at}",
            fleet.kind
        );
    }
}

/// Codes are used at one server, which is then killed and started again: no server
/// accepts one of them a second time.
pub(crate) async fn a05_a_used_code_stays_used_when_a_server_starts_again(fleet: &mut Fleet) {
    let (caller, clock) = (fleet.tenant("a05"), Stopwatch::start());
    let mut used = Vec::new();
    for n in 0..20 {
        let session = fleet
            .send(&caller, n % SERVERS, &format!("+4761{n:06}"))
            .await;
        let first = caller.check(0, &session, &session.code).await;
        assert_eq!(first, Answer::Verified, "{}", fleet.kind);
        used.push(session);
    }
    fleet.kill(0).await;
    fleet.restart(0).await;
    for session in &used {
        let again = vec![session.code.clone(); 3 * SERVERS];
        let answers = caller.check_at_once(session, again).await;
        let refused = count(&answers, Answer::AlreadyUsed);
        assert_eq!(refused, 3 * SERVERS, "{}: {answers:?}", fleet.kind);
    }
    fleet.tell(
        "a05",
        "20 used codes × 12, after a restart",
        "0 approvals",
        &clock,
    );
}

/// One server is killed with -9 in the middle of load: the others go on, no session is
/// approved twice, and none that was acknowledged is open again.
pub(crate) async fn a03_a_server_killed_under_load_approves_nothing_twice(fleet: &mut Fleet) {
    let (caller, clock) = (fleet.tenant("killed"), Stopwatch::start());
    let kills = if long() { 1000 } else { 10 };
    let (mut approvals, mut lost) = (0, 0);
    for round in 0..kills {
        let load = Load::begin(fleet, &caller, round).await;
        // Another number of answers in each round.
        load.has_answers(5 + round * 37 % 90).await;
        fleet.kill(round % SERVERS).await;
        let known = load.end().await;
        fleet.restart(round % SERVERS).await;
        for known in &known {
            let Known {
                approved, unknown, ..
            } = *known;
            assert!(approved <= 1, "{}: {approved} approvals", fleet.kind);
            assert!(approved + unknown >= 1, "{}: never approved", fleet.kind);
            (approvals, lost) = (approvals + approved, lost + unknown);
        }
        let twice = approved_again(&caller, known).await;
        assert_eq!(twice, 0, "{}, kill {round}", fleet.kind);
        progress("killed under load", round + 1, kills);
    }
    fleet.tell(
        "a03",
        &format!("{kills} kills of a server under load"),
        &format!("{approvals} approvals, {lost} answers lost, 0 approved twice"),
        &clock,
    );
}

/// How many of these codes any server takes again, each tried twice at each.
async fn approved_again(caller: &Caller, known: Vec<Known>) -> usize {
    let judge = |Known { session, .. }| {
        let caller = caller.clone();
        let again = vec![session.code.clone(); 2 * SERVERS];
        tokio::spawn(async move { caller.check_at_once(&session, again).await })
    };
    let judged: Vec<_> = known.into_iter().map(judge).collect();
    let mut twice = 0;
    for answers in judged {
        twice += count(&answers.await.expect("no panic"), Answer::Verified);
    }
    twice
}

/// Many people who type their codes, each at any server.
struct Load {
    people: Vec<JoinHandle<Known>>,
    answers: Arc<AtomicUsize>,
}

/// What came of one session.
struct Known {
    session: Session,
    approved: usize,
    /// Right answers of which nobody knows what became.
    unknown: usize,
}

impl Load {
    const PEOPLE: usize = 48;

    async fn begin(fleet: &Fleet, caller: &Caller, round: usize) -> Self {
        // At all servers at once; at each in turns, for its codes are read from its terminal.
        let (a, b, c, d) = tokio::join!(
            Self::open(fleet, caller, round, 0),
            Self::open(fleet, caller, round, 1),
            Self::open(fleet, caller, round, 2),
            Self::open(fleet, caller, round, 3),
        );
        let sessions = [a, b, c, d].concat();
        let answers = Arc::new(AtomicUsize::new(0));
        let person = |(n, session)| {
            let (caller, answers) = (caller.clone(), Arc::clone(&answers));
            tokio::spawn(type_in(caller, n, session, answers))
        };
        Self {
            people: sessions.into_iter().enumerate().map(person).collect(),
            answers,
        }
    }

    async fn open(fleet: &Fleet, caller: &Caller, round: usize, at: usize) -> Vec<Session> {
        let mut sessions = Vec::new();
        for n in (at..Self::PEOPLE).step_by(SERVERS) {
            let to = format!("+4762{round:03}{n:03}");
            sessions.push(fleet.send(caller, at, &to).await);
        }
        sessions
    }

    async fn has_answers(&self, wanted: usize) {
        let clock = Stopwatch::start();
        while self.answers.load(Ordering::SeqCst) < wanted {
            assert!(clock.elapsed() < PATIENCE, "the load stands still");
            pause().await;
        }
    }

    async fn end(self) -> Vec<Known> {
        let mut known = Vec::new();
        for person in self.people {
            known.push(person.await.expect("no panic"));
        }
        known
    }
}

/// Mistypes twice and then types the code until it was used, at another server each
/// time: whoever was not answered goes on at the next one.
async fn type_in(caller: Caller, n: usize, session: Session, answers: Arc<AtomicUsize>) -> Known {
    let mut known = Known {
        session,
        approved: 0,
        unknown: 0,
    };
    for turn in 0.. {
        let guess = match turn {
            0 | 1 => wrong(&known.session.code, turn),
            _ => known.session.code.clone(),
        };
        let answer = caller
            .check((n + turn) % SERVERS, &known.session, &guess)
            .await;
        answers.fetch_add(1, Ordering::SeqCst);
        match answer {
            Answer::Verified => known.approved += 1,
            Answer::AlreadyUsed => break,
            Answer::Lost if turn > 1 => known.unknown += 1,
            Answer::WrongCode { .. } | Answer::Lost | Answer::Unreached => {}
            Answer::TooManyAttempts
            | Answer::Expired
            | Answer::Throttled
            | Answer::Locked
            | Answer::NotFound => {
                panic!("turn {turn}: {answer:?}")
            }
        }
    }
    known
}
