//! Stores that are broken on purpose: each is the memory store with one fault.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use countersign::record::{Effect, Moment, Record, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{Clock, FakeClock, MemoryStore, RecordKey, SessionStore, StoreError, Timestamp};
use countersign_conformance::Harness;

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: the wrapper itself keeps the contract.
    None,
    /// Suspends between comparing and writing.
    SuspendsInSwap,
    /// Lets go of its lock between comparing and writing, without suspending.
    RacesInSwap,
    /// Loads the value before the last one, the first time after each write.
    LoadsStale,
    /// Forgets a value a minute before its time.
    EvictsEarly,
    /// Says `Done` for replacements that it does not write.
    LosesWrites,
    /// Says `Done` for a swap that was lost.
    SaysDoneForLost,
    /// Says `Lost` for a replacement that was done.
    SaysLostForDone,
    /// Each load is a second earlier than the one before.
    RunsBackwards,
    /// Tells the time of the first load for ever.
    StandsStill,
    /// Cuts values at 512 bytes.
    Truncates,
    /// Compares the first 16 bytes only.
    ComparesPrefix,
    /// Inserts over what is there.
    InsertsOver,
    /// Writes what was lost.
    WritesLost,
    /// Takes an empty value for none.
    EmptyIsAbsent,
    /// Has a value under every key.
    AbsentIsEmpty,
    /// Leaves the first byte of the key out.
    CutsKeys,
    /// Takes a time-out for a success.
    TimeoutIsDone,
    /// Takes a time-out for an absent value.
    TimeoutIsAbsent,
    /// Swaps in whatever life.
    IgnoresLife,
    /// Read its life once, and keeps it over a crash.
    KeepsLife,
    /// Sweeps values that are not yet garbage.
    SweepsLive,
    /// Sweeps what was garbage when it looked, and has been renewed since.
    SweepsRenewed,
    /// Sweeps more than it was asked to.
    SweepsAll,
    /// Leaves a key out of each page of a listing.
    ScanSkips,
    /// Declares to survive what it does not.
    BoastsDurability,
    /// Stores absent records when they are looked at.
    StoresAbsent,
    /// Answers a step first and charges it later.
    ChargesLate,
    /// Takes a charge back when its caller hangs up.
    TakesBack,
    /// Has no queue, and gives up after a few lost swaps.
    GivesUp,
}

#[derive(Debug)]
struct Row {
    bytes: Vec<u8>,
    garbage_after: Option<Timestamp>,
}

