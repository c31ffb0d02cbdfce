//! The provided way to take a step: load, step, swap, again if lost.

use crate::clock::Stopwatch;
use crate::error::StoreError;
use crate::record::{Effect, RecordKey, Step};
use crate::store::SessionStore;
use crate::store::batch::Batch;
use crate::store::patience::Patience;

/// Takes one step by itself: at most 64 tries in at most five seconds.
///
/// A step that changes nothing writes nothing. An approval whose write took so long that
/// the session has expired meanwhile is withheld: the verdict is then `Expired`.
///
/// # Errors
/// [`StoreError::Contended`] when every try was lost, [`StoreError::Corrupt`] for a value
/// that is not what the key promises, and whatever `load` and `swap` fail with.
pub async fn apply_once<S: SessionStore + ?Sized>(
    store: &S,
    key: RecordKey,
    step: &Step,
) -> Result<Effect, StoreError> {
    let mut patience = Patience::new();
    loop {
        let since = Stopwatch::start();
        let batch = Batch::fold(store.load(key).await?, [step])?;
        let settled = batch.settle(store, key, since).await?;
        if let Some(effect) = settled.and_then(|mut all| all.pop()) {
            return Ok(effect?);
        }
        if !patience.lost() {
            return Err(StoreError::Contended);
        }
        patience.jitter(key).await;
    }
}
