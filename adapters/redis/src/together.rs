//! Many checks in two calls: one reads all records and one writes them, if they are still what
//! was read. In between the pure function decides, here. It costs the server a third of what
//! as many checks of its own cost it, and is for checks that have to wait for one another
//! anyway.

use countersign::record::{Effect, Moment, Record, Step};
use countersign::store::Incarnation;
use countersign::{RecordKey, StoreError, Timestamp};
use redis::Value;

use crate::backend::{Backend, Purpose};
use crate::store::{UNREADABLE, garbage};

/// What has become of one of them.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done(Effect),
    /// Nothing was written: it is to be made alone.
    Alone,
}

/// What was read, and when.
struct Read {
    moment: Moment,
    life: Vec<u8>,
    values: Vec<Value>,
}

/// A record that is to be written, and what follows when it has been.
struct Change {
    seen: Vec<u8>,
    next: Vec<u8>,
    garbage_after: String,
    /// An approval is one only if it is written before this time; empty for what is none, or
    /// is never withheld.
    before: String,
    effect: Effect,
}

enum Judged {
    Settled(Outcome),
    Change(Box<Change>),
}

/// Takes each step on the record under its key; no key may be there twice.
pub(crate) async fn check_all(
    backend: &Backend,
    steps: &[(RecordKey, &Step)],
) -> Result<Vec<Outcome>, StoreError> {
    let read = read(backend, steps).await?;
    let mut outcomes = Vec::with_capacity(steps.len());
    let (mut keys, mut changes, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for ((key, step), value) in steps.iter().zip(&read.values) {
        match judge(value, step, read.moment) {
            Judged::Settled(outcome) => outcomes.push(outcome),
            Judged::Change(change) => {
                places.push(outcomes.len());
                outcomes.push(Outcome::Alone);
                keys.push(*key);
                changes.push(*change);
            }
        }
    }
    if keys.is_empty() {
        return Ok(outcomes);
    }
    let written = write(backend, &keys, &changes, &read.life).await?;
    for ((place, change), is_written) in places.into_iter().zip(changes).zip(written) {
        if is_written {
            outcomes[place] = Outcome::Done(change.effect);
        }
    }
    Ok(outcomes)
}

async fn read(backend: &Backend, steps: &[(RecordKey, &Step)]) -> Result<Read, StoreError> {
    let keys: Vec<_> = steps.iter().map(|(key, _)| *key).collect();
    let args = [backend.fenced()];
    let answer = backend
        .call("load_all", &keys, &args, Purpose::Read)
        .await?;
    let unread = || StoreError::unavailable(UNREADABLE);
    let (now, life, values): (u64, Vec<u8>, Vec<Value>) =
        redis::from_redis_value(answer).map_err(|_| unread())?;
    if values.len() != keys.len() {
        return Err(unread());
    }
    let number = life.as_slice().try_into().map_err(|_| unread())?;
    Ok(Read {
        moment: Moment {
            now: Timestamp::from_millis(now),
            incarnation: Incarnation::new(u64::from_be_bytes(number)),
        },
        life,
        values,
    })
}

async fn write(
    backend: &Backend,
    keys: &[RecordKey],
    changes: &[Change],
    life: &[u8],
) -> Result<Vec<bool>, StoreError> {
    let mut args = vec![backend.fenced(), life];
    for change in changes {
        args.extend([
            &change.seen[..],
            &change.next[..],
            change.garbage_after.as_bytes(),
            change.before.as_bytes(),
        ]);
    }
    let answer = backend
        .call("swap_all", keys, &args, Purpose::Write)
        .await?;
    match redis::from_redis_value::<Vec<bool>>(answer) {
        Ok(written) if written.len() == keys.len() => Ok(written),
        _ => Err(StoreError::indeterminate(UNREADABLE)),
    }
}

/// What is absent, or no record of a destination, is left to the core, which knows what is
/// wrong with it.
fn judge(value: &Value, step: &Step, moment: Moment) -> Judged {
    let alone = Judged::Settled(Outcome::Alone);
    let Value::BulkString(seen) = value else {
        return alone;
    };
    let Ok(mut record) = Record::decode(seen) else {
        return alone;
    };
    let withheld_from = record.withheld_from(step);
    let Ok(effect) = record.step(step, moment) else {
        return alone;
    };
    let garbage_after = garbage(record.keep_until());
    let next = record.into_bytes();
    if *seen == next {
        return Judged::Settled(Outcome::Done(effect));
    }
    let before = withheld_from.filter(|_| effect.is_approval());
    Judged::Change(Box::new(Change {
        seen: seen.clone(),
        next,
        garbage_after,
        before: before.map_or_else(String::new, |time| time.as_millis().to_string()),
        effect,
    }))
}
