//! Check: one guess, one step, one verdict.

use std::net::IpAddr;
use std::sync::OnceLock;

use crate::code::Guess;
use crate::digest::{self, Context, hash_binding};
use crate::error::CheckError;
use crate::keys::{MasterKey, Tag};
use crate::record::{Action, Check, Effect, Refusal, Step};
use crate::session_id::Pointer;
use crate::verdict::Verdict;
use crate::verifier::options::is_key;
use crate::verifier::{CheckRequest, Purpose, Verifier, unexpected};

impl Verifier {
    /// Judges a guess.
    ///
    /// # Errors
    /// [`CheckError`] when it could not be told; never an approval.
    pub async fn check(&self, request: &CheckRequest<'_>) -> Result<Verdict, CheckError> {
        let guess = Guess::parse(request.code)?;
        if request.attempt_id.is_some_and(|id| !is_key(id)) {
            let problem = "has 1 to 255 visible ASCII characters";
            return Err(CheckError::Option {
                option: "attempt_id",
                problem,
            });
        }
        // What was never sealed by one of our keys needs no store to be refused.
        let Some((key, place)) = self.unseal(request.session_id) else {
            return Ok(Verdict::Unknown);
        };
        if let Some(ip) = request.end_user_ip {
            // In a box of its own, so that a check without it is the smaller future.
            Box::pin(self.charge_source(request, ip)).await?;
        }
        let step = || self.step_of_check(request, key, place, &guess);
        match self.take(place.record, &step).await? {
            Effect::Verdict(verdict) => Ok(verdict),
            Effect::Approved { channel, prefix } => {
                Box::pin(self.count_approval(prefix)).await;
                Ok(Verdict::Verified { channel })
            }
            _ => Err(unexpected().into()),
        }
    }

    fn step_of_check(
        &self,
        request: &CheckRequest<'_>,
        key: &MasterKey,
        place: Pointer,
        guess: &Guess,
    ) -> Step {
        let (tenant, purpose) = (request.tenant.tag(), purpose(request));
        let context = Context {
            tenant,
            purpose,
            binding: hash_binding(request.binding),
        };
        let digest = digest::of_code(key, place, &context, guess.packed());
        Step {
            tag: tenant,
            at: self.now(),
            action: Action::Check(Check {
                nonce: place.nonce,
                purpose,
                fit: guess.fit(),
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
        match self.charge(&sources).await? {
            Some(Refusal::Throttled { limit, retry_after }) => {
                Err(CheckError::Throttled { limit, retry_after })
            }
            _ => Ok(()),
        }
    }
}

/// The purpose's tag; that of `verify`, which most checks have, is hashed once.
fn purpose(request: &CheckRequest<'_>) -> Tag {
    static VERIFY: OnceLock<Tag> = OnceLock::new();
    match request.purpose {
        Some(purpose) => purpose.tag(),
        None => *VERIFY.get_or_init(|| Purpose::default().tag()),
    }
}
