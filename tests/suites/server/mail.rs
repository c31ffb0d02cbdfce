//! A real SMTP server (aiosmtpd, in tests/parts/mailbox.py) and its mailboxes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use countersign::Stopwatch;
use serde_json::Value;

use crate::page::python;
use crate::process::{PATIENCE, free_port, pause, repository};
use crate::witness;

/// A message as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) recipients: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// The server; it ends when its standard input closes.
pub(crate) struct Mail {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) port: u16,
    letters: Arc<Mutex<Vec<Letter>>>,
    waiting: Arc<Mutex<usize>>,
    read: Mutex<HashMap<String, usize>>,
}

impl Mail {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let mut child = Command::new(python())
            .arg(repository().join("tests/parts/mailbox.py"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines
            .next()
            .and_then(Result::ok)
            .expect("the SMTP server starts");
        assert!(first.contains("port"), "{first}");
        let letters = Arc::new(Mutex::new(Vec::new()));
        let waiting = Arc::new(Mutex::new(0));
        let (keep, count) = (Arc::clone(&letters), Arc::clone(&waiting));
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let said: Value = serde_json::from_str(&line).expect("JSON");
                if said["waiting"] == true {
                    *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                } else {
                    keep.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(Letter::read(&said));
                }
            }
        });
        Self {
            child,
            stdin,
            port,
            letters,
            waiting,
            read: Mutex::default(),
        }
    }

    /// The part of a configuration that sends email here.
    pub(crate) fn email_config(&self) -> String {
        format!(
            "[email]\nvia = [\"smtp\"]\n[smtp]\nurl = \"smtp+dangerous-plain://127.0.0.1:{}\"\n\
             from = \"Example <no-reply@example.org>\"\n",
            self.port
        )
    }

    /// All messages that went to `to`, the oldest first.
    pub(crate) fn messages_to(&self, to: &str) -> Vec<Letter> {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = same_mailbox(to);
        let goes_there =
            |letter: &&Letter| letter.recipients.iter().any(|r| same_mailbox(r) == wanted);
        letters.iter().filter(goes_there).cloned().collect()
    }

    /// The code of the next unread message to `to`.
    pub(crate) async fn code_for(&self, to: &str) -> String {
        let clock = Stopwatch::start();
        loop {
            let letters = self.messages_to(to);
            let next = {
                let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
                let read = read.entry(to.to_owned()).or_default();
                let next = letters.get(*read).cloned();
                *read += usize::from(next.is_some());
                next
            };
            if let Some(letter) = next {
                let code = letter.code();
                witness::code(&code);
                return code;
            }
            assert!(clock.elapsed() < PATIENCE, "no message to {to}");
            pause().await;
        }
    }

    /// Waits until a message to `slow…` is held back.
    pub(crate) async fn held_back(&self) {
        let clock = Stopwatch::start();
        while *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) == 0 {
            assert!(clock.elapsed() < PATIENCE, "nothing is held back");
            pause().await;
        }
    }

    /// Lets the messages go that are held back.
    pub(crate) fn let_go(&mut self) {
        let stdin = self.stdin.as_mut().expect("it runs");
        stdin.write_all(b"go\n").expect("it listens");
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        self.stdin.take();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Letter {
    fn read(said: &Value) -> Self {
        let list = |member: &str| {
            let items = said[member].as_array().cloned().unwrap_or_default();
            items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let text = |member: &str| said[member].as_str().unwrap_or_default().to_owned();
        Self {
            recipients: list("recipients"),
            headers: list("headers"),
            subject: text("subject"),
            text: text("text"),
        }
    }

    /// The code, which the text shows on a line of its own.
    pub(crate) fn code(&self) -> String {
        let is_code = |line: &&str| {
            (4..=10).contains(&line.len())
                && line
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        };
        let code = self.text.lines().map(str::trim).find(is_code);
        let code = code.unwrap_or_else(|| panic!("no code in {self:?}"));
        assert!(self.subject.contains(code), "{self:?}");
        code.to_owned()
    }
}

/// An address with its domain, which has no case, in lower case.
fn same_mailbox(address: &str) -> (String, String) {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    (local.to_owned(), domain.to_lowercase())
}
