//! One load, a few steps folded over the value, one swap.

use crate::clock::{Stopwatch, Timestamp};
use crate::error::{CorruptRecord, StoreError};
use crate::record::{Action, Effect, Moment, Record, RecordKey, Step};
use crate::store::{Entry, Loaded, SessionStore, Swap};
use crate::verdict::Verdict;

/// A value as it was loaded, and for how long we have had it.
pub(super) struct Seen {
    loaded: Loaded,
    /// Started before the load was sent, so that the store's time can only be later
    /// than we take it for.
    since: Stopwatch,
}

/// What a few steps made of a value; nobody may see it before it is settled.
pub(super) struct Batch {
    seen: Seen,
    answers: Vec<Answer>,
    next: Option<Next>,
}

struct Next {
    bytes: Vec<u8>,
    keep_until: Option<Timestamp>,
}

struct Answer {
    effect: Result<Effect, CorruptRecord>,
    /// For an approval: from when on it must be withheld.
    expiry: Option<Timestamp>,
}

impl Seen {
    pub(super) async fn load<S>(store: &S, key: RecordKey) -> Result<Self, StoreError>
    where
        S: SessionStore + ?Sized,
    {
        let since = Stopwatch::start();
        let loaded = store.load(key).await?;
        Ok(Self { loaded, since })
    }

    /// Takes `steps` in order. A step that the record refuses as foreign has its own
    /// error and leaves the record to the others as it was.
    pub(super) fn fold<'s>(
        self,
        steps: impl IntoIterator<Item = &'s Step>,
    ) -> Result<Batch, CorruptRecord> {
        let moment = Moment {
            now: self.loaded.now,
            incarnation: self.loaded.incarnation,
        };
        let mut record = self
            .loaded
            .value
            .as_deref()
            .map(Record::decode)
            .transpose()?;
        let mut answers = Vec::new();
        for step in steps {
            let absent = record.is_none();
            let mut one = record.take().unwrap_or_else(|| Record::absent(step));
            let expiry = withholdable(step, &one);
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
            .filter(|next| self.loaded.value.as_deref() != Some(next.bytes.as_slice()));
        Ok(Batch {
            seen: self,
            answers,
            next,
        })
    }
}

impl Batch {
    /// Whether there is anything to write.
    pub(super) fn writes(&self) -> bool {
        self.next.is_some()
    }

    /// Writes what changed, and only then tells the effects; `None` when the swap was
    /// lost, and with it everything that the steps had found.
    pub(super) async fn settle<S>(
        self,
        store: &S,
        key: RecordKey,
    ) -> Result<Option<Vec<Result<Effect, CorruptRecord>>>, StoreError>
    where
        S: SessionStore + ?Sized,
    {
        if let Some(next) = &self.next {
            let entry = Entry {
                bytes: &next.bytes,
                garbage_after: next.keep_until,
            };
            let Loaded {
                value, incarnation, ..
            } = &self.seen.loaded;
            if store
                .swap(key, value.as_deref(), entry, *incarnation)
                .await?
                == Swap::Lost
            {
                return Ok(None);
            }
        }
        let now = self
            .seen
            .loaded
            .now
            .plus_millis(self.seen.since.elapsed_millis());
        Ok(Some(
            self.answers
                .into_iter()
                .map(|answer| answer.told_at(now))
                .collect(),
        ))
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

/// From when on an approval of `step` must not be told any more. A step that carries its
/// own time stands still in it, and nothing is withheld.
fn withholdable(step: &Step, before: &Record) -> Option<Timestamp> {
    match (&step.action, step.at) {
        (Action::Check(check), None) => before.expiry_of(check.nonce),
        _ => None,
    }
}
