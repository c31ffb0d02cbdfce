//! A64: the master key of four servers is changed while people type their codes.

use std::path::Path;

use countersign::Stopwatch;

use super::caller::{Answer, Caller};
use super::fleet::{Fleet, SERVERS, Session};
use super::four_servers::rounds;
use crate::parts::long::progress;

/// The new key is appended, then it comes first, then the old one leaves. In each state one server
/// after the other starts again, so that two states serve side by side.
pub(crate) async fn a64_live_sessions_finish_through_a_whole_rotation(fleet: &mut Fleet) {
    let (caller, clock) = (fleet.tenant("a64"), Stopwatch::start());
    let mut people = People::default();
    let rounds = rounds() / 20;
    for round in 0..rounds {
        let old = masters(&fleet.secret());
        let new = masters(&fleet.another_secret());
        let states = [
            [old.clone(), new.clone()].concat(),
            [new.clone(), old.clone()].concat(),
            new,
        ];
        let orphan = people.opens(fleet, &caller, 0).await;
        for masters in states {
            rewrite(&fleet.secret(), &masters);
            for at in 0..SERVERS {
                fleet.kill(at).await;
                fleet.restart(at).await;
                people.finish(fleet, &caller).await;
                people.open_everywhere(fleet, &caller).await;
            }
        }
        // It was sealed with the key that is gone: whoever has its code is told as of no session.
        let answer = caller.check(round % SERVERS, &orphan, &orphan.code).await;
        assert_eq!(answer, Answer::NotFound, "{}", fleet.kind);
        people.finish(fleet, &caller).await;
        progress("a64", round + 1, rounds);
    }
    let tried = format!("{rounds} rotations, each server started again three times");
    let showed = format!(
        "{} live sessions finished, 0 approvals without their key",
        people.finished
    );
    fleet.tell("a64", &tried, &showed, &clock);
}

/// Who has a live session, opened at which server.
#[derive(Default)]
struct People {
    live: Vec<(usize, Session)>,
    opened: usize,
    finished: usize,
}

impl People {
    async fn opens(&mut self, fleet: &Fleet, caller: &Caller, at: usize) -> Session {
        self.opened += 1;
        fleet
            .send(caller, at, &format!("+4769{:06}", self.opened))
            .await
    }

    async fn open_everywhere(&mut self, fleet: &Fleet, caller: &Caller) {
        for at in 0..SERVERS {
            let session = self.opens(fleet, caller, at).await;
            self.live.push((at, session));
        }
    }

    /// Each at another server than the one that opened it.
    async fn finish(&mut self, fleet: &Fleet, caller: &Caller) {
        for (at, session) in self.live.drain(..) {
            let there = (at + 1) % SERVERS;
            let right = caller.check(there, &session, &session.code).await;
            assert_eq!(right, Answer::Verified, "{}", fleet.kind);
            let again = caller.check(at, &session, &session.code).await;
            assert_eq!(again, Answer::AlreadyUsed, "{}", fleet.kind);
            self.finished += 1;
        }
    }
}

/// The lines of a file of secrets that name master keys.
fn masters(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a file of secrets");
    let lines = text.lines().filter(|line| line.starts_with("master"));
    lines.map(str::to_owned).collect()
}

/// The same file with other master keys.
fn rewrite(file: &Path, masters: &[String]) {
    let text = std::fs::read_to_string(file).expect("a file of secrets");
    let kept = text.lines().filter(|line| !line.starts_with("master"));
    let lines: Vec<_> = kept.chain(masters.iter().map(String::as_str)).collect();
    std::fs::write(file, lines.join("\n")).expect("the file is written");
}
