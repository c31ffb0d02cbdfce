//! Idempotency keys: of many tries of one request, one sends a message.

use crate::clock::Timestamp;
use crate::error::CorruptRecord;
use crate::keys::Tag;
use crate::record::moment::Moment;
use crate::record::step::{Action, Begin, Effect, IdempotencyEffect, Step};
use crate::session_id::Nonce;

/// A try that says nothing for so many seconds may be taken over.
const LEASE_SECONDS: u64 = 60;
/// Answers are kept for so many seconds: a day.
const KEPT_SECONDS: u64 = 24 * 3600;
/// The longest answer, in bytes.
pub(crate) const MAX_ANSWER: usize = 64;

/// One idempotency key of one tenant.
#[derive(Clone, Debug)]
pub(crate) struct IdempotencyRecord {
    pub(crate) tag: Tag,
    pub(crate) request: Option<Request>,
}

/// What was asked under the key, and how far it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) fingerprint: [u8; 16],
    pub(crate) nonce: Nonce,
    pub(crate) begun: Timestamp,
    pub(crate) leased_until: Timestamp,
    pub(crate) answer: Option<Vec<u8>>,
}

impl IdempotencyRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        Self { tag, request: None }
    }

    pub(crate) fn step(&mut self, step: &Step, moment: Moment) -> Result<Effect, CorruptRecord> {
        if self.tag != step.tag {
            return Err(CorruptRecord::Foreign);
        }
        Ok(match &step.action {
            Action::Begin(begin) => Effect::Idempotency(self.begin(begin, moment.now)),
            Action::Finish(nonce, answer) => {
                self.finish(*nonce, answer);
                Effect::Done
            }
            Action::Release(nonce, lease) => {
                self.release(*nonce, *lease);
                Effect::Done
            }
            _ => return Err(CorruptRecord::Foreign),
        })
    }

    pub(crate) fn keep_until(&self) -> Timestamp {
        self.request
            .as_ref()
            .map(Request::keep_until)
            .unwrap_or_default()
    }

    fn begin(&mut self, begin: &Begin, now: Timestamp) -> IdempotencyEffect {
        let leased_until = now.plus_secs(LEASE_SECONDS);
        match self.request.as_mut().filter(|held| held.keep_until() > now) {
            None => {
                let (fingerprint, nonce) = (begin.fingerprint, begin.nonce);
                let answer = None;
                self.request = Some(Request {
                    fingerprint,
                    nonce,
                    begun: now,
                    leased_until,
                    answer,
                });
                IdempotencyEffect::Proceed {
                    nonce,
                    leased_until,
                }
            }
            Some(held) if held.fingerprint != begin.fingerprint => IdempotencyEffect::Mismatch,
            Some(Request {
                answer: Some(answer),
                ..
            }) => IdempotencyEffect::Answered(answer.clone()),
            Some(held) if held.leased_until > now => IdempotencyEffect::InProgress {
                retry_after: now.secs_until(held.leased_until).min(LEASE_SECONDS),
            },
            Some(held) => {
                held.leased_until = leased_until;
                IdempotencyEffect::Proceed {
                    nonce: held.nonce,
                    leased_until,
                }
            }
        }
    }

    /// Only the try that holds the key may free it, and only while it is open. A try that
    /// took over has the same nonce, but a later lease.
    ///
    /// After the first try nothing was opened, and nothing is kept: refusals cost no room. After
    /// another one the nonce stays, so that the next try finds what an earlier one opened.
    fn release(&mut self, nonce: Nonce, lease: Timestamp) {
        let own = |held: &&mut Request| {
            held.nonce == nonce && held.leased_until == lease && held.answer.is_none()
        };
        let Some(held) = self.request.as_mut().filter(own) else {
            return;
        };
        if lease == held.begun.plus_secs(LEASE_SECONDS) {
            self.request = None;
        } else {
            held.leased_until = Timestamp::default();
        }
    }

    fn finish(&mut self, nonce: Nonce, answer: &[u8]) {
        let held = self.request.as_mut().filter(|held| held.nonce == nonce);
        if let Some(held) = held.filter(|_| answer.len() <= MAX_ANSWER) {
            held.answer = Some(answer.to_vec());
        }
    }
}

impl Request {
    fn keep_until(&self) -> Timestamp {
        self.begun.plus_secs(KEPT_SECONDS)
    }
}

#[cfg(test)]
mod tests;
