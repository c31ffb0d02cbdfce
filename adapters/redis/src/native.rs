//! A check by the library: one call, and one round trip.

use std::sync::Arc;

use countersign::record::{Action, Effect, Step};
use countersign::{RecordKey, StoreError};

use crate::backend::{Backend, Purpose};
use crate::check::{self, Found, Manner};
use crate::store::UNREADABLE;

/// Makes the calls of `check`.
pub(crate) struct Native {
    pub(crate) backend: Arc<Backend>,
    pub(crate) manner: Manner,
}

impl Native {
    /// What a check leads to; none if the library leaves the judgement to the core.
    pub(crate) async fn check(
        &self,
        key: RecordKey,
        step: &Step,
    ) -> Result<Option<Effect>, StoreError> {
        let Action::Check(guess) = &step.action else {
            return Ok(None);
        };
        let Some(packed) = check::pack(step, guess, &self.manner) else {
            return Ok(None);
        };
        let (keys, args): (_, [&[u8]; 1]) = ([key], [&packed]);
        let answer = self.backend.call("check", &keys, &args, Purpose::Write);
        match check::read(&answer.await?) {
            Some(Found::Judged(effect)) => Ok(Some(effect)),
            Some(Found::Odd) => Ok(None),
            None => Err(StoreError::indeterminate(UNREADABLE)),
        }
    }
}
