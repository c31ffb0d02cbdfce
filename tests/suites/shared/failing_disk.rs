//! A61: a disk that is full, fails or is busy under one of four servers on one file: all that it
//! answers is true at the others, and what it refuses is no approval.
//!
//! Met are the calls of checks and sends. A checkpoint, which copies the log back beside them, comes
//! too seldom to be met but by chance; it answers nobody.

use std::fmt;

use countersign::Stopwatch;
use rusqlite::Connection;
use serde_json::json;

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use super::setup::Setup;
use super::store::{Kind, Store};
use super::tracer::{Seen, Tracer};
use crate::parts::long::{long, progress};

/// The server whose calls to the system fail, and one whose calls do not.
const VICTIM: usize = 0;
const OTHER: usize = 1;

/// Calls that fail together, and how.
const FAULTS: [(&str, &str); 6] = [
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("pwrite64", "EROFS"),
    ("fsync,fdatasync", "ENOSPC"),
    ("fsync,fdatasync", "EIO"),
    ("pread64", "EIO"),
];
/// Whether each one from the n-th on fails, or the n-th alone.
const UNTIL: [&str; 2] = ["+", ""];
/// Neither a check nor a send has so many calls.
const MANY: usize = 40;

/// One of the faults, at the n-th call of each thread.
#[derive(Clone, Copy)]
struct Blow {
    calls: &'static str,
    error: &'static str,
    nth: usize,
    until: &'static str,
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (calls, error, nth) = (self.calls, self.error, self.nth);
        write!(f, "{error} at {calls} {nth}{}", self.until)
    }
}

impl Blow {
    /// Whether so much may be told: the system has done what each answer takes, which is a sync of
    /// its own, or the writes of a page and of what says where it belongs.
    fn has_done(self, seen: &Seen, told: usize) -> bool {
        seen.done()
            >= match self.calls {
                "pread64" => 0,
                "pwrite64" => 2 * told,
                _ => told,
            }
    }
}

/// What was answered to requests that met a fault.
#[derive(Default)]
struct Told {
    /// Requests that met a fault.
    met: usize,
    /// Sends that met it once their message had left: what became of it is not noted.
    late: usize,
    refused: usize,
    /// Told to be charged, and seen to be.
    charged: usize,
    approved: usize,
    sent: usize,
    /// Charged or used up, though refused.
    untold: usize,
}

/// Servers on one disk, of which one meets its faults.
struct Disk {
    fleet: Fleet,
    caller: Caller,
    other: Caller,
    number: usize,
    told: Told,
}

impl Disk {
    async fn start() -> Self {
        let fleet = Fleet::start(Kind::Sqlite, Setup::default()).await;
        let caller = fleet.tenant("a61");
        Self {
            other: caller.only(OTHER),
            fleet,
            caller,
            number: 0,
            told: Told::default(),
        }
    }

    /// A number that nothing was sent to.
    fn somebody(&mut self) -> String {
        self.number += 1;
        format!("+4740{:06}", self.number)
    }

    fn strike(&self, blow: Blow) -> Tracer {
        let Blow {
            error, nth, until, ..
        } = blow;
        let fate = format!("error={error}:when={nth}{until}");
        Tracer::attach(self.fleet.process(VICTIM), blow.calls, &fate)
    }

