//! Of many, one wins.

use countersign::store::{Entry, Incarnation, Swap};

use crate::ground::Ground;
use crate::harness::Harness;
use crate::violation::{Outcome, Passed};

const TWICE: &str = "a code is approved twice, and guesses pass uncounted";

/// A second insertion under a key is lost.
///
/// # Errors
/// [`crate::Violation`].
pub async fn insert_if_absent_wins_once(harness: &dyn Harness) -> Outcome {
    let cost = "two first sends to a destination forget one another";
    let ground = Ground::open(harness, "insert_if_absent_wins_once", cost).await?;
    let key = ground.put(b"first", None).await?;
    let again = ground.swap(key, None, b"second", None).await?;
    ground.expect(again == Swap::Lost, || {
        "a second insertion was done".to_owned()
    })?;
    Ok(Passed::Held)
}

/// A swap on the value that is there is done.
///
/// # Errors
/// [`crate::Violation`].
pub async fn swap_on_the_seen_value_is_done(harness: &dyn Harness) -> Outcome {
    let cost = "a guess is charged twice, and an approval may be withheld";
    let ground = Ground::open(harness, "swap_on_the_seen_value_is_done", cost).await?;
    let key = ground.fresh_key()?;
    let mut seen = None;
    for n in 0..8_u8 {
        let swap = ground.swap(key, seen.as_deref(), &[n; 8], None).await?;
        seen = ground.value(key).await?;
        let written = seen.as_deref() == Some(&[n; 8]);
        ground.expect(swap == Swap::Done || !written, || {
            format!("swap {n} was written, and is said to be lost")
        })?;
        ground.expect(swap == Swap::Done, || {
            format!("swap {n}, on the value that was there, was lost with nobody else about")
        })?;
    }
    Ok(Passed::Held)
}

/// A swap on a value that has been replaced, or on one that never was, is lost.
///
/// # Errors
/// [`crate::Violation`].
pub async fn stale_swap_is_lost(harness: &dyn Harness) -> Outcome {
    let ground = Ground::open(harness, "stale_swap_is_lost", TWICE).await?;
    let key = ground.put(b"first", None).await?;
    ground.swap(key, Some(b"first"), b"second", None).await?;
    let stale = ground.swap(key, Some(b"first"), b"third", None).await?;
    ground.expect(stale == Swap::Lost, || {
        "a swap on a replaced value was done".to_owned()
    })?;
    let absent = ground
        .swap(ground.fresh_key()?, Some(b"first"), b"second", None)
        .await?;
    ground.expect(absent == Swap::Lost, || {
        "a swap on an absent value was done".to_owned()
    })?;
    Ok(Passed::Held)
}

/// A swap compares every byte, and the length.
///
/// # Errors
/// [`crate::Violation`].
pub async fn swap_compares_the_whole_value(harness: &dyn Harness) -> Outcome {
    let ground = Ground::open(harness, "swap_compares_the_whole_value", TWICE).await?;
    let held: Vec<u8> = (0..=u8::MAX).cycle().take(600).collect();
    let key = ground.put(&held, None).await?;
    let mut others = vec![
        held[..599].to_vec(),
        held[..8].to_vec(),
        [&held[..], &[0]].concat(),
    ];
    for place in [0, 7, 8, 15, 16, 31, 32, 63, 64, 255, 256, 511, 512, 599] {
        let mut other = held.clone();
        other[place] ^= 1;
        others.push(other);
    }
    for other in others {
        let swap = ground.swap(key, Some(&other), b"next", None).await?;
        ground.expect(swap == Swap::Lost, || {
            let place = other.iter().zip(&held).position(|(a, b)| a != b);
            let length = other.len();
            format!("a value of {length} bytes, first other at {place:?}, passed for the one held")
        })?;
    }
    let text = ground.put(b"Case", None).await?;
    let folded = ground.swap(text, Some(b"CASE"), b"next", None).await?;
    ground.expect(folded == Swap::Lost, || {
        "upper and lower case were taken as one".to_owned()
    })?;
    Ok(Passed::Held)
}

