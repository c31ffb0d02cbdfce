//! A real counterpart that ends with its test, however the test ends: `tests/parts/leash.sh`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::script;

/// A running program. Dropping it kills the program with -9.
#[derive(Debug)]
pub(crate) struct Leash {
    child: Child,
    pid: u32,
}

impl Leash {
    /// Starts a program; what it prints goes to the end of `log`.
    pub(crate) fn start<S: AsRef<OsStr>>(program: &[S], log: &Path) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("the log opens");
        let mut child = Command::new(script("leash.sh"))
            .args(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("sh runs");
        let mut first = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        lines.read_line(&mut first).expect("a line");
        let pid = first.trim().strip_prefix("pid ").map(str::parse);
        let pid = pid.expect("leash.sh tells who runs").expect("a number");
        Self { child, pid }
    }

    /// Sends a signal by name: `KILL`, `STOP`, `CONT`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.pid.to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Kills it with -9 and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.end();
    }
}
