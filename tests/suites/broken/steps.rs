//! Steps that are taken wrongly, where the fault is in `apply`.

use countersign::record::{Effect, Moment, Record, Step};
use countersign::store::{Entry, Incarnation, Loaded, Swap};
use countersign::{RecordKey, SessionStore, StoreError, Verdict};

use super::fault::Fault;
use super::rows::{Broken, Row};
use super::waiting::suspend;

impl Broken {
    /// The step with the store's fault; none when its fault is elsewhere.
    pub(super) async fn step_wrongly(
        &self,
        key: RecordKey,
        step: &Step,
    ) -> Option<Result<Effect, StoreError>> {
        Some(match self.fault {
            Fault::GivesUp => self.eight_tries(key, step).await,
            Fault::ChargesLate => self.charge_late(key, step),
            Fault::StoresAbsent => self.store_absent(key, step).await,
            Fault::TakesBack => self.take_back(key, step).await,
            Fault::StepsInFirstLife => self.at_a_stroke(key, step, Incarnation::new(1), |_| true),
            Fault::ThirdGuessIsFree => self.at_a_stroke(key, step, self.life(), |effect| {
                let third = Verdict::WrongCode {
                    attempts_remaining: 2,
                };
                *effect != Effect::Verdict(third)
            }),
            Fault::ApprovesUnwritten => {
                self.at_a_stroke(key, step, self.life(), |effect| !effect.is_approval())
            }
            _ => return None,
        })
    }

    /// One step under the lock, as next to the data; only what `writes` allows is written.
    fn at_a_stroke(
        &self,
        key: RecordKey,
        step: &Step,
        incarnation: Incarnation,
        writes: impl Fn(&Effect) -> bool,
    ) -> Result<Effect, StoreError> {
        let _one_at_a_time = self.atomic.lock().unwrap();
        let held = self.held(key);
        let (record, effect) = self.taken(held.as_deref(), step, incarnation)?;
        let bytes = record.encode();
        let absent = Record::absent(step).encode();
        if held.as_ref().unwrap_or(&absent) != &bytes && writes(&effect) {
            let next = Entry {
                bytes: &bytes,
                garbage_after: record.keep_until(),
            };
            self.write(key, &next);
        }
        Ok(effect)
    }

    fn taken(
        &self,
        held: Option<&[u8]>,
        step: &Step,
        incarnation: Incarnation,
    ) -> Result<(Record, Effect), StoreError> {
        let now = self.now();
        let mut record = held.map_or_else(|| Ok(Record::absent(step)), Record::decode)?;
        let effect = record.step(step, Moment { now, incarnation })?;
        Ok((record, effect))
    }

    async fn eight_tries(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        for _ in 0..8 {
            let Loaded {
                value,
                now,
                incarnation,
            } = self.load(key).await?;
            let mut record = value
                .as_deref()
                .map_or_else(|| Ok(Record::absent(step)), Record::decode)?;
            let absent = Record::absent(step).encode();
            let effect = record.step(step, Moment { now, incarnation })?;
            let bytes = record.encode();
            if value.as_ref().unwrap_or(&absent) == &bytes {
                return Ok(effect);
            }
            let next = Entry {
                bytes: &bytes,
                garbage_after: record.keep_until(),
            };
            if self.swap(key, value.as_deref(), next, incarnation).await? == Swap::Done {
                return Ok(effect);
            }
        }
        Err(StoreError::Contended)
    }

    /// A step that is answered at once, and written when the next one comes.
    fn charge_late(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        let _one_at_a_time = self.atomic.lock().unwrap();
        let (record, effect) = self.taken(self.held(key).as_deref(), step, self.life())?;
        let row = Row {
            bytes: record.encode(),
            garbage_after: record.keep_until(),
        };
        let waiting = self.late.lock().unwrap().replace((key, row));
        if let Some((key, row)) = waiting {
            self.rows.lock().unwrap().insert(key, row);
        }
        Ok(effect)
    }

    async fn store_absent(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        let bytes = Record::absent(step).encode();
        let next = Entry {
            bytes: &bytes,
            garbage_after: None,
        };
        self.swap(key, None, next, self.life()).await?;
        self.queue.apply(self, key, step).await
    }

    async fn take_back(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        let before = self.held(key);
        let mut taken_back = TakenBack {
            store: self,
            key,
            before,
        };
        let effect = self.queue.apply(self, key, step).await?;
        suspend().await;
        taken_back.before = None;
        Ok(effect)
    }
}

/// Puts back what was there before, unless its caller waited for the end.
struct TakenBack<'s> {
    store: &'s Broken,
    key: RecordKey,
    before: Option<Vec<u8>>,
}

impl Drop for TakenBack<'_> {
    fn drop(&mut self) {
        if let Some(bytes) = self.before.take() {
            self.store.write(
                self.key,
                &Entry {
                    bytes: &bytes,
                    garbage_after: None,
                },
            );
        }
    }
}
