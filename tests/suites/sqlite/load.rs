//! Load on a file by a process that may be killed, and the judgement of what it left.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use countersign::{CheckError, Verdict};
use tokio::task::JoinSet;

use crate::bench::{Bench, Session};

pub(crate) const FILE: &str = "COUNTERSIGN_LOAD_FILE";
pub(crate) const ROUND: &str = "COUNTERSIGN_LOAD_ROUND";

/// Before this many sessions a task of the load does not end by itself.
const SESSIONS: u64 = 200;

/// What was acknowledged about one session.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) session: Session,
    pub(crate) wrong: u8,
    pub(crate) left: u8,
    pub(crate) approvals: u8,
}

/// What was acknowledged before the end, by session id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(pub(crate) BTreeMap<String, Acknowledged>);

/// This test binary once more, as the process that makes the load.
pub(crate) fn child(path: &Path, round: u64) -> Command {
    dressed(Command::new(std::env::current_exe().unwrap()), path, round)
}

/// A command that ends in this test binary, as the process that makes the load.
pub(crate) fn dressed(mut command: Command, path: &Path, round: u64) -> Command {
    command
        .args([
            "--exact",
            "load::the_child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FILE, path)
        .env(ROUND, round.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// No test of its own: returns at once unless it was started as the child.
#[test]
fn the_child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let bench = Arc::new(Bench::open(Path::new(&path)));
        let mut tasks = JoinSet::new();
        for task in 0..8 {
            let bench = Arc::clone(&bench);
            tasks.spawn(async move {
                for n in 0..SESSIONS {
                    if !one_session(&bench, &format!("r{round}t{task}n{n}"), n + task).await {
                        break;
                    }
                }
            });
        }
        tasks.join_all().await;
    });
}

/// Sends, guesses wrongly up to five times, and two times out of three rightly, twice at
/// once. Says whether the store answered throughout.
async fn one_session(bench: &Bench, name: &str, n: u64) -> bool {
    let Ok(session) = bench.send(name).await else {
        return false;
    };
    say(&format!("sent {} {}", session.id, session.code));
    for _ in 0..n % 6 {
        if !tell(&session, &bench.check(&session.id, &session.wrong()).await) {
            return false;
        }
    }
    if n.is_multiple_of(3) {
        return true;
    }
    let right = || bench.check(&session.id, &session.code);
    let (one, two) = tokio::join!(right(), right());
    tell(&session, &one) & tell(&session, &two)
}

fn tell(session: &Session, verdict: &Result<Verdict, CheckError>) -> bool {
    match verdict {
        Ok(Verdict::Verified { .. }) => say(&format!("verified {}", session.id)),
        Ok(Verdict::WrongCode {
            attempts_remaining: left,
        }) => {
            say(&format!("wrong {} {left}", session.id));
        }
        Ok(Verdict::Exhausted) => say(&format!("exhausted {}", session.id)),
        Ok(_) => {}
        Err(_) => return false,
    }
    true
}

/// One line, unbuffered, in one write. The mark tells it from the words of the harness.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n@{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

impl Log {
    /// Lets a load run until it ends by itself, and hears all that it says.
    pub(crate) fn of_a_whole(mut load: Command) -> Self {
        let mut process = load
            .spawn()
            .expect("sh or strace is missing: apt-get install strace");
        let mut log = Self::default();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            log.read(&line.unwrap());
        }
        assert!(process.wait().unwrap().success(), "no panic");
        log
    }

    /// Takes a line; says whether it was an acknowledgement.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        let Some((_, line)) = line.split_once('@') else {
            return false;
        };
        let words: Vec<_> = line.split(' ').collect();
        if let ["sent", id, code] = words[..] {
            let session = Session {
                id: id.to_owned(),
                code: code.to_owned(),
            };
            let new = Acknowledged {
                session,
                wrong: 0,
                left: 5,
                approvals: 0,
            };
            self.0.insert(id.to_owned(), new);
            return true;
        }
        let seen = self.0.get_mut(words[1]).unwrap();
        match words[..] {
            ["wrong", _, left] => {
                seen.wrong += 1;
                seen.left = seen.left.min(left.parse().unwrap());
            }
            ["exhausted", _] => seen.left = 0,
            ["verified", _] => {
                seen.approvals += 1;
                seen.left = 0;
            }
            _ => panic!("{line}"),
        }
        true
    }

    /// Opens the file again, uses every code and looks for anything given back.
    pub(crate) async fn judge(self, path: &Path) -> Judgement {
        let bench = Arc::new(Bench::open(path));
        let mut tasks = JoinSet::new();
        for seen in self.0.into_values() {
            let bench = Arc::clone(&bench);
            tasks.spawn(async move { judge_one(&bench, seen).await });
        }
        let mut judgement = Judgement::default();
        for one in tasks.join_all().await {
            judgement.add(one);
        }
        drop(bench);
        let raw = rusqlite::Connection::open(path).unwrap();
        let sound: String = raw
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
        judgement
    }
}

/// What is left of what was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Judgement {
    /// Sessions whose approval had been acknowledged.
    pub(crate) approved: usize,
    /// Codes that were accepted a second time, or after the last attempt.
    pub(crate) again: usize,
    /// Sessions with more attempts than were left to them.
    pub(crate) given_back: usize,
    /// Sessions that had been sent and are not there.
    pub(crate) lost: usize,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            approved,
            again,
            given_back,
            lost,
        } = self;
        write!(
            f,
            "{approved} used codes, {again} accepted again, {given_back} given back, {lost} lost"
        )
    }
}

impl Judgement {
    pub(crate) fn add(&mut self, other: Self) {
        self.approved += other.approved;
        self.again += other.again;
        self.given_back += other.given_back;
        self.lost += other.lost;
    }

    /// Whether all that was acknowledged is still true.
    pub(crate) fn is_clean(&self) -> bool {
        (self.again, self.given_back, self.lost) == (0, 0, 0)
    }
}

async fn judge_one(bench: &Bench, seen: Acknowledged) -> Judgement {
    let Session { id, code } = &seen.session;
    let mut judgement = Judgement {
        approved: usize::from(seen.approvals > 0),
        ..Judgement::default()
    };
    let Some(left) = bench.left(id).await else {
        judgement.lost = 1;
        return judgement;
    };
    let (mut wrong, mut right, mut given_back) = (seen.wrong, seen.approvals, left > seen.left);
    // A third of the sessions is guessed to the end first; the code is dead by then.
    if id.as_bytes().last().unwrap() % 3 == 0 {
        while let Verdict::WrongCode { .. } = bench.check(id, &seen.session.wrong()).await.unwrap()
        {
            wrong += 1;
        }
        assert_eq!(bench.left(id).await, Some(0));
        // The fifth wrong guess is told as exhausted.
        given_back |= wrong > 4;
        let dead = bench.check(id, code).await.unwrap();
        judgement.again += usize::from(dead.is_verified());
    }
    for _ in 0..3 {
        right += u8::from(bench.check(id, code).await.unwrap().is_verified());
    }
    judgement.again += usize::from(right.saturating_sub(1));
    judgement.given_back = usize::from(given_back);
    judgement
}
