//! The store in this process, on a clock that can be set and a disk that can fail.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign::{FakeClock, SessionStore, StoreError, Timestamp};
use countersign_conformance::{Disaster, Harness, Job};
use countersign_example_redb::RedbStore;
use redb::Database;
use tokio::runtime::Handle;

use crate::disk::Disk;

pub(crate) struct InProcess {
    runtime: Handle,
    clock: Arc<FakeClock>,
    machine: Mutex<Machine>,
}

#[derive(Default)]
struct Machine {
    disk: Disk,
    store: Option<Arc<RedbStore>>,
}

impl InProcess {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            clock: Arc::new(FakeClock::at(Timestamp::from_secs(1_700_000_000))),
            machine: Mutex::default(),
        }
    }

    /// The store that is open, or else one opened over what the disk holds.
    fn store(&self) -> Result<Arc<RedbStore>, StoreError> {
        let mut machine = self.machine.lock().unwrap();
        if let Some(store) = &machine.store {
            return Ok(Arc::clone(store));
        }
        // Without a cache, so that what is read comes from the disk.
        let database = Database::builder()
            .set_cache_size(0)
            .create_with_backend(machine.disk.clone())
            .map_err(|error| StoreError::unavailable(error.to_string()))?;
        let store = Arc::new(RedbStore::over(database, self.clock.clone())?);
        machine.store = Some(Arc::clone(&store));
        Ok(store)
    }
}

#[async_trait]
impl Harness for InProcess {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(self.store()?)
    }

    async fn reopen(
        &self,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        drop(store);
        let store = self.machine.lock().unwrap().store.take();
        // Two databases over one disk would ruin it.
        drop(Arc::into_inner(store?).expect("the kit holds a store that it gave back"));
        Some(self.open().await)
    }

    async fn strike(
        &self,
        disaster: Disaster,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        if disaster != Disaster::PowerCut {
            return None;
        }
        {
            let mut machine = self.machine.lock().unwrap();
            // Before the store is closed: closing would sync.
            machine.disk = machine.disk.after_power_cut();
            machine.store = None;
        }
        drop(store);
        Some(self.open().await)
    }

    fn clock(&self) -> Option<Arc<FakeClock>> {
        Some(self.clock.clone())
    }

    async fn new_life(&self) -> bool {
        self.store().unwrap().fence().await.unwrap();
        true
    }

    async fn cut(&self) -> bool {
        self.machine.lock().unwrap().disk.pull();
        true
    }

    /// After an I/O error redb wants to be opened anew.
    async fn mend(&self) {
        let mut machine = self.machine.lock().unwrap();
        machine.store = None;
        machine.disk.plug();
    }

    fn block_on(&self, job: Job<'_>) {
        self.runtime.block_on(job);
    }
}
