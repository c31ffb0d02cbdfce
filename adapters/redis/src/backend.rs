//! One call of a function, to its end: to the right server, with the library on it.

use redis::{Cmd, Value};

use crate::address::Endpoint;
use crate::error::{Error, Fault};
use crate::library::LIBRARY;
use crate::node::{Node, Waiting, code_of};
use crate::routes::Routes;
use crate::row;

use countersign::RecordKey;

/// So often a call is sent on, by servers that did not run it.
const HOPS: usize = 6;

/// The servers, and how calls are made.
pub(crate) struct Backend {
    pub(crate) routes: Routes,
    pub(crate) fence: bool,
    pub(crate) waiting: Option<Waiting>,
}

/// Whether a call that may have been run may be run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// Why a call was not run where it was sent to.
enum Elsewhere {
    /// The library is missing.
    Unloaded,
    /// A server of this end has the key; for this call alone when it is `asking`.
    Redirected { to: Endpoint, asking: bool },
    /// It is a server that takes no writes, or none any more.
    Demoted,
    /// Not at all.
    Refused(Error),
}

impl Backend {
    /// How functions are told whether there is a fence.
    pub(crate) fn fenced(&self) -> &'static [u8] {
        fenced(self.fence)
    }

    /// Runs a function on the records under `keys`, which in a cluster are one.
    ///
    /// It is repeated only where it did not run: it could not be sent, or the server says
    /// that it does not know the function, or that somebody else has the key. A write
    /// whose answer is lost is never repeated.
    pub(crate) async fn call(
        &self,
        function: &str,
        keys: &[RecordKey],
        args: &[&[u8]],
        purpose: Purpose,
    ) -> Result<Value, Fault> {
        let slot = keys.first().map_or(0, |key| row::slot(&row::name(*key)));
        let call = fcall(function, keys, args);
        let (mut target, mut asking, mut repeats) = (None, false, 1);
        for _ in 0..HOPS {
            let node = match target.take() {
                Some(node) => node,
                None => self.routes.owner(slot).await?,
            };
            let loads = node.loads();
            let sent = self.send(&node, &call, asking, purpose).await;
            asking = false;
            match sent {
                Ok(Value::ServerError(error)) => {
                    match elsewhere(&node, error.code(), error.details()) {
                        Elsewhere::Unloaded => {
                            node.reload_library(loads).await?;
                            target = Some(node);
                        }
                        Elsewhere::Redirected { to, asking: once } => {
                            if !once {
                                self.routes.doubt(&node.endpoint);
                            }
                            (target, asking) = (Some(self.routes.node(&to)), once);
                        }
                        Elsewhere::Demoted if repeats > 0 && !self.routes.is_single() => {
                            repeats -= 1;
                            self.routes.doubt(&node.endpoint);
                        }
                        Elsewhere::Demoted => return Err(node.refused(error.code()).into()),
                        Elsewhere::Refused(error) => return Err(error.into()),
                    }
                }
                Ok(answer) => return Ok(answer),
                Err(fault) => {
                    self.routes.doubt(&node.endpoint);
                    let done = matches!(fault, Fault::Unknown(_)) && purpose == Purpose::Write;
                    if done || repeats == 0 {
                        return Err(fault.for_a(purpose));
                    }
                    repeats -= 1;
                }
            }
        }
        Err(Error::Lost.into())
    }

    async fn send(
        &self,
        node: &Node,
        call: &Cmd,
        asking: bool,
        purpose: Purpose,
    ) -> Result<Value, Fault> {
        match self.waiting {
            Some(waiting) if purpose == Purpose::Write => {
                node.send_and_wait(call, asking, waiting).await
            }
            _ => node.send(call, asking).await,
        }
    }
}

/// As the functions are told it.
pub(crate) fn fenced(fence: bool) -> &'static [u8] {
    if fence { b"1" } else { b"0" }
}

impl Fault {
    /// Nothing is in doubt about a read.
    fn for_a(self, purpose: Purpose) -> Self {
        match self {
            Self::Unknown(error) if purpose == Purpose::Read => Self::Undone(error),
            fault => fault,
        }
    }
}

/// A call of one of the library's functions.
pub(crate) fn fcall(function: &str, keys: &[RecordKey], args: &[&[u8]]) -> Cmd {
    let mut call = redis::cmd("FCALL");
    call.arg(LIBRARY.function(function)).arg(keys.len());
    for key in keys {
        call.arg(&row::name(*key)[..]);
    }
    for arg in args {
        call.arg(*arg);
    }
    call
}

fn elsewhere(node: &Node, code: &str, details: Option<&str>) -> Elsewhere {
    let details = details.unwrap_or_default();
    match code_of(code, details) {
        "MOVED" | "ASK" => match redirection(node, details) {
            Some(to) => {
                let asking = code == "ASK";
                Elsewhere::Redirected { to, asking }
            }
            None => Elsewhere::Refused(Error::Protocol(node.endpoint.clone())),
        },
        "READONLY" | "MASTERDOWN" => Elsewhere::Demoted,
        "ERR" if details.contains("Function not found") => Elsewhere::Unloaded,
        "ERR" if details.contains("unknown command") => {
            Elsewhere::Refused(Error::Old(node.endpoint.clone(), "6 or older".to_owned()))
        }
        code => Elsewhere::Refused(node.refused(code)),
    }
}

/// `3999 127.0.0.1:6381`; an empty host is the one that was asked.
fn redirection(node: &Node, details: &str) -> Option<Endpoint> {
    let (_, to) = details.split_once(' ')?;
    let (host, port) = to.split(' ').next()?.rsplit_once(':')?;
    let host = host.trim_matches(['[', ']']);
    let host = if host.is_empty() || host == "?" {
        node.endpoint.host.as_str()
    } else {
        host
    };
    Some(Endpoint::new(host, port.parse().ok()?))
}
