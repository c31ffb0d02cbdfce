//! A60: the power is cut. A traced process makes load on a file; at moments of its trace a
//! disk is built as the cut could have left it, and opened.
//!
//! The machine does not start anew, so the fence refuses nothing here: what was
//! acknowledged has to be on the disk.

mod platter;
mod trace;

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use platter::{Left, Platter};
use trace::{Call, Event, events, traced};

use crate::dice::Dice;
use crate::ledger::{From, note};
use crate::load::{Judgement, Log, dressed};
use crate::long::{long, progress};

const FILE: &str = "countersign.db";

/// Cuts in one trace: judged before its sessions expire.
const CUTS: usize = 10;

/// Acknowledgements in one trace.
const ACKNOWLEDGED: usize = 1500;

/// Events for which a disk that has gone deaf ignores syncs before the power is cut.
const DEAF: usize = 400;

/// What a process asked of its disk in this folder, from a new file on until it was killed.
fn load(folder: &Path, round: u64) -> Vec<Event> {
    let (path, told) = (folder.join(FILE), folder.join("trace"));
    let program = std::env::current_exe().unwrap();
    let command = traced(program.as_os_str(), &told);
    let mut process = dressed(command, &path, round).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let (mut log, mut acknowledged) = (Log::default(), 0);
    while acknowledged < ACKNOWLEDGED {
        let line = lines.next().expect("the load ended by itself").unwrap();
        acknowledged += usize::from(log.read(&line));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    events(&std::fs::read_to_string(told).unwrap(), folder)
}

/// One life of the load, played again up to moments at which the power is cut.
struct Replay {
    platter: Platter,
    /// What was said, and how much of it has been read.
    said: Vec<u8>,
    read: usize,
    log: Log,
    acknowledged: usize,
}

impl Replay {
    fn new() -> Self {
        Self {
            platter: Platter::default(),
            said: Vec::new(),
            read: 0,
            log: Log::default(),
            acknowledged: 0,
        }
    }

    fn play(&mut self, events: &[Event]) {
        for event in events {
            self.platter.take(event);
            if let Event::Said(bytes) = event {
                self.said.extend(bytes);
            }
        }
        while let Some(end) = self.said[self.read..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let line = &self.said[self.read..self.read + end];
            let line = std::str::from_utf8(line).unwrap();
            self.acknowledged += usize::from(self.log.read(line));
            self.read += end + 1;
        }
    }

    /// Gives how many bytes were not on the disk, and what the store on it remembers.
    async fn cut(&self, left: Left, dice: &mut Dice) -> (usize, Judgement) {
        let folder = tempfile::tempdir().unwrap();
        let dropped = self.platter.after_power_cut(left, dice, folder.path());
        let path = folder.path().join(FILE);
        (dropped, self.log.clone().judge(&path).await)
    }
}

/// Moments in a trace: the first before anything was acknowledged, every third of the
/// others in the middle of a checkpoint.
fn moments(events: &[Event], dice: &mut Dice) -> Vec<usize> {
    let first = |event: &Event| matches!(event, Event::Said(bytes) if bytes.contains(&b'@'));
    let first = events.iter().position(first).unwrap();
    let copied: Vec<_> = (first..events.len())
        .filter(|at| is_checkpoint(&events[*at]))
        .collect();
    let moment = |n| match n {
        0 => dice.below(first),
        n if n % 3 == 0 => copied[dice.below(copied.len())] + 1,
        _ => first + dice.below(events.len() - first),
    };
    let mut moments: Vec<_> = (0..CUTS).map(moment).collect();
    moments.sort_unstable();
    moments
}

/// Whether a page of the log is copied into the database.
fn is_checkpoint(event: &Event) -> bool {
    matches!(event, Event::Begun(_, Call::Write { path, .. }) if path.ends_with(FILE))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a60_the_power_is_cut_and_nothing_acknowledged_is_lost() {
    let points = if long() { 500 } else { 20 };
    let mut dice = Dice::seeded(60);
    let (mut events, mut acknowledged, mut dropped) = (0, 0, 0);
    let (mut cuts, mut copying, mut judged) = (0, 0, Judgement::default());
    while cuts < points {
        let folder = tempfile::tempdir().unwrap();
        let trace = load(folder.path(), cuts as u64);
        let (mut replay, mut played) = (Replay::new(), 0);
        for moment in moments(&trace, &mut dice) {
            replay.play(&trace[played..moment]);
            played = moment;
            copying += usize::from(moment > 0 && is_checkpoint(&trace[moment - 1]));
            let left = Left::ALL[cuts % Left::ALL.len()];
            let (bytes, judgement) = replay.cut(left, &mut dice).await;
            (dropped, cuts) = (dropped + bytes, cuts + 1);
            judged.add(judgement);
            assert!(
                judged.is_clean(),
                "cut {cuts} at event {moment}, {left:?}: {judged:?}"
            );
            progress("cuts of the power on SQLite", cuts, points);
        }
        (events, acknowledged) = (events + trace.len(), acknowledged + replay.acknowledged);
    }
    println!(
        "{cuts} cuts, {copying} of them in a checkpoint, in {events} events with \
         {acknowledged} acknowledgements; {dropped} bytes were not synced and dropped: {judged:?}"
    );
    note(
        "a60",
        "SQLite",
        From::Inside,
        &format!("{cuts} cuts of the power, {acknowledged} acknowledgements"),
        &judged.to_string(),
    );
    assert!(judged.approved > 0, "no used code was put to the test");
    assert!(dropped > 0, "all was synced at every cut");
}

/// What the judgement is worth: on a disk that only says it has synced, used codes are
/// accepted again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a60_a_disk_that_does_not_sync_forgets() {
    let mut dice = Dice::seeded(61);
    let folder = tempfile::tempdir().unwrap();
    let trace = load(folder.path(), 0);
    let mut judged = Judgement::default();
    for _ in 0..5 {
        let (moment, mut replay) = (trace.len() / 2 + dice.below(trace.len() / 2), Replay::new());
        replay.play(&trace[..moment - DEAF]);
        replay.platter.goes_deaf();
        replay.play(&trace[moment - DEAF..moment]);
        judged.add(replay.cut(Left::Nothing, &mut dice).await.1);
    }
    println!("5 cuts on a disk that had ignored syncs: {judged:?}");
    assert!(judged.again > 0 && judged.lost > 0, "{judged:?}");
}
