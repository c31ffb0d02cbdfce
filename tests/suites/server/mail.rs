//! The mailboxes of a real SMTP server, from which tests read their codes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use countersign::Stopwatch;

use crate::parts::server::{PATIENCE, pause};
use crate::parts::smtp::{Delivered, SmtpServer};
use crate::witness;

pub(crate) struct Mailboxes {
    pub(crate) server: SmtpServer,
    read: Mutex<HashMap<String, usize>>,
}

impl Mailboxes {
    pub(crate) fn start() -> Self {
        Self {
            server: SmtpServer::start(),
            read: Mutex::default(),
        }
    }

    /// The part of a configuration that sends email here.
    pub(crate) fn email_config(&self) -> String {
        format!(
            "[email]\nvia = [\"smtp\"]\n[smtp]\nurl = \"smtp+dangerous-plain://127.0.0.1:{}\"\n\
             from = \"Example <no-reply@example.org>\"\n",
            self.server.port("plain")
        )
    }

    /// All messages that went to `to`, the oldest first.
    pub(crate) fn messages_to(&self, to: &str) -> Vec<Delivered> {
        let wanted = same_mailbox(to);
        self.server
            .messages_so_far(|recipient| same_mailbox(recipient) == wanted)
    }

    /// The first message to `to`, which may be read here a moment after its sender was answered.
    pub(crate) async fn first_to(&self, to: &str) -> Delivered {
        let clock = Stopwatch::start();
        loop {
            let letters = self.messages_to(to);
            if let Some(letter) = letters.into_iter().next() {
                return letter;
            }
            assert!(clock.elapsed() < PATIENCE, "no message to {to}");
            pause().await;
        }
    }

    /// The code of the next unread message to `to`.
    pub(crate) async fn code_for(&self, to: &str) -> String {
        let clock = Stopwatch::start();
        loop {
            let letters = self.messages_to(to);
            let next = {
                let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
                let read = read.entry(to.to_owned()).or_default();
                let next = letters.get(*read);
                *read += usize::from(next.is_some());
                next
            };
            if let Some(letter) = next {
                let code = code_in(letter);
                witness::code(&code);
                return code;
            }
            assert!(clock.elapsed() < PATIENCE, "no message to {to}");
            pause().await;
        }
    }

    /// Waits until a message to `slow` is held back.
    pub(crate) async fn held_back(&self) {
        let clock = Stopwatch::start();
        while self.server.held_back() == 0 {
            assert!(clock.elapsed() < PATIENCE, "nothing is held back");
            pause().await;
        }
    }
}

/// The code, which the text shows on a line of its own, and the subject too.
fn code_in(letter: &Delivered) -> String {
    let is_code = |line: &&str| {
        (4..=10).contains(&line.len())
            && line
                .bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    let text = letter.mail.text();
    let code = text.lines().map(str::trim).find(is_code);
    let code = code.unwrap_or_else(|| panic!("no code in {letter:?}"));
    assert!(letter.mail.header("subject").contains(code), "{letter:?}");
    code.to_owned()
}

/// An address with its domain, which has no case, in lower case.
fn same_mailbox(address: &str) -> (String, String) {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    (local.to_owned(), domain.to_lowercase())
}
