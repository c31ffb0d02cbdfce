//! A61: a disk that is full, fails or is busy under one of four servers on one file: all that it
//! answers is true at the others, and what it refuses is no approval.

use std::fmt;

use countersign::Stopwatch;
use rusqlite::Connection;
use serde_json::json;

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use super::setup::Setup;
use super::store::{Kind, Store};
use super::tracer::Tracer;
use crate::parts::long::{long, progress};

/// The server whose calls to the system fail, and one whose calls do not.
const VICTIM: usize = 0;
const OTHER: usize = 1;

/// Calls that fail together, and how.
const FAULTS: [(&str, &str); 5] = [
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("fsync,fdatasync", "ENOSPC"),
    ("fsync,fdatasync", "EIO"),
    ("pread64", "EIO"),
];
/// Whether each one from the n-th on fails, or the n-th alone.
const UNTIL: [&str; 2] = ["+", ""];
/// Neither a check nor a send has so many calls.
const MANY: usize = 40;

/// One of the faults, at the n-th call.
#[derive(Clone, Copy)]
struct Fault {
    calls: &'static str,
    error: &'static str,
    nth: usize,
    until: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (calls, error, nth) = (self.calls, self.error, self.nth);
        write!(f, "{error} at {calls} {nth}{}", self.until)
    }
}

/// What was answered to requests that met a fault.
#[derive(Default)]
struct Told {
    /// Faults that were met.
    met: usize,
    refused: usize,
    charged: usize,
    approved: usize,
    sent: usize,
    /// Charged or used up, though refused.
    untold: usize,
}

struct Site {
    fleet: Fleet,
    caller: Caller,
    other: Caller,
    number: usize,
    told: Told,
}

impl Site {
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

    fn strike(&self, fault: Fault) -> Tracer {
        let Fault {
            error, nth, until, ..
        } = fault;
        let fate = format!("error={error}:when={nth}{until}");
        Tracer::attach(self.fleet.process(VICTIM), fault.calls, &fate)
    }

    /// A wrong and a right guess at the server that fails, and what is true at another one. False
    /// if neither met the fault.
    async fn check(&mut self, fault: Fault) -> bool {
        let to = self.somebody();
        let session = self.fleet.send(&self.caller, OTHER, &to).await;
        let tracer = self.strike(fault);
        let guess = wrong(&session.code, 0);
        let missed = self.caller.try_check(VICTIM, &session, &guess).await;
        let found = self.caller.try_check(VICTIM, &session, &session.code).await;
        tracer.detach();
        if let Some(missed) = missed {
            assert_eq!(missed, Answer::WrongCode { left: 4 }, "{fault}");
        }
        match found {
            Some(found) => assert_eq!(found, Answer::Verified, "{fault}"),
            None => self.refused(fault, &session, missed.is_some()).await,
        }
        for at in 0..SERVERS {
            let again = self.caller.check(at, &session, &session.code).await;
            assert_eq!(again, Answer::AlreadyUsed, "{fault}, at server {at}");
        }
        let refused = usize::from(missed.is_none()) + usize::from(found.is_none());
        self.told.met += usize::from(refused > 0);
        self.told.refused += refused;
        self.told.charged += usize::from(missed.is_some());
        self.told.approved += usize::from(found.is_some());
        refused > 0
    }

    /// The right code was refused with 503: it is good once elsewhere, unless it is used up, and
    /// what was told to be charged is.
    async fn refused(&mut self, fault: Fault, session: &Session, charged: bool) {
        let next = wrong(&session.code, 1);
        let left = match self.other.check(0, session, &next).await {
            Answer::WrongCode { left } => left,
            Answer::AlreadyUsed => {
                self.told.untold += 1;
                return;
            }
            other => panic!("{fault}: {other:?}"),
        };
        let before = 4 - left;
        assert!(
            (u64::from(charged)..=1).contains(&before),
            "{fault}: {before} charged, told {charged}"
        );
        assert_eq!(self.other.charged(session).await, before + 1, "{fault}");
        self.told.untold += usize::from(before > u64::from(charged));
        let right = self.other.check(0, session, &session.code).await;
        assert_eq!(right, Answer::Verified, "{fault}");
    }

