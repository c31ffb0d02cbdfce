//! A store that cannot reach its data says so.

use countersign::store::{Entry, Swap};

use crate::ground::Ground;
use crate::harness::Harness;
use crate::violation::{Outcome, Passed};

const NO_CUT: Passed = Passed::NotTried("the harness cannot cut the store off");

/// A load that gets no answer is an error, and never an absent value.
///
/// # Errors
/// [`crate::Violation`].
pub async fn a_cut_load_is_an_error(harness: &dyn Harness) -> Outcome {
    let cost = "every limit of that destination starts anew";
    let ground = Ground::open(harness, "a_cut_load_is_an_error", cost).await?;
    let key = ground.put(b"held", None).await?;
    if !harness.cut().await {
        return Ok(NO_CUT);
    }
    let loaded = ground.store.load(key).await;
    harness.mend().await;
    match loaded {
        Err(_) => Ok(Passed::Held),
        Ok(loaded) => {
            let what = if loaded.value.is_none() {
                "an absent value"
            } else {
                "a value"
            };
            Err(ground.broken(format!("cut off from its data, it loaded {what}")))
        }
    }
}

/// A swap that gets no answer is an error, and never done or lost.
///
/// # Errors
/// [`crate::Violation`].
pub async fn a_cut_swap_is_an_error(harness: &dyn Harness) -> Outcome {
    let cost = "guesses are given back, and a used code works again";
    let ground = Ground::open(harness, "a_cut_swap_is_an_error", cost).await?;
    let key = ground.put(b"held", None).await?;
    let life = ground.load(key).await?.incarnation;
    if !harness.cut().await {
        return Ok(NO_CUT);
    }
    let next = Entry {
        bytes: b"next",
        garbage_after: None,
    };
    let swap = ground.store.swap(key, Some(b"held"), next, life).await;
    harness.mend().await;
    match swap {
        Err(_) => Ok(Passed::Held),
        Ok(swap) => {
            let what = if swap == Swap::Done { "done" } else { "lost" };
            Err(ground.broken(format!("cut off from its data, it says a swap is {what}")))
        }
    }
}
