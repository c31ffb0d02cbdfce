//! The contract of a store: each call is one call of a function inside Redis.

use async_trait::async_trait;
use countersign::record::{Action, Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{RecordKey, SessionStore, StoreError, Timestamp};
use redis::Value;

use crate::RedisStore;
use crate::backend::Purpose;

/// Redis counts expiries in 64 bits; what lies beyond this year 10889 stays for good.
const LATEST: Timestamp = Timestamp::from_millis((1 << 48) - 1);

#[async_trait]
impl SessionStore for RedisStore {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let args: [&[u8]; 1] = [self.backend.fenced()];
        let answer = self
            .backend
            .call("load", &[key], &args, Purpose::Read)
            .await?;
        loaded(answer).ok_or_else(|| StoreError::unavailable(UNREADABLE))
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let life = incarnation.number().to_be_bytes();
        let garbage_after = garbage(next.garbage_after);
        let args: [&[u8]; 6] = [
            self.backend.fenced(),
            &life,
            if seen.is_some() { b"1" } else { b"0" },
            seen.unwrap_or_default(),
            next.bytes,
            garbage_after.as_bytes(),
        ];
        match self
            .backend
            .call("swap", &[key], &args, Purpose::Write)
            .await?
        {
            Value::Int(1) => Ok(Swap::Done),
            Value::Int(0) => Ok(Swap::Lost),
            _ => Err(StoreError::indeterminate(UNREADABLE)),
        }
    }

    fn queue(&self) -> Option<&StepQueue> {
        Some(&self.queue)
    }

    /// A check runs next to the data in one round trip; the rest is load, step and swap, and
    /// so are checks that wait for one another, all of them in two round trips.
    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        if let Action::Check(_) = &step.action
            && let Some(effect) = self.check(key, step).await?
        {
            return Ok(effect);
        }
        self.queue.apply(self, key, step).await
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}

pub(crate) const UNREADABLE: &str = "a function of the store gave an answer that cannot be read";

/// When a value is garbage, as functions are told; never is nothing.
pub(crate) fn garbage(after: Option<Timestamp>) -> String {
    let after = after.filter(|at| *at <= LATEST);
    after.map_or(String::new(), |at| at.as_millis().to_string())
}

impl RedisStore {
    /// None if the judgement is left to the core.
    async fn check(&self, key: RecordKey, step: &Step) -> Result<Option<Effect>, StoreError> {
        match &self.turns {
            Some(turns) => turns.check(key, step).await,
            None => self.native.check(key, step).await,
        }
    }
}

fn loaded(answer: Value) -> Option<Loaded> {
    let (value, now, life): (Option<Vec<u8>>, u64, Vec<u8>) =
        redis::from_redis_value(answer).ok()?;
    Some(Loaded {
        value,
        now: Timestamp::from_millis(now),
        incarnation: Incarnation::new(u64::from_be_bytes(life.try_into().ok()?)),
    })
}
