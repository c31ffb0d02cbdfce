//! Time and life.

use countersign::store::{Incarnation, Swap};

use crate::ground::Ground;
use crate::harness::Harness;
use crate::violation::{Outcome, Passed};

/// The store's time never goes back, from one load to the next.
///
/// # Errors
/// [`crate::Violation`].
pub async fn clock_never_goes_back(harness: &dyn Harness) -> Outcome {
    let cost = "an expired code lives on, for as long as the clock went back";
    let ground = Ground::open(harness, "clock_never_goes_back", cost).await?;
    let key = ground.fresh_key()?;
    let mut last = ground.load(key).await?.now;
    for _ in 0..100 {
        let now = ground.load(key).await?.now;
        ground.expect(now >= last, || format!("it went from {last} back to {now}"))?;
        last = now;
    }
    Ok(Passed::Held)
}

/// The time that a load gives is that of the load, not that of the last write.
///
/// # Errors
/// [`crate::Violation`].
pub async fn time_comes_with_the_value(harness: &dyn Harness) -> Outcome {
    let cost = "a code outlives its time";
    let ground = Ground::open(harness, "time_comes_with_the_value", cost).await?;
    let Some(clock) = harness.clock() else {
        return Ok(Passed::NotTried("the harness cannot set the store's clock"));
    };
    let key = ground.put(b"held", None).await?;
    let before = ground.load(key).await?.now;
    clock.advance_millis(1_234);
    let after = ground.load(key).await?.now;
    ground.expect(after.millis_since(before) >= 1_234, || {
        format!("1.234 s went by, and the store's time from {before} to {after}")
    })?;
    Ok(Passed::Held)
}

/// After a crash the very next load is of another life, and swaps of the old one are lost.
///
/// # Errors
/// [`crate::Violation`].
pub async fn life_comes_with_the_value(harness: &dyn Harness) -> Outcome {
    let cost = "a code that was used before a crash works again after it";
    let ground = Ground::open(harness, "life_comes_with_the_value", cost).await?;
    let key = ground.put(b"held", None).await?;
    let before = ground.load(key).await?.incarnation;
    if before == Incarnation::UNFENCED || !harness.new_life().await {
        return Ok(Passed::NotTried(
            "the store has no fence, or the harness cannot renew it",
        ));
    }
    let after = ground.load(key).await?.incarnation;
    ground.expect(after != before, || {
        "the store's life is the same after a crash".to_owned()
    })?;
    Ok(Passed::Held)
}

/// A value is kept until its `garbage_after`, to the millisecond.
///
/// # Errors
/// [`crate::Violation`].
pub async fn kept_until_garbage_after(harness: &dyn Harness) -> Outcome {
    let cost = "every limit of that destination starts anew";
    let ground = Ground::open(harness, "kept_until_garbage_after", cost).await?;
    let key = ground.fresh_key()?;
    let now = ground.load(key).await?.now;
    // With the system's clock, long enough for a slow machine.
    let seconds = 120;
    ground
        .swap(key, None, b"first", Some(now.plus_secs(1)))
        .await?;
    let swap = ground
        .swap(key, Some(b"first"), b"held", Some(now.plus_secs(seconds)))
        .await?;
    ground.expect(swap == Swap::Done, || {
        "a swap on the value seen was lost".to_owned()
    })?;
    if let Some(clock) = harness.clock() {
        clock.advance_millis(seconds * 1000 - 1);
    }
    for _ in 0..4 {
        ground.works(ground.store.sweep(1000).await)?;
        let value = ground.value(key).await?;
        ground.expect(value.as_deref() == Some(b"held"), || {
            "a value was gone before its `garbage_after`".to_owned()
        })?;
    }
    Ok(Passed::Held)
}
