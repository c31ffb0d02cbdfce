//! One module for each command beside `serve`. Each works beside a running server.

pub(crate) mod check_config;
mod cost;
pub(crate) mod fence;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod openapi;
pub(crate) mod reset;
pub(crate) mod secret;
pub(crate) mod token;

use std::io::{ErrorKind, Write as _};

use countersign::{Destination, Verifier};

use crate::cli::Unread;
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::{self, Deliverers, FirstStart};

/// The verifier on the server's store, for what delivers nothing.
async fn beside_the_server(config: &Config, first: FirstStart) -> Result<Verifier, Failure> {
    if config.store.url.is_memory() {
        return Err(Failure::config(
            "store.url: a memory store lives in its server alone, and no command reaches it: set \
             sqlite:PATH, or a redis:// or postgres:// URL",
        ));
    }
    wiring::verifier(config, first, &Deliverers::default()).await
}

/// The destination that a command is about, read as the server reads it. A mistake in it is
/// one of the command line.
fn destination(verifier: &Verifier, typed: &Unread) -> Result<Destination, Failure> {
    let read = verifier.read_any(typed.text());
    read.map_err(|error| Failure::config(format!("the destination cannot be read: {error}")))
}

/// The outcome of an operation in the audit trail, in a word: the trail has a line for
/// what was tried in vain, too.
const fn outcome<T>(done: &Result<T, Failure>) -> &'static str {
    match done {
        Ok(_) => "done",
        Err(_) => "failed",
    }
}

/// Writes `text` to standard output, as it is.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads, `head` for instance, has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::runtime("cannot write to standard output", &error)),
        Ok(()) => Ok(()),
    }
}