/// A lost swap leaves the value as it was.
///
/// # Errors
/// [`crate::Violation`].
pub async fn lost_swap_changes_nothing(harness: &dyn Harness) -> Outcome {
    let ground = Ground::open(harness, "lost_swap_changes_nothing", TWICE).await?;
    let key = ground.put(b"held", None).await?;
    for seen in [None, Some(b"other".as_slice())] {
        if ground.swap(key, seen, b"intruder", None).await? == Swap::Lost {
            let value = ground.value(key).await?;
            ground.expect(value.as_deref() == Some(b"held"), || {
                "a swap was lost, and changed the value all the same".to_owned()
            })?;
        }
    }
    Ok(Passed::Held)
}

/// Of 64 swaps that saw the same value one wins, wherever they suspend.
///
/// # Errors
/// [`crate::Violation`].
pub async fn exactly_one_of_many_wins_in_one_task(harness: &dyn Harness) -> Outcome {
    let rule = "exactly_one_of_many_wins_in_one_task";
    let ground = Ground::open(harness, rule, TWICE).await?;
    for round in 0..4_u8 {
        let key = ground.fresh_key()?;
        let mut seen = None;
        for stage in 0..2_u8 {
            let values: Vec<_> = (0..64).map(|n| vec![round, stage, n]).collect();
            let winners = ground
                .race_in_one_task(key, seen.as_deref(), &values)
                .await?;
            seen = one_winner(&ground, key, &winners, &values).await?;
        }
    }
    Ok(Passed::Held)
}

/// Of 8 threads that saw the same value one wins, in 100 rounds of inserting and 100 of
/// replacing.
///
/// # Errors
/// [`crate::Violation`].
pub async fn exactly_one_of_many_wins_on_threads(harness: &dyn Harness) -> Outcome {
    let rule = "exactly_one_of_many_wins_on_threads";
    let ground = Ground::open(harness, rule, TWICE).await?;
    for round in 0..100_u8 {
        let key = ground.fresh_key()?;
        let mut seen = None;
        for stage in 0..2_u8 {
            let values: Vec<_> = (0..8).map(|n| vec![round, stage, n]).collect();
            let winners = ground
                .race_on_threads(key, seen.as_deref(), &values)
                .await?;
            seen = one_winner(&ground, key, &winners, &values).await?;
        }
    }
    Ok(Passed::Held)
}

async fn one_winner(
    ground: &Ground<'_>,
    key: countersign::RecordKey,
    winners: &[usize],
    values: &[Vec<u8>],
) -> Result<Option<Vec<u8>>, crate::Violation> {
    let (count, all) = (winners.len(), values.len());
    ground.expect(count < 2, || {
        format!("of {all} writers that saw one value {count} won")
    })?;
    ground.value(key).await
}

/// A swap that was seen in another life of the store is lost.
///
/// # Errors
/// [`crate::Violation`].
pub async fn other_incarnation_is_lost(harness: &dyn Harness) -> Outcome {
    let cost = "a session opened before a crash passes for one after it: a used code works again";
    let ground = Ground::open(harness, "other_incarnation_is_lost", cost).await?;
    let key = ground.put(b"held", None).await?;
    let life = ground.load(key).await?.incarnation;
    if life == Incarnation::UNFENCED {
        return Ok(Passed::NotTried("the store has no fence"));
    }
    let other = Incarnation::new(life.number().wrapping_add(1));
    let next = Entry {
        bytes: b"next",
        garbage_after: None,
    };
    let swap = ground.works(ground.store.swap(key, Some(b"held"), next, other).await)?;
    ground.expect(swap == Swap::Lost, || {
        "a swap of another life was done".to_owned()
    })?;
    Ok(Passed::Held)
}
