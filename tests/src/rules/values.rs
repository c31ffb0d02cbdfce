//! What is written is what is read.

use countersign::store::{Durability, Swap};

use crate::ground::Ground;
use crate::harness::Harness;
use crate::violation::{Outcome, Passed};

const FORGOTTEN: &str = "guesses are given back, and a used code works again";

/// A key that nobody wrote to has no value.
///
/// # Errors
/// [`Violation`](crate::Violation), as every rule.
pub async fn absent_is_none(harness: &dyn Harness) -> Outcome {
    let cost = "every first send to a destination is refused as corrupt";
    let ground = Ground::open(harness, "absent_is_none", cost).await?;
    let value = ground.value(ground.fresh_key()?).await?;
    ground.expect(value.is_none(), || {
        "a key that nobody wrote to has a value".to_owned()
    })?;
    Ok(Passed::Held)
}

/// The very first load after a swap gives what was swapped in.
///
/// # Errors
/// [`crate::Violation`].
pub async fn winner_is_readable_at_once(harness: &dyn Harness) -> Outcome {
    let cost = "swaps on the stale value are lost, or, if they are done, guesses go uncounted";
    let ground = Ground::open(harness, "winner_is_readable_at_once", cost).await?;
    let key = ground.fresh_key()?;
    let mut seen = None;
    for n in 0..8_u8 {
        let next = vec![n; 16];
        if ground.swap(key, seen.as_deref(), &next, None).await? == Swap::Done {
            let read = ground.value(key).await?;
            ground.expect(read.as_ref() == Some(&next), || {
                format!("after swap {n} was done, the first load gave an older value")
            })?;
        }
        seen = ground.value(key).await?;
    }
    Ok(Passed::Held)
}

/// A swap that is done is there sooner or later.
///
/// # Errors
/// [`crate::Violation`].
pub async fn done_is_written(harness: &dyn Harness) -> Outcome {
    let ground = Ground::open(harness, "done_is_written", FORGOTTEN).await?;
    let key = ground.fresh_key()?;
    let mut seen = None;
    for n in 0..8_u8 {
        let next = vec![n; 16];
        if ground.swap(key, seen.as_deref(), &next, None).await? == Swap::Done {
            let mut read = None;
            for _ in 0..4 {
                read = ground.value(key).await?;
            }
            ground.expect(read.as_ref() == Some(&next), || {
                format!("swap {n} was done, and its value was never there")
            })?;
            seen = read;
        }
    }
    Ok(Passed::Held)
}

/// An empty value is a value.
///
/// # Errors
/// [`crate::Violation`].
pub async fn empty_is_not_absent(harness: &dyn Harness) -> Outcome {
    let cost = "an insertion replaces what is there";
    let ground = Ground::open(harness, "empty_is_not_absent", cost).await?;
    let key = ground.put(b"", None).await?;
    let empty = ground.value(key).await?;
    ground.expect(empty.as_deref() == Some(b""), || {
        format!("an empty value reads as {empty:?}")
    })?;
    let inserted = ground.swap(key, None, b"x", None).await?;
    ground.expect(inserted == Swap::Lost, || {
        "an empty value was taken for none".to_owned()
    })?;
    let replaced = ground.swap(key, Some(b""), b"x", None).await?;
    ground.expect(replaced == Swap::Done, || {
        "an empty value could not be replaced".to_owned()
    })?;
    Ok(Passed::Held)
}

/// Values of every length up to 1 KiB, and every byte, come back as they were.
///
/// # Errors
/// [`crate::Violation`].
pub async fn values_up_to_1_kib_survive_byte_for_byte(harness: &dyn Harness) -> Outcome {
    let rule = "values_up_to_1_kib_survive_byte_for_byte";
    let cost = "records are refused as corrupt, and their destinations served no more";
    let ground = Ground::open(harness, rule, cost).await?;
    for length in [
        1, 15, 16, 17, 255, 256, 257, 511, 512, 513, 1000, 1023, 1024,
    ] {
        let bytes: Vec<u8> = (0..=u8::MAX).rev().cycle().take(length).collect();
        let key = ground.put(&bytes, None).await?;
        let read = ground.value(key).await?;
        ground.expect(read.as_ref() == Some(&bytes), || {
            let found = read.map_or(0, |read| read.len());
            format!("a value of {length} bytes came back changed, with {found} bytes")
        })?;
    }
    Ok(Passed::Held)
}

/// What happens at one key changes no other, however alike they are.
///
/// # Errors
/// [`crate::Violation`].
pub async fn keys_are_independent(harness: &dyn Harness) -> Outcome {
    let cost = "one destination's limits and sessions are another's";
    let ground = Ground::open(harness, "keys_are_independent", cost).await?;
    let key = ground.put(b"first", None).await?;
    for bit in 0..64 {
        let near = u64::from_be_bytes(key.to_bytes()) ^ (1 << bit);
        let near = countersign::RecordKey::from_bytes(near.to_be_bytes());
        let value = ground.value(near).await?;
        ground.expect(value.is_none(), || {
            format!("a value is also found under the key that differs in bit {bit}")
        })?;
        let swap = ground.swap(near, None, b"other", None).await?;
        ground.expect(swap == Swap::Done, || {
            format!("a key next to it, bit {bit}, is taken")
        })?;
    }
    let value = ground.value(key).await?;
    ground.expect(value.as_deref() == Some(b"first"), || {
        "a value changed when others were written".to_owned()
    })?;
    Ok(Passed::Held)
}

/// A store that promises to survive is opened again, and everything is there.
///
/// # Errors
/// [`crate::Violation`].
pub async fn acknowledged_writes_survive_a_reopen(harness: &dyn Harness) -> Outcome {
    let rule = "acknowledged_writes_survive_a_reopen";
    let mut ground = Ground::open(harness, rule, FORGOTTEN).await?;
    if ground.store.durability() == Durability::Process {
        return Ok(Passed::NotTried(
            "the store promises nothing beyond its process",
        ));
    }
    let mut keys = Vec::new();
    for n in 0..100_u8 {
        let key = ground.put(&[n], None).await?;
        let swap = ground.swap(key, Some(&[n]), &[n, n], None).await?;
        ground.expect(swap == Swap::Done, || {
            "a swap on the value seen was lost".to_owned()
        })?;
        keys.push((key, vec![n, n]));
    }
    let Some(reopened) = harness.reopen(ground.store).await else {
        return Ok(Passed::NotTried("the harness cannot reopen the store"));
    };
    ground.store = match reopened {
        Ok(store) => store,
        Err(error) => {
            let ground = Ground::open(harness, rule, FORGOTTEN).await?;
            return Err(ground.broken(format!("it did not open again: {error}")));
        }
    };
    for (n, (key, bytes)) in keys.iter().enumerate() {
        let read = ground.value(*key).await?;
        ground.expect(read.as_ref() == Some(bytes), || {
            format!("acknowledged write {n} of 100 is gone after a reopen")
        })?;
    }
    Ok(Passed::Held)
}
