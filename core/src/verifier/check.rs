//! Check: one guess, one step, one verdict.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use crate::code::Guess;
use crate::digest::{self, Context, hash_binding};
use crate::error::{CheckError, StoreError};
use crate::keys::{MasterKey, Tag};
use crate::record::{Action, Check, Effect, Refusal, Step};
use crate::session_id::Pointer;
use crate::verdict::Verdict;
use crate::verifier::options::{BINDINGS, KEYS, is_binding, is_key};
use crate::verifier::{CheckRequest, Purpose, Verifier, unexpected};

/// A guess that could be read, at a session that one of our keys sealed.
struct Aimed<'a> {
    request: &'a CheckRequest<'a>,
    guess: Guess,
    key: &'a MasterKey,
    place: Pointer,
    binding: [u8; 16],
}

/// What is left of a check that cannot be told without waiting.
enum Rest<'a> {
    /// All of it: its source is to be charged first, or its record is not in this process's
    /// memory.
    All(Aimed<'a>),
    /// What its step found is still to be noted.
    Note(Result<Effect, StoreError>),
}

impl Verifier {
    /// Judges a guess.
    ///
    /// # Errors
    /// [`CheckError`] when it could not be told; never an approval.
    pub async fn check(&self, request: &CheckRequest<'_>) -> Result<Verdict, CheckError> {
        // What few checks wait for is in a box of its own, so that the others are small futures.
        let further = match self.judge_at_once(request)? {
            ControlFlow::Break(verdict) => return Ok(verdict),
            ControlFlow::Continue(rest) => Box::pin(self.judge_further(rest)),
        };
        further.await
    }

    #[inline]
    fn judge_at_once<'a>(
        &'a self,
        request: &'a CheckRequest<'a>,
    ) -> Result<ControlFlow<Verdict, Rest<'a>>, CheckError> {
        let guess = Guess::parse(request.code)?;
        require_options(request)?;
        // What was never sealed by one of our keys needs no store to be refused.
        let Some((key, place)) = self.unseal(request.session_id) else {
            return Ok(ControlFlow::Break(Verdict::Unknown));
        };
        let aimed = Aimed {
            request,
            guess,
            key,
            place,
            binding: hash_binding(request.binding),
        };
        if request.end_user_ip.is_some() {
            return Ok(ControlFlow::Continue(Rest::All(aimed)));
        }
        let step = || self.step_of_check(&aimed);
        Ok(match self.0.store.apply_now(aimed.place.record, &step) {
            Some(Ok(Effect::Verdict(verdict))) => ControlFlow::Break(verdict),
            Some(told) => ControlFlow::Continue(Rest::Note(told)),
            None => ControlFlow::Continue(Rest::All(aimed)),
        })
    }

    async fn judge_further(&self, rest: Rest<'_>) -> Result<Verdict, CheckError> {
        let told = match rest {
            Rest::Note(told) => told,
            Rest::All(aimed) => {
                if let Some(ip) = aimed.request.end_user_ip {
                    self.charge_source(aimed.request, ip).await?;
                }
                let step = self.step_of_check(&aimed);
                self.0.store.apply(aimed.place.record, &step).await
            }
        };
        match told? {
            Effect::Verdict(verdict) => Ok(verdict),
            Effect::Approved { channel, prefix } => {
                self.count_approval(prefix).await;
                Ok(Verdict::Verified { channel })
            }
            _ => Err(unexpected().into()),
        }
    }

    fn step_of_check(&self, aimed: &Aimed<'_>) -> Step {
        let (key, request) = (aimed.key, aimed.request);
        let context = Context {
            tenant: request.tenant.tag(),
            purpose: purpose(request),
            binding: aimed.binding,
        };
        let digest = digest::of_code(key, aimed.place, &context, aimed.guess.packed());
        Step {
            tag: context.tenant,
            at: self.now(),
            action: Action::Check(Check {
                nonce: aimed.place.nonce,
                purpose: context.purpose,
                fit: aimed.guess.fit(),
                digest,
                attempt: request
                    .attempt_id
                    .map(|id| digest::of_attempt(key, &digest, id)),
                limits: self.0.policy.destination,
                device_limits: self.0.policy.known_device,
            }),
        }
    }

    async fn charge_source(
        &self,
        request: &CheckRequest<'_>,
        ip: IpAddr,
    ) -> Result<(), CheckError> {
        let sources = self
            .check_sources(request.tenant, ip)
            .map_err(|_| unexpected())?;
        let charged = self.charge(&sources).await?;
        let made = u64::from(self.0.policy.source_checks.is_some());
        self.sweep_now_and_then(made).await;
        match charged {
            Some(Refusal::Throttled { limit, retry_after }) => {
                Err(CheckError::Throttled { limit, retry_after })
            }
            _ => Ok(()),
        }
    }
}

#[inline]
fn require_options(request: &CheckRequest<'_>) -> Result<(), CheckError> {
    if request.attempt_id.is_some_and(|id| !is_key(id)) {
        return Err(CheckError::Option {
            option: "attempt_id",
            problem: KEYS,
        });
    }
    if !is_binding(request.binding) {
        return Err(CheckError::Option {
            option: "binding",
            problem: BINDINGS,
        });
    }
    Ok(())
}

/// The purpose's tag; that of `verify`, which most checks have, is hashed once.
fn purpose(request: &CheckRequest<'_>) -> Tag {
    static VERIFY: OnceLock<Tag> = OnceLock::new();
    match request.purpose {
        Some(purpose) => purpose.tag(),
        None => *VERIFY.get_or_init(|| Purpose::default().tag()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::keys::KeyRing;
    use crate::memory::MemoryStore;
    use crate::tenant::Tenant;

    /// It is hashed for each guess.
    #[tokio::test]
    async fn a_binding_has_at_most_1024_bytes() {
        let store = Arc::new(MemoryStore::new());
        let verifier = Verifier::builder(KeyRing::generate().unwrap(), store)
            .build()
            .unwrap();
        let tenant = Tenant::new("acme").unwrap();
        let binding = [7; 1025];
        let mut request = CheckRequest::new(&tenant, "sess_", "123456");
        for (bytes, fits) in [(1024, true), (1025, false)] {
            request.binding = Some(&binding[..bytes]);
            match verifier.check(&request).await {
                Ok(verdict) => assert!(fits && verdict == Verdict::Unknown, "{verdict:?}"),
                Err(error) => {
                    assert!(!fits && error.to_string().contains("1024"), "{error}");
                }
            }
        }
    }
}
