//! One shard of the memory store: values by key, and an order in which to look at them.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::record::RecordKey;

/// The order is a plain list of keys, so that a sweep can go on where the last one
/// stopped; an index by time would cost every write, and a hash map has no such place.
#[derive(Debug, Default)]
pub(super) struct Shard {
    values: HashMap<RecordKey, Value>,
    order: Vec<RecordKey>,
    cursor: usize,
}

#[derive(Debug)]
struct Value {
    bytes: Vec<u8>,
    garbage_after: Option<Timestamp>,
    /// Where the key stands in the order.
    place: usize,
}

/// What a sweep of one shard did.
pub(super) struct Swept {
    pub(super) looked: usize,
    pub(super) removed: usize,
    pub(super) to_the_end: bool,
}

impl Shard {
    pub(super) fn get(&self, key: RecordKey) -> Option<&[u8]> {
        self.values.get(&key).map(|value| value.bytes.as_slice())
    }

    pub(super) fn put(&mut self, key: RecordKey, bytes: Vec<u8>, garbage_after: Option<Timestamp>) {
        let place = self.order.len();
        let value = self.values.entry(key).or_insert_with(|| {
            self.order.push(key);
            Value {
                bytes: Vec::new(),
                garbage_after: None,
                place,
            }
        });
        value.bytes = bytes;
        value.garbage_after = garbage_after;
    }

    /// Goes on towards the end of the order, looking at no more than `looks` values and
    /// removing no more than `max`.
    pub(super) fn sweep(&mut self, now: Timestamp, looks: usize, max: usize) -> Swept {
        let mut swept = Swept {
            looked: 0,
            removed: 0,
            to_the_end: false,
        };
        while swept.looked < looks && swept.removed < max {
            let Some(key) = self.order.get(self.cursor).copied() else {
                self.cursor = 0;
                swept.to_the_end = true;
                break;
            };
            swept.looked += 1;
            if self.is_garbage(key, now) {
                self.remove(key);
                swept.removed += 1;
            } else {
                self.cursor += 1;
            }
        }
        swept
    }

    pub(super) fn keys(&self) -> &[RecordKey] {
        &self.order
    }

    fn is_garbage(&self, key: RecordKey, now: Timestamp) -> bool {
        let garbage_after = self.values.get(&key).and_then(|value| value.garbage_after);
        garbage_after.is_some_and(|at| at <= now)
    }

    /// The last key of the order takes the place of the one removed.
    fn remove(&mut self, key: RecordKey) {
        let Some(gone) = self.values.remove(&key) else {
            return;
        };
        self.order.swap_remove(gone.place);
        if let Some(moved) = self
            .order
            .get(gone.place)
            .and_then(|key| self.values.get_mut(key))
        {
            moved.place = gone.place;
        }
    }
}
