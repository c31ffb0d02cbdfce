//! AWS as moto plays it: `tests/parts/moto_server.py`.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::{python, script};

/// The region that it plays.
pub(crate) const REGION: &str = "eu-north-1";

/// A running moto, which checks signatures and permissions for real.
pub(crate) struct Moto {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    ready: Value,
}

/// An access key.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(python())
            .arg(script("moto_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is missing: apt-get install python3 python3-venv");
        let stdin = child.stdin.take().expect("piped");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let ready = serde_json::from_str(&first).unwrap_or_else(|_| {
            panic!(
                "moto did not start: install it with `./tests/run parts` \
                 (tests/.parts/venv/bin/pip install -r tests/parts/requirements.txt)"
            )
        });
        Self {
            child,
            stdin,
            lines,
            ready,
        }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ready["port"])
    }

    /// The key `user`, `session`, `reader` or `forbidden`.
    pub(crate) fn key(&self, name: &str) -> AccessKey {
        let text = |n: usize| self.ready[name][n].as_str().map(str::to_owned);
        AccessKey {
            id: text(0).expect("an id"),
            secret: text(1).expect("a secret"),
            session_token: text(2),
        }
    }

    /// The short messages so far: numbers and texts.
    pub(crate) fn messages(&mut self) -> Vec<(String, String)> {
        self.stdin.write_all(b"\n").expect("it listens");
        let line = self.lines.next().and_then(Result::ok).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
