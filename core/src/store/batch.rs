//! A few steps folded over one value: between a load and its swap.

use crate::clock::{Stopwatch, Timestamp};
use crate::error::{CorruptRecord, StoreError};
use crate::record::{Effect, Moment, Record, RecordKey, Step};
use crate::store::{Entry, Loaded, SessionStore, Swap};
use crate::verdict::Verdict;

/// What a few steps made of a value: for stores that take steps on many records in one
/// transaction. Nobody may be told before [`Batch::next`] is written.
#[derive(Debug)]
pub struct Batch {
    loaded: Loaded,
    answers: Vec<Answer>,
    next: Option<Next>,
}

#[derive(Debug)]
struct Next {
    bytes: Vec<u8>,
    keep_until: Option<Timestamp>,
}

#[derive(Debug)]
struct Answer {
    effect: Result<Effect, CorruptRecord>,
    /// For an approval: from when on it must be withheld.
    expiry: Option<Timestamp>,
}

impl Batch {
    /// Takes `steps` in order on what was loaded. A step that the record refuses as foreign
    /// has its own error and leaves the record to the others as it was.
    ///
    /// # Errors
    /// [`CorruptRecord`] when the value is no record; no step was taken then.
    pub fn fold<'s>(
        loaded: Loaded,
        steps: impl IntoIterator<Item = &'s Step>,
    ) -> Result<Self, CorruptRecord> {
        let moment = Moment {
            now: loaded.now,
            incarnation: loaded.incarnation,
        };
        let mut record = loaded.value.as_deref().map(Record::decode).transpose()?;
        let mut answers = Vec::new();
        for step in steps {
            let absent = record.is_none();
            let mut one = record.take().unwrap_or_else(|| Record::absent(step));
            let expiry = one.withheld_from(step);
            let effect = one.step(step, moment);
            // An absent record that stays an empty one is still absent.
            if !absent || (effect.is_ok() && one.encode() != Record::absent(step).encode()) {
                record = Some(one);
            }
            answers.push(Answer { effect, expiry });
        }
        let next = record
            .map(|record| Next {
                bytes: record.encode(),
                keep_until: record.keep_until(),
            })
            .filter(|next| loaded.value.as_deref() != Some(next.bytes.as_slice()));
        Ok(Self {
            loaded,
            answers,
            next,
        })
    }

    /// What is to be written; none if nothing changed.
    #[must_use]
    pub fn next(&self) -> Option<Entry<'_>> {
        self.next.as_ref().map(|next| Entry {
            bytes: &next.bytes,
            garbage_after: next.keep_until,
        })
    }

    /// What each step found, in their order, once it is written, which is `now` by the store's
    /// clock. An approval whose write took so long that its session has expired meanwhile is
    /// withheld: `Expired`.
    ///
    /// Of a clock that cannot be asked again: the time of the load, and what has passed since
    /// on a watch that was started before the load was sent, so that it can only be too late.
    #[must_use]
    pub fn told(self, now: Timestamp) -> Vec<Result<Effect, CorruptRecord>> {
        let answers = self.answers.into_iter();
        answers.map(|answer| answer.told_at(now)).collect()
    }

    /// Writes what changed, and only then tells the effects; `None` when the swap was
    /// lost, and with it everything that the steps had found. The watch was started before
    /// the load.
    pub(super) async fn settle<S>(
        self,
        store: &S,
        key: RecordKey,
        since: Stopwatch,
    ) -> Result<Option<Vec<Result<Effect, CorruptRecord>>>, StoreError>
    where
        S: SessionStore + ?Sized,
    {
        if let Some(next) = self.next() {
            let Loaded {
                value, incarnation, ..
            } = &self.loaded;
            if store
                .swap(key, value.as_deref(), next, *incarnation)
                .await?
                == Swap::Lost
            {
                return Ok(None);
            }
        }
        let now = self.loaded.now.plus_millis(since.elapsed_millis());
        Ok(Some(self.told(now)))
    }
}

impl Answer {
    /// The write may have taken long: what was right in time is told in time, or not
    /// at all.
    fn told_at(self, now: Timestamp) -> Result<Effect, CorruptRecord> {
        match self.effect {
            Ok(effect)
                if effect.is_approval() && self.expiry.is_some_and(|expiry| now >= expiry) =>
            {
                Ok(Effect::Verdict(Verdict::Expired))
            }
            effect => effect,
        }
    }
}
