//! Who was sent a code before a store forgets: some use it, at the others somebody guesses; and
//! what all of them are answered when they come again.

use std::ops::AddAssign;

use countersign::Stopwatch;

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use crate::parts::server::{PATIENCE, pause};

/// Codes that are used before each fault, and sessions that are guessed at before and after it.
const CODES: usize = 40;
const GUESSED: usize = 8;
/// A session has so many attempts.
pub(crate) const ATTEMPTS: u64 = 5;
/// Harmless answers in a row by which a server has found its store again: it has more than one
/// connection, and finds out of each that it is dead.
const WELL: u32 = 8;

pub(crate) struct Users {
    caller: Caller,
    codes: Vec<Session>,
    guessed: Vec<Guessed>,
}

struct Guessed {
    session: Session,
    /// Comparisons of it that were answered.
    compared: u64,
    /// What the last one was told to be left.
    left: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) used: usize,
    pub(crate) accepted_again: usize,
    pub(crate) sessions: usize,
    /// Comparisons of the session that had most.
    pub(crate) most: u64,
    pub(crate) failures: u64,
    /// Of those, how many the gates do not know.
    pub(crate) forgotten: u64,
}

impl Users {
    /// One guess at each session that is guessed at is there to stay.
    pub(crate) async fn of(fleet: &Fleet, row: &'static str) -> Self {
        let caller = fleet.tenant(row);
        let mut sessions = Vec::new();
        for n in 0..CODES + GUESSED {
            let to = format!("+4740{n:06}");
            sessions.push(fleet.send(&caller, n % SERVERS, &to).await);
        }
        let guessed = sessions.split_off(CODES).into_iter();
        let guessed = guessed.map(|session| Guessed {
            session,
            compared: 0,
            left: ATTEMPTS,
        });
        let mut users = Self {
            caller,
            codes: sessions,
            guessed: guessed.collect(),
        };
        users.guess(1).await;
        users
    }

    /// Each uses its code, at one server after the other, and somebody guesses thrice more.
    pub(crate) async fn use_up(&mut self) {
        for (n, session) in self.codes.iter().enumerate() {
            let (at, next) = (n % SERVERS, (n + 1) % SERVERS);
            let right = self.caller.check(at, session, &session.code).await;
            assert_eq!(right, Answer::Verified);
            let again = self.caller.check(next, session, &session.code).await;
            assert_eq!(again, Answer::AlreadyUsed);
        }
        self.guess(3).await;
        let mut guessed = self.guessed.iter();
        assert!(guessed.all(|one| (one.compared, one.left) == (4, 1)));
    }

    /// All try again, as soon as the servers have found what their store has become.
    pub(crate) async fn come_again(mut self, fleet: &Fleet) -> Shown {
        for at in 0..SERVERS {
            self.finds_its_store(fleet, at).await;
        }
        let mut shown = Shown {
            used: self.codes.len(),
            sessions: self.guessed.len(),
            ..Shown::default()
        };
        for (n, session) in self.codes.iter().enumerate() {
            for at in [n, n + 1] {
                let at = at % SERVERS;
                match self.caller.check(at, session, &session.code).await {
                    Answer::Verified => shown.accepted_again += 1,
                    Answer::AlreadyUsed | Answer::Expired => {}
                    other => panic!("a used code: {other:?}"),
                }
            }
        }
        self.guess(ATTEMPTS).await;
        for guessed in &self.guessed {
            let known = self.caller.charged(&guessed.session).await;
            shown.most = shown.most.max(guessed.compared);
            shown.failures += guessed.compared;
            let forgotten = guessed.compared.checked_sub(known);
            shown.forgotten += forgotten.expect("no failure that nobody was told");
        }
        self.goes_on(fleet).await;
        shown
    }

    /// So many guesses at each, as far as they are compared: the last one is told what all that
    /// come after it are told, too.
    async fn guess(&mut self, times: u64) {
        for (n, guessed) in self.guessed.iter_mut().enumerate() {
            let guess = wrong(&guessed.session.code, 0);
            for at in (n..).take(usize::try_from(times).expect("a few")) {
                let at = at % SERVERS;
                let (compared, left) = match self.caller.check(at, &guessed.session, &guess).await {
                    Answer::WrongCode { left } => (1, left),
                    Answer::TooManyAttempts => (u64::from(guessed.left == 1), 0),
                    Answer::Expired => (0, 0),
                    other => panic!("a guess: {other:?}"),
                };
                (guessed.compared, guessed.left) = (guessed.compared + compared, left);
            }
        }
    }

    async fn finds_its_store(&self, fleet: &Fleet, at: usize) {
        let (clock, mut well) = (Stopwatch::start(), 0);
        while well < WELL {
            let said = || fleet.log(at);
            assert!(clock.elapsed() < PATIENCE, "no store: {}", said());
            // No such session: the store was asked.
            if self.caller.status_code(at).await == 404 {
                well += 1;
            } else {
                well = 0;
                pause().await;
            }
        }
    }

    /// Whoever asks for a new code gets one, at every server.
    async fn goes_on(&self, fleet: &Fleet) {
        for at in 0..SERVERS {
            let to = format!("+4741{at:06}");
            let fresh = fleet.send(&self.caller, at, &to).await;
            let next = (at + 1) % SERVERS;
            let right = self.caller.check(next, &fresh, &fresh.code).await;
            assert_eq!(right, Answer::Verified);
        }
    }
}

impl AddAssign for Shown {
    fn add_assign(&mut self, other: Self) {
        self.used += other.used;
        self.accepted_again += other.accepted_again;
        self.sessions += other.sessions;
        self.most = self.most.max(other.most);
        self.failures += other.failures;
        self.forgotten += other.forgotten;
    }
}