    /// A send through the server that fails: refused without a message, or one whose code is good
    /// at another server. False if it did not meet the fault.
    async fn send(&mut self, fault: Fault) -> bool {
        let (to, mark) = (self.somebody(), self.somebody());
        let shown = self.fleet.shown(VICTIM);
        let tracer = self.strike(fault);
        let sent = self.caller.send(VICTIM, &to, json!({})).await;
        tracer.detach();
        let is_refused = sent["status"] == 503;
        let sent = if is_refused {
            // Had a message left, its code would be taken for this one's.
            self.fleet.send(&self.caller, VICTIM, &mark).await
        } else {
            assert_eq!(sent["status"], "sent", "{fault}: {sent}");
            self.told.sent += 1;
            Session {
                id: sent["session_id"].as_str().expect("an id").to_owned(),
                code: self.fleet.code_after(VICTIM, shown).await,
                to,
            }
        };
        let own = self.other.check(0, &sent, &sent.code).await;
        assert_eq!(own, Answer::Verified, "{fault}: another message left");
        assert_eq!(self.fleet.shown(VICTIM), shown + 1, "{fault}");
        self.told.met += usize::from(is_refused);
        self.told.refused += usize::from(is_refused);
        is_refused
    }

    /// From the first call on until one comes that no request has.
    async fn each_call(&mut self, calls: &'static str, error: &'static str, until: &'static str) {
        let (mut checks, mut sends) = (true, true);
        for nth in 1..MANY {
            let fault = Fault {
                calls,
                error,
                nth,
                until,
            };
            checks = checks && self.check(fault).await;
            sends = sends && self.send(fault).await;
            if !checks && !sends {
                // Each has one of these calls at least, or nothing was tried.
                assert!(nth > 1, "{fault}: never met");
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
    let (mut site, clock) = (Site::start().await, Stopwatch::start());
    for round in 0..rounds() {
        for (calls, error) in FAULTS {
            for until in UNTIL {
                site.each_call(calls, error, until).await;
            }
        }
        progress("a61", round + 1, rounds());
    }
    site.is_well().await;
    let Told {
        met,
        refused,
        charged,
        approved,
        sent,
        untold,
    } = site.told;
    let tried = format!("{met} faults, at each write, sync and read of checks and of sends");
    let showed = format!(
        "{refused} refused with 503, of which {untold} were charged or used up and 0 sent; \
         {charged} told to be charged and {approved} to be approved, which they are; {sent} sent, \
         one message each; 0 approved twice, no panic"
    );
    site.fleet.tell("a61", &tried, &showed, &clock);
}

/// Another process holds the file's lock for longer than any server waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_file_approves_nothing_and_charges_nothing() {
    let (mut site, clock) = (Site::start().await, Stopwatch::start());
    let rounds = if long() { 20 } else { 1 };
    for round in 0..rounds {
        let (to, stranger) = (site.somebody(), site.somebody());
        let session = site.fleet.send(&site.caller, OTHER, &to).await;
        let (caller, shown) = (&site.caller, site.fleet.messages());
        let lock = locked(site.fleet.store());
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
        let next = site.fleet.send(caller, 3, &stranger).await;
        let own = caller.check(2, &next, &next.code).await;
        assert_eq!(own, Answer::Verified, "round {round}: a message left");
        assert_eq!(site.fleet.messages(), shown + 1, "round {round}");
        progress("a61, busy", round + 1, rounds);
    }
    site.is_well().await;
    let tried = format!("{rounds} × 3 checks and a send, one at each server, of a locked file");
    let showed = "each refused with 503: 0 approved, 0 charged, 0 messages; served once it is free";
    site.fleet.tell("a61", &tried, showed, &clock);
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