    /// A wrong and a right guess at the server that fails, and what is true at another one. False
    /// if neither met the fault.
    async fn check(&mut self, blow: Blow) -> bool {
        let to = self.somebody();
        let session = self.fleet.send(&self.caller, OTHER, &to).await;
        let tracer = self.strike(blow);
        let guess = wrong(&session.code, 0);
        let missed = self.caller.try_check(VICTIM, &session, &guess).await;
        let found = self.caller.try_check(VICTIM, &session, &session.code).await;
        let seen = tracer.detach();
        let told = usize::from(missed.is_some()) + usize::from(found.is_some());
        assert!(blow.has_done(&seen, told), "{blow}: {told} told, {seen:?}");
        if let Some(missed) = missed {
            assert_eq!(missed, Answer::WrongCode { left: 4 }, "{blow}");
        }
        match found {
            Some(found) => assert_eq!(found, Answer::Verified, "{blow}"),
            None => self.refused(blow, &session, missed.is_some()).await,
        }
        for at in 0..SERVERS {
            let again = self.caller.check(at, &session, &session.code).await;
            assert_eq!(again, Answer::AlreadyUsed, "{blow}, at server {at}");
        }
        self.told.approved += usize::from(found.is_some());
        self.note(&seen, 2 - told)
    }

    /// The right code was refused with 503: it is good once elsewhere, unless it is used up, and
    /// what was told to be charged is.
    async fn refused(&mut self, blow: Blow, session: &Session, charged: bool) {
        let next = wrong(&session.code, 1);
        let left = match self.other.check(0, session, &next).await {
            Answer::WrongCode { left } => left,
            Answer::AlreadyUsed => {
                self.told.untold += 1;
                return;
            }
            other => panic!("{blow}: {other:?}"),
        };
        let before = 4 - left;
        assert!(
            (u64::from(charged)..=1).contains(&before),
            "{blow}: {before} charged, told {charged}"
        );
        assert_eq!(self.other.charged(session).await, before + 1, "{blow}");
        self.told.untold += usize::from(before > u64::from(charged));
        self.told.charged += usize::from(charged);
        let right = self.other.check(0, session, &session.code).await;
        assert_eq!(right, Answer::Verified, "{blow}");
    }

    /// A send through the server that fails: refused without a message, or one whose code is good
    /// at another server. False if it did not meet the fault.
    async fn send(&mut self, blow: Blow) -> bool {
        let (to, mark) = (self.somebody(), self.somebody());
        let shown = self.fleet.shown(VICTIM);
        let tracer = self.strike(blow);
        let sent = self.caller.send(VICTIM, &to, json!({})).await;
        let seen = tracer.detach();
        let is_refused = sent["status"] == 503;
        let sent = if is_refused {
            // Had a message left, its code would be taken for this one's.
            self.fleet.send(&self.caller, VICTIM, &mark).await
        } else {
            assert!(blow.has_done(&seen, 1), "{blow}: sent, {seen:?}");
            self.told.sent += 1;
            self.fleet.opened(VICTIM, &to, &sent, shown).await
        };
        let own = self.other.check(0, &sent, &sent.code).await;
        assert_eq!(own, Answer::Verified, "{blow}: another message left");
        assert_eq!(self.fleet.shown(VICTIM), shown + 1, "{blow}");
        self.told.late += usize::from(!is_refused && seen.struck() > 0);
        self.note(&seen, usize::from(is_refused))
    }

    /// Whether the fault was met, of which so much was refused.
    fn note(&mut self, seen: &Seen, refused: usize) -> bool {
        let is_met = seen.struck() > 0;
        assert!(is_met || refused == 0, "refused for nothing: {seen:?}");
        self.told.met += usize::from(is_met);
        self.told.refused += refused;
        is_met
    }

    /// From the first call on until one comes that no request has, whatever the faults led to.
    async fn each_call(&mut self, calls: &'static str, error: &'static str, until: &'static str) {
        let (mut checks, mut sends) = (true, true);
        for nth in 1..MANY {
            let blow = Blow {
                calls,
                error,
                nth,
                until,
            };
            checks = checks && self.check(blow).await;
            sends = sends && self.send(blow).await;
            if !checks && !sends {
                // Each has one of these calls at least, or nothing was tried.
                assert!(nth > 1, "{blow}: never met");
                return;
            }
        }
        panic!("{error} at {calls}: {MANY} calls");
    }

