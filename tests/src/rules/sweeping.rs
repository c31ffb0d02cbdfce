//! Sweeping takes garbage, and nothing else.

use countersign::store::{Entry, Swap};

use crate::ground::{Boxed, Ground, join_all, on_threads};
use crate::harness::Harness;
use crate::violation::{Outcome, Passed, Violation};

const FORGOTTEN: &str = "every limit of that destination starts anew";

/// Whatever is live, or is kept for ever, stays.
///
/// # Errors
/// [`crate::Violation`].
pub async fn sweep_removes_only_garbage(harness: &dyn Harness) -> Outcome {
    let ground = Ground::open(harness, "sweep_removes_only_garbage", FORGOTTEN).await?;
    let now = ground.load(ground.fresh_key()?).await?.now;
    let mut live = Vec::new();
    for n in 0..50_u8 {
        live.push(ground.put(&[n], Some(now.plus_secs(3600))).await?);
        live.push(ground.put(&[n], None).await?);
        ground.put(&[n], Some(now)).await?;
    }
    for _ in 0..16 {
        ground.works(ground.store.sweep(64).await)?;
    }
    for key in live {
        let value = ground.value(key).await?;
        ground.expect(value.is_some(), || {
            "a value that is no garbage was swept".to_owned()
        })?;
    }
    Ok(Passed::Held)
}

/// One sweep stays within its bound, so that nobody waits long for it.
///
/// # Errors
/// [`crate::Violation`].
pub async fn sweep_removes_no_more_than_asked(harness: &dyn Harness) -> Outcome {
    let cost = "callers wait while a sweep is at work";
    let ground = Ground::open(harness, "sweep_removes_no_more_than_asked", cost).await?;
    let now = ground.load(ground.fresh_key()?).await?.now;
    let mut garbage = Vec::new();
    for n in 0..20_u8 {
        garbage.push(ground.put(&[n], Some(now)).await?);
    }
    let before = left(&ground, &garbage).await?;
    let said = ground.works(ground.store.sweep(3).await)?;
    let removed = before.saturating_sub(left(&ground, &garbage).await?);
    ground.expect(said <= 3 && removed <= 3, || {
        format!("asked for at most 3, it removed {removed} and says {said}")
    })?;
    Ok(Passed::Held)
}

async fn left(ground: &Ground<'_>, keys: &[countersign::RecordKey]) -> Result<usize, Violation> {
    let mut left = 0;
    for key in keys {
        left += usize::from(ground.value(*key).await?.is_some());
    }
    Ok(left)
}

/// A value that was garbage when a sweep saw it, and is replaced before the sweep takes
/// it, stays.
///
/// # Errors
/// [`crate::Violation`].
pub async fn sweep_spares_a_changed_value(harness: &dyn Harness) -> Outcome {
    let ground = Ground::open(harness, "sweep_spares_a_changed_value", FORGOTTEN).await?;
    for round in 0..60 {
        let now = ground.load(ground.fresh_key()?).await?.now;
        let mut keys = Vec::new();
        for _ in 0..4 {
            keys.push(ground.put(b"garbage", Some(now)).await?);
        }
        let job = |n: usize| -> Boxed<'_, Result<bool, Violation>> {
            match n.checked_sub(1) {
                None => Box::pin(sweep(&ground)),
                Some(n) => Box::pin(renew(&ground, keys[n])),
            }
        };
        let jobs = keys.len() + 1;
        let renewed = match round % 2 {
            0 => join_all((0..jobs).map(job)).await,
            _ => on_threads(harness, jobs, job),
        };
        for (renewed, key) in renewed.into_iter().skip(1).zip(&keys) {
            let value = ground.value(*key).await?;
            ground.expect(!renewed? || value.as_deref() == Some(b"renewed"), || {
                "a value was swept that had been renewed before".to_owned()
            })?;
        }
    }
    Ok(Passed::Held)
}

async fn sweep(ground: &Ground<'_>) -> Result<bool, Violation> {
    ground.works(ground.store.sweep(1000).await)?;
    Ok(false)
}

/// Whether the renewal was done; the sweep may have come first.
async fn renew(ground: &Ground<'_>, key: countersign::RecordKey) -> Result<bool, Violation> {
    let loaded = ground.load(key).await?;
    let next = Entry {
        bytes: b"renewed",
        garbage_after: Some(loaded.now.plus_secs(3600)),
    };
    let (seen, life) = (loaded.value.as_deref(), loaded.incarnation);
    Ok(ground.works(ground.store.swap(key, seen, next, life).await)? == Swap::Done)
}
