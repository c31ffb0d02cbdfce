//! aiosmtpd with scripted answers: `tests/parts/smtp_server.py`.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;

use super::ca::TestCa;
use super::mail::Mail;
use super::{python, script};

/// A running server.
pub(crate) struct SmtpServer {
    child: Child,
    stdin: Mutex<ChildStdin>,
    events: Arc<Events>,
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
#[derive(Clone, Debug)]
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
        let stdin = Mutex::new(child.stdin.take().expect("piped"));
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let ports = serde_json::from_str(&first).unwrap_or_else(|_| {
            panic!(
                "aiosmtpd did not start: install it with `./tests/run parts` (python3 -m venv \
                 tests/.parts/venv && tests/.parts/venv/bin/pip install -r tests/parts/requirements.txt)"
            )
        });
        let events = Arc::new(Events::default());
        let kept = Arc::clone(&events);
        thread::spawn(move || kept.keep(lines));
        Self {
            child,
            stdin,
            events,
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
        self.tell("\n");
        let mut happened = Happened::default();
        for event in self.events.until_settled() {
            match event["event"].as_str().expect("an event") {
                "connection" => happened.connections += 1,
                "login" => happened.logins += 1,
                "mail" => happened.mails_begun += 1,
                "message" => happened.messages.push(Delivered::read(&event)),
                "waiting" => {}
                other => panic!("unknown event {other}"),
            }
        }
        happened
    }

    /// The one message since the last call.
    pub(crate) fn only_message(&mut self) -> Delivered {
        let mut messages = self.happened().messages;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    /// The messages so far that `wanted` takes by their recipients, for many tests that
    /// share a server: nothing is taken away.
    pub(crate) fn messages_so_far(&self, wanted: impl Fn(&str) -> bool) -> Vec<Delivered> {
        let goes_there = |event: &&Value| {
            let to = event["recipients"].as_array().into_iter().flatten();
            event["event"] == "message" && to.filter_map(Value::as_str).any(&wanted)
        };
        let all = self.events.lock();
        all.said
            .iter()
            .filter(goes_there)
            .map(Delivered::read)
            .collect()
    }

    /// How many messages to `slow` were held back so far.
    pub(crate) fn held_back(&self) -> usize {
        let all = self.events.lock();
        all.said
            .iter()
            .filter(|event| event["event"] == "waiting")
            .count()
    }

    /// Lets messages to `slow` go, those to come too.
    pub(crate) fn let_go(&self) {
        self.tell("go\n");
    }

    fn tell(&self, line: &str) {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        stdin.write_all(line.as_bytes()).expect("it listens");
    }
}

/// What the server said, in order.
#[derive(Default)]
struct Events {
    all: Mutex<Said>,
    more: Condvar,
}

#[derive(Default)]
struct Said {
    said: Vec<Value>,
    ended: bool,
}

impl Events {
    fn keep(&self, lines: Lines<BufReader<ChildStdout>>) {
        for line in lines.map_while(Result::ok) {
            let event = serde_json::from_str(&line).expect("JSON");
            self.lock().said.push(event);
            self.more.notify_all();
        }
        self.lock().ended = true;
        self.more.notify_all();
    }

    /// Waits for the answer to one question, and takes what was said before it.
    fn until_settled(&self) -> Vec<Value> {
        let settled = |event: &Value| event["event"] == "settled";
        let waiting = |all: &mut Said| !all.ended && !all.said.iter().any(settled);
        let all = self.more.wait_while(self.lock(), waiting);
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        let at = all.said.iter().position(settled);
        let mut taken: Vec<_> = all.said.drain(..=at.expect("the server ended")).collect();
        taken.pop();
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
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
