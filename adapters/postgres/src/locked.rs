//! The store as one leader of a queue sees it: what it loads it has locked.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use countersign::store::{Entry, Incarnation, Loaded, Swap};
use countersign::{RecordKey, SessionStore, StoreError};

use crate::backend::Backend;
use crate::store::finish;
use crate::transaction::{Held, Write};

/// A load keeps its transaction open, the swap after it commits that. Dropped without a
/// swap it rolls back.
pub(crate) struct Locked {
    backend: Arc<Backend>,
    held: Mutex<Option<Held>>,
}

impl Locked {
    pub(crate) fn new(backend: &Arc<Backend>) -> Self {
        Self {
            backend: Arc::clone(backend),
            held: Mutex::new(None),
        }
    }

    fn put(&self, held: Option<Held>) -> Option<Held> {
        let mut place = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, held)
    }
}

#[async_trait]
impl SessionStore for Locked {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        drop(self.put(None));
        let held = finish(Held::one(Arc::clone(&self.backend), key)).await?;
        let loaded = Loaded {
            value: held.value(key).map(<[u8]>::to_vec),
            now: held.moment.now,
            incarnation: held.moment.incarnation,
        };
        drop(self.put(Some(held)));
        Ok(loaded)
    }

    /// Nobody can have changed what was loaded: the row is locked. One that was absent
    /// may have been made, and then the swap is lost.
    async fn swap(
        &self,
        key: RecordKey,
        _: Option<&[u8]>,
        next: Entry<'_>,
        _: Incarnation,
    ) -> Result<Swap, StoreError> {
        let Some(held) = self.put(None) else {
            return Ok(Swap::Lost);
        };
        let write = Write::new(key, next);
        finish(async move { held.commit(&write).await }).await
    }
}

impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked").finish_non_exhaustive()
    }
}
