//! A loss of power: of the log remains what was synced, as a trace of the server's system
//! calls tells, and not a byte more.

use std::collections::HashMap;
use std::fs;

use super::super::dice::Dice;
use super::super::ports::free_port;
use super::{Redis, redis_server};

const TRACE: &str = "trace";

/// Where it keeps its log, in files.
const LOGS: &str = "appendonlydir";

impl Redis {
    /// A new server with an append-only file that is synced as `policy` says, under a trace.
    pub(crate) fn start_traced(policy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let trace = folder.path().join(TRACE).display().to_string();
        // The tracer is a grandchild, so that the one on the leash is the server itself.
        let program = ["strace", "-D", "-f", "-y", "-s", "0", "-o", &trace];
        let calls = ["-e", "trace=write,writev,fsync,fdatasync", "redis-server"];
        let program = program.iter().chain(&calls).map(|word| (*word).to_owned());
        let port = free_port();
        let plain = ["--port".to_owned(), port.to_string()];
        let log = ["--appendonly", "yes", "--appendfsync", policy];
        Self::launched_in(
            folder,
            port,
            program.collect(),
            plain.into(),
            &log,
            Vec::new(),
        )
    }

    /// Cuts the power and starts it again over what was on the disk. Gives how many bytes
    /// of its log were not.
    pub(crate) fn cut_power(&self) -> u64 {
        self.kill();
        let mut lost = 0;
        for (path, Written { unsynced, .. }) in written(self.trace().lines()) {
            // What was renamed since had been synced before.
            let file = fs::File::options().write(true).open(&path);
            let Some(file) = file.ok().filter(|_| path.contains("appendonly.aof")) else {
                continue;
            };
            let length = file.metadata().expect("it has a length").len();
            file.set_len(length - unsynced).expect("it is cut");
            lost += unsynced;
        }
        self.launch();
        lost
    }

    /// How much there is of the trace: what it tells had happened before this moment.
    pub(crate) fn moment(&self) -> usize {
        self.trace().len()
    }

    /// A server on what the disk of this one held for certain so many calls after a moment,
    /// and on so much of the rest as the dice say. Gives how many bytes were dropped.
    pub(crate) fn after_power_cut(
        &self,
        moment: usize,
        calls: usize,
        dice: &mut Dice,
    ) -> (Self, u64) {
        let trace = self.trace();
        let written = written_after(trace.split_at(moment), calls, dice);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (self.folder.path().join(LOGS), folder.path().join(LOGS));
        fs::create_dir(&to).expect("a folder");
        let mut dropped = 0;
        for file in fs::read_dir(from).expect("a folder") {
            let file = file.expect("a file");
            let copied = to.join(file.file_name());
            fs::copy(file.path(), &copied).expect("copied");
            let path = file.path().display().to_string();
            // The others were made, synced and renamed before anybody was answered.
            let Some(Written { all, unsynced }) =
                written.get(&path).filter(|_| path.ends_with(".incr.aof"))
            else {
                continue;
            };
            let unsynced = usize::try_from(*unsynced).expect("a few bytes");
            let torn = if dice.coin() {
                dice.below(unsynced + 1)
            } else {
                0
            };
            let lost = (unsynced - torn) as u64;
            let file = fs::File::options().write(true).open(&copied);
            file.and_then(|file| file.set_len(all - lost))
                .expect("it is cut");
            dropped += lost;
        }
        let port = free_port();
        let plain = ["--port".to_owned(), port.to_string()];
        let log = ["--appendonly", "yes", "--appendfsync", "always"];
        let server =
            Self::launched_in(folder, port, redis_server(), plain.into(), &log, Vec::new());
        (server, dropped)
    }

    fn trace(&self) -> String {
        fs::read_to_string(self.folder.path().join(TRACE)).expect("a trace")
    }
}

/// Bytes written to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Written {
    all: u64,
    /// Those after it was last synced.
    unsynced: u64,
}

/// What was written to each file so many calls after a moment of the trace; every other time
/// on to the next call that leaves something not synced.
fn written_after(
    (before, later): (&str, &str),
    calls: usize,
    dice: &mut Dice,
) -> HashMap<String, Written> {
    let later: Vec<_> = later.lines().collect();
    let calls = calls.min(later.len());
    let writes = |line: &&str| line.contains("write(") && line.contains(LOGS);
    let more = later[calls..].iter().position(writes).map_or(0, |n| n + 1);
    let calls = calls + if dice.coin() { more } else { 0 };
    written(before.lines().chain(later[..calls].iter().copied()))
}

/// What was written to each file.
fn written<'a>(trace: impl Iterator<Item = &'a str>) -> HashMap<String, Written> {
    let (mut files, mut begun) = (HashMap::<_, Written>::new(), HashMap::new());
    for line in trace {
        let Some((process, said)) = line.split_once(' ') else {
            continue;
        };
        let said = said.trim_start();
        // A call that another thread's interrupts is told in two lines.
        let call = said.split_once('(').map(|(call, _)| call.to_owned());
        let path = said
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        let (call, path) = if said.starts_with("<... ") {
            let Some(before) = begun.remove(process) else {
                continue;
            };
            before
        } else {
            let (Some(call), Some((path, _))) = (call, path) else {
                continue;
            };
            (call, path.to_owned())
        };
        if said.ends_with("<unfinished ...>") {
            begun.insert(process.to_owned(), (call, path));
            continue;
        }
        let result = said
            .rsplit_once(" = ")
            .and_then(|(_, result)| result.parse().ok());
        let written = files.entry(path).or_default();
        match (call.as_str(), result) {
            ("write" | "writev", Some(bytes)) => {
                written.all += bytes;
                written.unsynced += bytes;
            }
            ("fsync" | "fdatasync", Some(0)) => written.unsynced = 0,
            _ => {}
        }
    }
    files
}

#[test]
fn only_what_was_synced_counts_as_written() {
    let trace = "\
        7 write(3</d/a.aof>, \"\"..., 10) = 10\n\
        7 fdatasync(3</d/a.aof>) = 0\n\
        7 write(3</d/a.aof>, \"\"..., 5 <unfinished ...>\n\
        8 fsync(4</d/b.aof> <unfinished ...>\n\
        7 <... write resumed>) = 4\n\
        8 <... fsync resumed>) = 0\n\
        7 write(4</d/b.aof>, \"\"..., 3) = 3\n\
        7 fdatasync(4</d/b.aof>) = -1 EIO (Input/output error)\n\
        7 write(5<socket:[1]>, \"\"..., 9) = 9\n\
        7 +++ killed by SIGKILL +++\n";
    let of = |file| {
        let Written { all, unsynced } = written(trace.lines())[file];
        (all, unsynced)
    };
    assert_eq!((of("/d/a.aof"), of("/d/b.aof")), ((14, 4), (3, 3)));
}
