//! A loss of power: of the log remains what was synced, as a trace of the server's system
//! calls tells, and not a byte more.

use std::collections::HashMap;
use std::fs;

use super::super::ports::free_port;
use super::Redis;

const TRACE: &str = "trace";

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
        let trace = fs::read_to_string(self.folder.path().join(TRACE)).expect("a trace");
        let mut lost = 0;
        for (path, unsynced) in unsynced(&trace) {
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
}

/// Bytes written to each file after it was last synced.
fn unsynced(trace: &str) -> HashMap<String, u64> {
    let (mut files, mut begun) = (HashMap::new(), HashMap::new());
    for line in trace.lines() {
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
        let written = files.entry(path).or_insert(0);
        match (call.as_str(), result) {
            ("write" | "writev", Some(bytes)) => *written += bytes,
            ("fsync" | "fdatasync", Some(0)) => *written = 0,
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
    let lost = unsynced(trace);
    assert_eq!((lost["/d/a.aof"], lost["/d/b.aof"]), (4, 3));
}
