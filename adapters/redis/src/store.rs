//! The contract of a store: each call is one call of a function inside Redis.

use async_trait::async_trait;
use countersign::record::{Action, Check, Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{RecordKey, SessionStore, StoreError, Timestamp};
use redis::Value;

use crate::RedisStore;
use crate::backend::Purpose;
use crate::check::{self, Found};

/// Redis counts expiries in 64 bits; what lies beyond this year 10889 stays for good.
const LATEST: Timestamp = Timestamp::from_millis((1 << 48) - 1);

#[async_trait]
impl SessionStore for RedisStore {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let args: [&[u8]; 1] = [self.fenced()];
        let answer = self.backend.call("load", key, &args, Purpose::Read).await?;
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
        let garbage_after = next.garbage_after.filter(|at| *at <= LATEST);
        let garbage_after = garbage_after.map_or(String::new(), |at| at.as_millis().to_string());
        let args: [&[u8]; 6] = [
            self.fenced(),
            &life,
            if seen.is_some() { b"1" } else { b"0" },
            seen.unwrap_or_default(),
            next.bytes,
            garbage_after.as_bytes(),
        ];
        match self
            .backend
            .call("swap", key, &args, Purpose::Write)
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

    /// A check runs next to the data in one round trip; the rest is load, step and swap.
    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        if let Action::Check(check) = &step.action
            && let Some(effect) = self.check(key, step, check).await?
        {
            return Ok(effect);
        }
        self.queue.apply(self, key, step).await
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}

const UNREADABLE: &str = "a function of the store gave an answer that cannot be read";

impl RedisStore {
    /// The verdict of the library; none if it leaves the judgement to the core.
    async fn check(
        &self,
        key: RecordKey,
        step: &Step,
        check: &Check,
    ) -> Result<Option<Effect>, StoreError> {
        let Some(packed) = check::pack(step, check, &self.manner) else {
            return Ok(None);
        };
        let args: [&[u8]; 1] = [&packed];
        let answer = self
            .backend
            .call("check", key, &args, Purpose::Write)
            .await?;
        match check::read(&answer) {
            Some(Found::Judged(effect)) => Ok(Some(effect)),
            Some(Found::Odd) => Ok(None),
            None => Err(StoreError::indeterminate(UNREADABLE)),
        }
    }

    fn fenced(&self) -> &'static [u8] {
        if self.backend.fence { b"1" } else { b"0" }
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
