//! The map under a broken store, and how it compares, writes, tells time and life.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use countersign::store::{Entry, Incarnation, StepQueue, Swap};
use countersign::{Clock, FakeClock, RecordKey, Timestamp};

use super::fault::Fault;
use super::waiting::suspend;

pub(super) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// How often a racing writer looks whether another one is between comparing and writing.
const LOOKS: usize = 50;

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) bytes: Vec<u8>,
    pub(super) garbage_after: Option<Timestamp>,
}

/// A store over a map, with one fault. It suspends in every operation, as a store
/// across a network does.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(super) fault: Fault,
    pub(super) rows: Mutex<HashMap<RecordKey, Row>>,
    /// What was under a key before its last write: lost by a store that forgets.
    pub(super) before: Mutex<HashMap<RecordKey, Option<Row>>>,
    /// What was under a key before, for one stale load.
    pub(super) stale: Mutex<HashMap<RecordKey, Option<Vec<u8>>>>,
    /// A write that is still to come.
    pub(super) late: Mutex<Option<(RecordKey, Row)>>,
    /// Held around compare and write, where they are to be one.
    pub(super) atomic: Mutex<()>,
    /// How many writers have compared, and not written yet.
    between: AtomicUsize,
    pub(super) clock: Arc<FakeClock>,
    skew: AtomicU64,
    pub(super) life: AtomicU64,
    pub(super) cut: AtomicBool,
    pub(super) queue: StepQueue,
}

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            rows: Mutex::default(),
            before: Mutex::default(),
            stale: Mutex::default(),
            late: Mutex::default(),
            atomic: Mutex::default(),
            between: AtomicUsize::new(0),
            clock: Arc::new(FakeClock::at(START)),
            skew: AtomicU64::new(0),
            life: AtomicU64::new(1),
            cut: AtomicBool::new(false),
            queue: StepQueue::new(),
        }
    }

    pub(super) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    pub(super) fn place(&self, key: RecordKey) -> RecordKey {
        let mut bytes = key.to_bytes();
        if self.is(Fault::CutsKeys) {
            bytes[0] = 0;
        }
        RecordKey::from_bytes(bytes)
    }

    pub(super) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        match self.fault {
            Fault::RunsBackwards => {
                let back = self.skew.fetch_add(1000, Ordering::SeqCst);
                Timestamp::from_millis(now.as_millis() - back)
            }
            Fault::StandsStill => START,
            _ => now,
        }
    }

    pub(super) fn life(&self) -> Incarnation {
        match self.fault {
            Fault::Unfenced => Incarnation::UNFENCED,
            Fault::KeepsLife => Incarnation::new(1),
            _ => Incarnation::new(self.life.load(Ordering::SeqCst)),
        }
    }

    pub(super) fn held(&self, key: RecordKey) -> Option<Vec<u8>> {
        let early = if self.is(Fault::EvictsEarly) { 60 } else { 0 };
        let now = self.clock.now().plus_secs(early);
        let rows = self.rows.lock().unwrap();
        let row = rows.get(&key)?;
        if early > 0 && row.garbage_after.is_some_and(|at| at <= now) {
            return None;
        }
        Some(row.bytes.clone()).filter(|bytes| !(self.is(Fault::EmptyIsAbsent) && bytes.is_empty()))
    }

    fn same(&self, held: Option<&[u8]>, seen: Option<&[u8]>) -> bool {
        match (self.fault, held, seen) {
            (Fault::ComparesPrefix, Some(held), Some(seen)) => {
                held.iter().take(16).eq(seen.iter().take(16))
            }
            (Fault::InsertsOver, _, None) => true,
            _ => held == seen,
        }
    }

    pub(super) fn write(&self, key: RecordKey, next: &Entry<'_>) {
        let length = if self.is(Fault::Truncates) {
            512
        } else {
            usize::MAX
        };
        let bytes = next.bytes[..next.bytes.len().min(length)].to_vec();
        let row = Row {
            bytes,
            garbage_after: next.garbage_after,
        };
        let before = self.rows.lock().unwrap().insert(key, row);
        if self.is(Fault::LoadsStale) {
            let bytes = before.as_ref().map(|row| row.bytes.clone());
            self.stale.lock().unwrap().insert(key, bytes);
        }
        self.before.lock().unwrap().insert(key, before);
    }

    /// Compares and writes: under one lock, unless that is the fault.
    pub(super) async fn compare_and_write(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: &Entry<'_>,
        life: Incarnation,
    ) -> Swap {
        let held = self.held(key);
        let same_life = self.is(Fault::IgnoresLife) || life == self.life();
        if !same_life || !self.same(held.as_deref(), seen) {
            if self.is(Fault::WritesLost) {
                self.write(key, next);
            }
            return Swap::Lost;
        }
        match self.fault {
            Fault::SuspendsInSwap => suspend().await,
            Fault::RacesInSwap => self.meet_another(),
            Fault::LosesWrites if seen.is_some() => return Swap::Done,
            _ => {}
        }
        self.write(key, next);
        Swap::Done
    }

    /// Waits a little for another writer that has compared too, so that the race is met
    /// in every run.
    fn meet_another(&self) {
        let mut met = self.between.fetch_add(1, Ordering::SeqCst) > 0;
        for _ in 0..LOOKS {
            std::thread::yield_now();
            met |= self.between.load(Ordering::SeqCst) > 1;
            if met {
                break;
            }
        }
        self.between.fetch_sub(1, Ordering::SeqCst);
    }
}
