//! Vendors' own libraries, asked one question each: a script in `tests/parts`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{python, script};

/// Asks a script one question, and gives its answer.
pub(crate) fn ask(name: &str, question: &Value) -> Value {
    let mut child = Command::new(python())
        .arg(script(name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is missing: apt-get install python3 python3-venv");
    let mut stdin = child.stdin.take().expect("piped");
    let written = stdin.write_all(question.to_string().as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        written.is_ok() && output.status.success(),
        "{name} failed; what it needs is installed by `./tests/run parts` \
         (tests/.parts/venv/bin/pip install -r tests/parts/requirements.txt): {complaint}"
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}
