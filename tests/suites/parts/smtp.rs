//! aiosmtpd with scripted answers: `tests/parts/smtp_server.py`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::ca::TestCa;
use super::mail::Mail;
use super::{python, script};

/// A running server.
pub(crate) struct SmtpServer {
    child: Child,
    stdin: ChildStdin,
    lines: BufReader<ChildStdout>,
    ports: Value,
    pub(crate) ca: TestCa,
}

/// All that happened since the server was last asked.
#[derive(Default)]
pub(crate) struct Happened {
    pub(crate) connections: usize,
    pub(crate) logins: usize,
    pub(crate) mails_begun: usize,
    pub(crate) messages: Vec<Delivered>,
}

/// A message that the server took.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) tls: bool,
    pub(crate) login: bool,
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) mail: Mail,
}

impl SmtpServer {
    pub(crate) fn start() -> Self {
        let ca = TestCa::make();
        let mut child = Command::new(python())
            .arg(script("smtp_server.py"))
            .args([ca.certificate(), ca.key()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is missing: apt-get install python3 python3-venv");
        let stdin = child.stdin.take().expect("piped");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("a line");
        let ports = serde_json::from_str(&first).unwrap_or_else(|_| {
            panic!(
                "aiosmtpd did not start: install it with `./tests/run parts` (python3 -m venv \
                 tests/.parts/venv && tests/.parts/venv/bin/pip install -r tests/parts/requirements.txt)"
            )
        });
        Self {
            child,
            stdin,
            lines,
            ports,
            ca,
        }
    }

    /// The port of a listener: `starttls`, `tls` or `plain`.
    pub(crate) fn port(&self, listener: &str) -> u16 {
        self.ports[listener]
            .as_u64()
            .and_then(|port| port.try_into().ok())
            .expect("a port")
    }

    /// What happened since the last call. The server is asked and answers in order, so
    /// that "nothing" is an observation and not a matter of patience.
    pub(crate) fn happened(&mut self) -> Happened {
        self.stdin.write_all(b"\n").expect("it listens");
        let mut happened = Happened::default();
        loop {
            let mut line = String::new();
            assert!(
                self.lines.read_line(&mut line).expect("a line") > 0,
                "the server ended"
            );
            let event: Value = serde_json::from_str(&line).expect("JSON");
            match event["event"].as_str().expect("an event") {
                "settled" => return happened,
                "connection" => happened.connections += 1,
                "login" => happened.logins += 1,
                "mail" => happened.mails_begun += 1,
                "message" => happened.messages.push(Delivered::read(&event)),
                other => panic!("unknown event {other}"),
            }
        }
    }

    /// The one message since the last call.
    pub(crate) fn only_message(&mut self) -> Delivered {
        let mut messages = self.happened().messages;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }
}

impl Delivered {
    fn read(event: &Value) -> Self {
        let recipients = event["recipients"].as_array().expect("recipients");
        Self {
            tls: event["tls"] == true,
            login: event["login"] == true,
            sender: event["sender"].as_str().expect("a sender").to_owned(),
            recipients: recipients
                .iter()
                .map(|to| to.as_str().expect("a recipient").to_owned())
                .collect(),
            mail: Mail(event["mail"].clone()),
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
