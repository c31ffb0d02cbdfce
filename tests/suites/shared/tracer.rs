//! A tracer at a running server, which sees its calls to the system, and answers some in its
//! stead.
//!
//! Calls that need no system are not seen: a newer libc draws randomness without it, and what
//! waits for such a draw fails then.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::NamedTempFile;

use crate::parts::server::signal_process;

/// A tracer that is attached, until it is dropped.
pub(crate) struct Tracer {
    child: Child,
    seen: NamedTempFile,
}

/// What a tracer saw, one call a line.
#[derive(Debug)]
pub(crate) struct Seen(pub(crate) String);

impl Tracer {
    /// What becomes of these calls of a process, in the words of strace (`error=EIO:when=2+`);
    /// each of its threads counts for itself. It is there when this returns.
    pub(crate) fn attach(process: u32, calls: &str, fate: &str) -> Self {
        Self::run(process, calls, &["-e", &format!("inject={calls}:{fate}")])
    }

    /// Sees these calls, with all bytes of each up to 256.
    pub(crate) fn watch(process: u32, calls: &str) -> Self {
        Self::run(process, calls, &["-xx", "-s", "256"])
    }

    fn run(process: u32, calls: &str, more: &[&str]) -> Self {
        let seen = NamedTempFile::new().expect("a temporary file");
        let mut child = Command::new("strace")
            .args(["-f", "-p", &process.to_string(), "-o"])
            .arg(seen.path())
            .args(["-e", &format!("trace={calls}"), "-e", "signal=none"])
            .args(more)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace runs");
        let said = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = said.lines().map_while(Result::ok);
        let attached = said.any(|line| line.contains("attached"));
        assert!(attached, "strace cannot trace the server");
        // Nobody to speak to would end it.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, seen }
    }

    /// Whether the process has begun one of these calls.
    pub(crate) fn met(&self) -> bool {
        self.seen().contains('(')
    }

    /// Lets go of the process, between two of its calls: the next one is its own again. Gives
    /// what it saw.
    pub(crate) fn detach(mut self) -> Seen {
        signal_process(self.child.id(), "INT");
        self.child.wait().expect("it ends");
        Seen(self.seen())
    }

    fn seen(&self) -> String {
        let seen = std::fs::read_to_string(self.seen.path());
        seen.expect("the file")
    }
}

impl Seen {
    /// Calls that were answered in the system's stead.
    pub(crate) fn struck(&self) -> usize {
        self.0.matches("(INJECTED)").count()
    }

    /// Calls that were begun.
    pub(crate) fn begun(&self) -> usize {
        let is_begun = |line: &&str| line.contains('(') && !line.contains(" resumed>");
        self.0.lines().filter(is_begun).count()
    }

    /// Calls that the system has done.
    pub(crate) fn done(&self) -> usize {
        let is_done = |line: &&str| {
            let told = line.rsplit_once("= ").map(|(_, told)| told);
            told.is_some_and(|told| told.starts_with(|first: char| first.is_ascii_digit()))
        };
        self.0.lines().filter(is_done).count()
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // An error says that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