/// A store over a map, with one fault. It suspends in every operation, as a store
/// across a network does.
#[derive(Debug)]
pub(crate) struct Broken {
    fault: Fault,
    rows: Mutex<HashMap<RecordKey, Row>>,
    /// What was under a key before, for one stale load.
    stale: Mutex<HashMap<RecordKey, Option<Vec<u8>>>>,
    /// A write that is still to come.
    late: Mutex<Option<(RecordKey, Row)>>,
    clock: Arc<FakeClock>,
    skew: AtomicU64,
    life: AtomicU64,
    cut: AtomicBool,
    queue: StepQueue,
}

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            rows: Mutex::default(),
            stale: Mutex::default(),
            late: Mutex::default(),
            clock: Arc::new(FakeClock::at(START)),
            skew: AtomicU64::new(0),
            life: AtomicU64::new(1),
            cut: AtomicBool::new(false),
            queue: StepQueue::new(),
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn place(&self, key: RecordKey) -> RecordKey {
        let mut bytes = key.to_bytes();
        if self.is(Fault::CutsKeys) {
            bytes[0] = 0;
        }
        RecordKey::from_bytes(bytes)
    }

    fn now(&self) -> Timestamp {
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

    fn life(&self) -> Incarnation {
        let kept = self.is(Fault::KeepsLife);
        Incarnation::new(if kept {
            1
        } else {
            self.life.load(Ordering::SeqCst)
        })
    }

    fn held(&self, key: RecordKey) -> Option<Vec<u8>> {
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

    fn write(&self, key: RecordKey, next: &Entry<'_>) {
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
            self.stale
                .lock()
                .unwrap()
                .insert(key, before.map(|row| row.bytes));
        }
    }

    /// Compares and writes: under one lock, unless that is the fault.
    async fn compare_and_write(
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
            Fault::RacesInSwap => (0..50).for_each(|_| std::thread::yield_now()),
            Fault::LosesWrites if seen.is_some() => return Swap::Done,
            _ => {}
        }
        self.write(key, next);
        Swap::Done
    }

    async fn eight_tries(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        for _ in 0..8 {
            let Loaded {
                value,
                now,
                incarnation,
            } = self.load(key).await?;
            let record = value
                .as_deref()
                .map_or_else(|| Ok(Record::absent(step)), Record::decode)?;
            let absent = Record::absent(step).encode();
            let (record, effect) = record.step(step, Moment { now, incarnation })?;
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
        let held = self.held(key);
        let moment = Moment {
            now: self.now(),
            incarnation: self.life(),
        };
        let record = held
            .as_deref()
            .map_or_else(|| Ok(Record::absent(step)), Record::decode)?;
        let (record, effect) = record.step(step, moment)?;
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
}

/// One lock around compare and write, where they are to be one.
static ATOMIC: Mutex<()> = Mutex::new(());

#[async_trait]
impl SessionStore for Broken {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        suspend().await;
        let key = self.place(key);
        let mut value = self.held(key);
        if let Some(stale) = self.stale.lock().unwrap().remove(&key) {
            value = stale;
        }
        if self.cut.load(Ordering::SeqCst) {
            match self.fault {
                Fault::TimeoutIsAbsent => value = None,
                _ => return Err(StoreError::unavailable("cut off")),
            }
        }
        if self.is(Fault::AbsentIsEmpty) {
            value = Some(value.unwrap_or_default());
        }
        Ok(Loaded {
            value,
            now: self.now(),
            incarnation: self.life(),
        })
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        life: Incarnation,
    ) -> Result<Swap, StoreError> {
        suspend().await;
        let key = self.place(key);
        if self.cut.load(Ordering::SeqCst) {
            let done = self.is(Fault::TimeoutIsDone);
            return if done {
                Ok(Swap::Done)
            } else {
                Err(StoreError::indeterminate("cut off"))
            };
        }
        let seen = seen.filter(|seen| !(self.is(Fault::AbsentIsEmpty) && seen.is_empty()));
        let swap = match self.fault {
            Fault::SuspendsInSwap | Fault::RacesInSwap => {
                self.compare_and_write(key, seen, &next, life).await
            }
            _ => {
                let _one_at_a_time = ATOMIC.lock().unwrap();
                at_once(self.compare_and_write(key, seen, &next, life))
            }
        };
        suspend().await;
        Ok(match (self.fault, swap) {
            (Fault::SaysDoneForLost, Swap::Lost) => Swap::Done,
            (Fault::SaysLostForDone, Swap::Done) if seen.is_some() => Swap::Lost,
            (_, swap) => swap,
        })
    }

    fn queue(&self) -> Option<&StepQueue> {
        (!self.is(Fault::GivesUp)).then_some(&self.queue)
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        match self.fault {
            Fault::GivesUp => return self.eight_tries(key, step).await,
            Fault::ChargesLate => return self.charge_late(key, step),
            Fault::StoresAbsent => {
                let bytes = Record::absent(step).encode();
                let next = Entry {
                    bytes: &bytes,
                    garbage_after: None,
                };
                self.swap(key, None, next, self.life()).await?;
            }
            Fault::TakesBack => {
                let before = self.held(key);
                let mut taken_back = TakenBack {
                    store: self,
                    key,
                    before,
                };
                let effect = self.queue.apply(self, key, step).await?;
                suspend().await;
                taken_back.before = None;
                return Ok(effect);
            }
            _ => {}
        }
        self.queue.apply(self, key, step).await
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let live = self.is(Fault::SweepsLive);
        let max = if self.is(Fault::SweepsAll) {
            usize::MAX
        } else {
            max
        };
        let garbage = |row: &Row| row.garbage_after.is_some_and(|at| live || at <= now);
        let found: Vec<_> = {
            let rows = self.rows.lock().unwrap();
            rows.iter()
                .filter(|(_, row)| garbage(row))
                .map(|(key, _)| *key)
                .take(max)
                .collect()
        };
        for _ in 0..4 {
            suspend().await;
        }
        let mut rows = self.rows.lock().unwrap();
        let mut removed = 0;
        for key in found {
            let renewed = rows.get(&key).is_none_or(|row| !garbage(row));
            if !renewed || self.is(Fault::SweepsRenewed) {
                removed += usize::from(rows.remove(&key).is_some());
            }
        }
        Ok(removed)
    }

    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let mut keys: Vec<_> = self.rows.lock().unwrap().keys().copied().collect();
        keys.retain(|key| after.is_none_or(|after| *key > after));
        keys.sort_unstable();
        keys.truncate(max);
        if self.is(Fault::ScanSkips) && keys.len() > 2 {
            keys.remove(1);
        }
        Ok(keys)
    }

    fn durability(&self) -> Durability {
        let boasts = self.is(Fault::BoastsDurability);
        if boasts {
            Durability::PowerLoss
        } else {
            Durability::Process
        }
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

/// Returns to the executor once.
async fn suspend() {
    let mut first = true;
    std::future::poll_fn(move |cx| {
        if std::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// For futures that do not wait.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// A broken store, with everything that the kit can do to it.
pub(crate) struct Bench(pub(crate) Arc<Broken>);

impl Bench {
    pub(crate) fn of(fault: Fault) -> Self {
        Self(Arc::new(Broken::new(fault)))
    }
}

#[async_trait]
impl Harness for Bench {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(Arc::clone(&self.0) as _)
    }

    async fn reopen(
        &self,
        _store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        self.0.rows.lock().unwrap().clear();
        Some(self.open().await)
    }

    fn clock(&self) -> Option<Arc<FakeClock>> {
        Some(Arc::clone(&self.0.clock))
    }

    async fn new_life(&self) -> bool {
        self.0.life.fetch_add(1, Ordering::SeqCst);
        true
    }

    async fn cut(&self) -> bool {
        self.0.cut.store(true, Ordering::SeqCst);
        true
    }

    async fn mend(&self) {
        self.0.cut.store(false, Ordering::SeqCst);
    }
}

/// The memory store, with a clock that can be set.
pub(crate) struct Memory {
    store: Arc<MemoryStore>,
    clock: Arc<FakeClock>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(FakeClock::at(START));
        let store = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _));
        Self { store, clock }
    }
}

#[async_trait]
impl Harness for Memory {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(Arc::clone(&self.store) as _)
    }

    fn clock(&self) -> Option<Arc<FakeClock>> {
        Some(Arc::clone(&self.clock))
    }

    async fn new_life(&self) -> bool {
        self.store.fence();
        true
    }
}
