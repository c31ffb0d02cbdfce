//! Wrong guesses before and after a fault that loses writes: how many were compared in one
//! session, and how many failures the gates forgot.

use std::ops::AddAssign;

use super::ledger::{From, note};
use countersign::{
    Channel, CheckRequest, Code, Destination, SendRequest, Tenant, Verdict, Verifier,
};

/// A session has so many attempts.
pub(crate) const ATTEMPTS: u16 = 5;

const CODE: &str = "482913";
const ANOTHER: &str = "582913";

/// Sessions of one verifier that are guessed at.
pub(crate) struct Guesses<'v> {
    verifier: &'v Verifier,
    tenant: &'v Tenant,
    sessions: Vec<Guessed>,
}

struct Guessed {
    to: Destination,
    id: String,
    compared: u16,
    /// What the last guess was told to be left.
    left: u8,
}

/// What was counted, of all sessions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) sessions: usize,
    /// Acknowledged comparisons of the session that had most.
    pub(crate) most: u16,
    /// Acknowledged comparisons in all: so many failures.
    pub(crate) failures: usize,
    /// Those of them that the gates do not know.
    pub(crate) forgotten: usize,
}

impl<'v> Guesses<'v> {
    /// Opens so many sessions, each of somebody of this name.
    pub(crate) async fn open(
        verifier: &'v Verifier,
        tenant: &'v Tenant,
        name: &str,
        sessions: usize,
    ) -> Self {
        let mut opened = Vec::new();
        for n in 0..sessions {
            let to = format!("{name}{n}@example.com");
            let to = Destination::parse(Channel::Email, &to).expect("an address");
            let mut request = SendRequest::new(tenant, Channel::Email, &to);
            request.custom_code = Code::from_custom(CODE).ok();
            let sent = verifier.send(&request).await.expect("a session");
            let id = sent.session_id.to_string();
            opened.push(Guessed {
                to,
                id,
                compared: 0,
                left: 0,
            });
        }
        Self {
            verifier,
            tenant,
            sessions: opened,
        }
    }

    /// Guesses so often at each, and is told each time that it was wrong.
    pub(crate) async fn guess(&mut self, times: u16) {
        for n in 0..self.sessions.len() {
            for _ in 0..times {
                assert!(self.compares(n).await, "a live session with attempts left");
            }
        }
    }

    /// Guesses at each until nothing is compared any more.
    pub(crate) async fn guess_to_the_end(&mut self) {
        for n in 0..self.sessions.len() {
            while self.compares(n).await {
                assert!(self.sessions[n].compared < 1_000, "without end");
            }
        }
    }

    async fn compares(&mut self, n: usize) -> bool {
        let session = &mut self.sessions[n];
        let request = CheckRequest::new(self.tenant, &session.id, ANOTHER);
        let verdict = self.verifier.check(&request).await.expect("a verdict");
        // The last guess is told what all after it are told, too, which compare nothing.
        let (compared, left) = match verdict {
            Verdict::WrongCode { attempts_remaining } => (true, attempts_remaining),
            Verdict::Exhausted => (session.left == 1, 0),
            _ => (false, 0),
        };
        session.compared += u16::from(compared);
        session.left = left;
        compared
    }

    pub(crate) async fn count(&self) -> Compared {
        let mut all = Compared::default();
        for session in &self.sessions {
            let seen = self.verifier.inspect(self.tenant, &session.to).await;
            let known = seen.expect("a record").open.streak;
            all += Compared {
                sessions: 1,
                most: session.compared,
                failures: usize::from(session.compared),
                forgotten: usize::from(session.compared - known),
            };
        }
        all
    }
}

impl Compared {
    /// Notes what was counted after so many faults, beside what was without the fence.
    pub(crate) fn tell(self, row: &str, store: &str, faults: &str, without: Self) {
        let Self {
            sessions,
            most,
            failures,
            forgotten,
        } = self;
        let tried = format!("{faults}, {sessions} sessions guessed at before and after");
        let showed = format!(
            "at most {most} comparisons a session, {} without the fence; \
             of {failures} failures the gates forgot {forgotten}",
            without.most
        );
        note(row, store, From::Inside, &tried, &showed);
    }
}

impl AddAssign for Compared {
    fn add_assign(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.most = self.most.max(other.most);
        self.failures += other.failures;
        self.forgotten += other.forgotten;
    }
}
