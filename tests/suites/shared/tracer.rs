//! A tracer at a running server, which answers calls to the system in its stead.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::NamedTempFile;

use crate::parts::server::signal_process;

/// A tracer that is attached, until it is dropped.
pub(crate) struct Tracer {
    child: Child,
    seen: NamedTempFile,
}

impl Tracer {
    /// What becomes of these calls of a process, in the words of strace (`error=EIO:when=2+`);
    /// each of its threads counts for itself. It is there when this returns.
    pub(crate) fn attach(process: u32, calls: &str, fate: &str) -> Self {
        let seen = NamedTempFile::new().expect("a temporary file");
        let mut child = Command::new("strace")
            .args(["-f", "-p", &process.to_string(), "-o"])
            .arg(seen.path())
            .args(["-e", &format!("trace={calls}"), "-e", "signal=none"])
            .args(["-e", &format!("inject={calls}:{fate}")])
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
        let seen = std::fs::read_to_string(self.seen.path());
        seen.expect("the file").contains('(')
    }

    /// Lets go of the process, between two of its calls: the next one is its own again.
    pub(crate) fn detach(mut self) {
        signal_process(self.child.id(), "INT");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // An error says that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
