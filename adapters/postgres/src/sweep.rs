//! Removing what is over, in short statements between which others come in.

use std::sync::{MutexGuard, PoisonError};

use countersign::StoreError;
use tokio_postgres::Row;

use crate::backend::Backend;
use crate::error::Error;
use crate::statements;

/// Rows that one statement looks at.
const CHUNK: usize = 256;

/// Rows that a sweep looks at for each one that it may remove.
const EFFORT: usize = 16;

/// What one statement did.
struct Chunk {
    looked: usize,
    removed: usize,
    /// Where the next one goes on.
    next: Option<i64>,
}

/// Goes on where the last sweep ended.
pub(crate) async fn sweep(backend: &Backend, max: usize) -> Result<usize, StoreError> {
    let (mut removed, mut ends) = (0, 0);
    let mut effort = max.saturating_mul(EFFORT).max(CHUNK);
    // The second end of the table says that all of it has been seen.
    while removed < max && effort > 0 && ends < 2 {
        let chunk = chunk(backend, effort.min(CHUNK), max - removed).await?;
        removed += chunk.removed;
        ends += usize::from(chunk.next.is_none());
        effort -= chunk.looked.clamp(1, effort);
    }
    Ok(removed)
}

async fn chunk(backend: &Backend, look: usize, max: usize) -> Result<Chunk, StoreError> {
    let from = place(backend).unwrap_or(i64::MIN);
    let (looks, most) = (number(look), number(max));
    let rows = backend
        .once(statements::SWEEP, &[&from, &looks, &most])
        .await??;
    let row = rows
        .first()
        .ok_or_else(|| StoreError::unavailable("a sweep told nothing"))?;
    let chunk = read(row, look, max).map_err(Error::from)?;
    *place(backend) = chunk.next;
    Ok(chunk)
}

fn place(backend: &Backend) -> MutexGuard<'_, Option<i64>> {
    backend.swept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(row: &Row, look: usize, max: usize) -> Result<Chunk, tokio_postgres::Error> {
    let (looked, removed): (i64, i64) = (row.try_get(0)?, row.try_get(2)?);
    let (last_seen, last_gone): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(3)?);
    let looked = usize::try_from(looked).unwrap_or(0);
    let removed = usize::try_from(removed).unwrap_or(0);
    let last = match removed < max {
        true if looked < look => None,
        true => last_seen,
        // There may be more of it among those that were looked at.
        false => last_gone,
    };
    Ok(Chunk {
        looked,
        removed,
        next: last.and_then(|last| last.checked_add(1)),
    })
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