    /// No server has panicked, and all of them serve.
    async fn is_well(&self) {
        for at in 0..SERVERS {
            let log = self.fleet.log(at);
            assert!(!log.contains("panicked"), "server {at}: {log}");
            assert_eq!(self.caller.status_code(at).await, 404, "server {at}");
        }
    }
}

fn rounds() -> usize {
    if long() { 30 } else { 1 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_approves_nothing_twice_and_loses_no_charge() {
    let (mut disk, clock) = (Disk::start().await, Stopwatch::start());
    for round in 0..rounds() {
        for (calls, error) in FAULTS {
            for until in UNTIL {
                disk.each_call(calls, error, until).await;
            }
        }
        progress("a61", round + 1, rounds());
    }
    disk.is_well().await;
    let Told {
        met,
        late,
        refused,
        charged,
        approved,
        sent,
        untold,
    } = disk.told;
    let tried = format!(
        "{met} checks and sends that met a fault, at each write, sync and read, {late} of them \
         once a message had left"
    );
    let showed = format!(
        "{refused} refused with 503, of which {untold} were charged or used up and 0 sent; none \
         told that the system had not written; {charged} told to be charged while the right code was \
         refused, and charged; {approved} approved and used up; {sent} sent, one message each; 0 \
         approved twice, no panic"
    );
    disk.fleet.tell("a61", &tried, &showed, &clock);
}

/// Another process holds the file's lock for longer than any server waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_file_approves_nothing_and_charges_nothing() {
    let (mut disk, clock) = (Disk::start().await, Stopwatch::start());
    let rounds = if long() { 20 } else { 1 };
    for round in 0..rounds {
        let (to, stranger) = (disk.somebody(), disk.somebody());
        let session = disk.fleet.send(&disk.caller, OTHER, &to).await;
        let (caller, shown) = (&disk.caller, disk.fleet.messages());
        let lock = locked(disk.fleet.store());
        let guess = wrong(&session.code, 0);
        // Each waits at a server of its own, and all for the same lock.
        let (missed, found, typed, sent) = tokio::join!(
            caller.try_check(0, &session, &guess),
            caller.try_check(1, &session, &session.code),
            caller.try_check(2, &session, &session.code),
            caller.send(3, &stranger, json!({})),
        );
        assert_eq!([missed, found, typed], [None; 3], "round {round}");
        assert_eq!(sent["status"], 503, "round {round}: {sent}");
        lock.execute_batch("ROLLBACK").expect("the lock is ours");
        assert_eq!(caller.charged(&session).await, 0, "round {round}");
        assert_eq!(caller.sessions(&stranger).await, 0, "round {round}");
        let missed = caller.check(3, &session, &guess).await;
        assert_eq!(missed, Answer::WrongCode { left: 4 }, "round {round}");
        let found = caller.check(0, &session, &session.code).await;
        assert_eq!(found, Answer::Verified, "round {round}");
        let again = caller.check(1, &session, &session.code).await;
        assert_eq!(again, Answer::AlreadyUsed, "round {round}");
        let next = disk.fleet.send(caller, 3, &stranger).await;
        let own = caller.check(2, &next, &next.code).await;
        assert_eq!(own, Answer::Verified, "round {round}: a message left");
        assert_eq!(disk.fleet.messages(), shown + 1, "round {round}");
        progress("a61, busy", round + 1, rounds);
    }
    disk.is_well().await;
    let tried = format!("{rounds} × 3 checks and a send, one at each server, of a locked file");
    let showed = "each refused with 503: 0 approved, 0 charged, 0 messages; served once it is free";
    disk.fleet.tell("a61", &tried, showed, &clock);
}

/// The lock of whoever writes, held until it is dropped.
fn locked(store: &Store) -> Connection {
    let Store::Sqlite(path) = store else {
        panic!("a file");
    };
    let lock = Connection::open(path).expect("the file");
    lock.execute_batch("BEGIN IMMEDIATE").expect("its lock");
    lock
}
