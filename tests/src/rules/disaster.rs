//! What a store declares to survive, it survives; what it forgets ends the sessions.

use countersign::RecordKey;
use countersign::store::{Durability, Incarnation, Swap};

use crate::ground::Ground;
use crate::harness::{Disaster, Harness};
use crate::session::Session;
use crate::violation::{Outcome, Passed, Violation};

const ALL: [Disaster; 3] = [Disaster::Kill, Disaster::PowerCut, Disaster::Failover];
const FORGOTTEN: &str = "guesses are given back, and a used code works again";
const USED: &str = "a code that was used before a crash works again after it";
const NO_STRIKE: Passed = Passed::NotTried("the harness cannot strike the store like that");

/// A store that declares to survive a crash of its process has every acknowledged write
/// after it was killed.
///
/// # Errors
/// [`crate::Violation`].
pub async fn acknowledged_writes_survive_a_kill(harness: &dyn Harness) -> Outcome {
    let rule = "acknowledged_writes_survive_a_kill";
    all_survive(harness, rule, Disaster::Kill, Durability::Crash).await
}

/// A store that declares to survive a loss of power has every acknowledged write after
/// the power was cut.
///
/// # Errors
/// [`crate::Violation`].
pub async fn acknowledged_writes_survive_a_power_cut(harness: &dyn Harness) -> Outcome {
    let rule = "acknowledged_writes_survive_a_power_cut";
    all_survive(harness, rule, Disaster::PowerCut, Durability::PowerLoss).await
}

async fn all_survive(
    harness: &dyn Harness,
    rule: &'static str,
    disaster: Disaster,
    least: Durability,
) -> Outcome {
    let ground = Ground::open(harness, rule, FORGOTTEN).await?;
    if ground.store.durability() < least {
        return Ok(Passed::NotTried("the store does not promise as much"));
    }
    let writes = write(&ground).await?;
    let Some(ground) = ground.struck(disaster).await? else {
        return Ok(NO_STRIKE);
    };
    let (all, lost) = (writes.len(), forgotten(&ground, &writes).await?);
    ground.expect(lost == 0, || {
        let declared = ground.store.durability();
        format!("{lost} of {all} acknowledged writes are gone, and it declares {declared:?}")
    })?;
    Ok(Passed::Held)
}

/// After any disaster either every acknowledged write is there, or the store's life is
/// another one.
///
/// # Errors
/// [`crate::Violation`].
pub async fn what_forgets_begins_another_life(harness: &dyn Harness) -> Outcome {
    let rule = "what_forgets_begins_another_life";
    let mut passed = NO_STRIKE;
    for disaster in ALL {
        let ground = Ground::open(harness, rule, USED).await?;
        let before = ground.load(ground.fresh_key()?).await?.incarnation;
        if before == Incarnation::UNFENCED {
            return Ok(Passed::NotTried(
                "the store has no fence: what it forgets ends no session",
            ));
        }
        let writes = write(&ground).await?;
        let Some(ground) = ground.struck(disaster).await? else {
            continue;
        };
        let after = ground.load(ground.fresh_key()?).await?.incarnation;
        let (all, lost) = (writes.len(), forgotten(&ground, &writes).await?);
        ground.expect(lost == 0 || after != before, || {
            format!("after {disaster:?}, {lost} of {all} writes are gone, and its life goes on")
        })?;
        passed = Passed::Held;
    }
    Ok(passed)
}

/// A code that was used is not accepted again, whatever befalls the store.
///
/// # Errors
/// [`crate::Violation`].
pub async fn a_used_code_stays_used_after_a_disaster(harness: &dyn Harness) -> Outcome {
    let rule = "a_used_code_stays_used_after_a_disaster";
    let mut passed = NO_STRIKE;
    for disaster in ALL {
        let ground = Ground::open(harness, rule, USED).await?;
        let mut used = Vec::new();
        for _ in 0..8 {
            let session = Session::open(&ground).await?;
            let verdict = ground.works(session.check(session.code()).await)?;
            ground.expect(verdict.is_verified(), || {
                format!("the right code was refused: {}", verdict.reason())
            })?;
            used.push(session.close());
        }
        let Some(ground) = ground.struck(disaster).await? else {
            continue;
        };
        for session in used {
            let verdict = session.check_again(&ground).await?;
            ground.expect(!verdict.is_verified(), || {
                format!("after {disaster:?} a code was approved a second time")
            })?;
        }
        passed = Passed::Held;
    }
    Ok(passed)
}

/// Inserts and replaces 100 values, and gives those that were acknowledged.
async fn write(ground: &Ground<'_>) -> Result<Vec<(RecordKey, Vec<u8>)>, Violation> {
    let mut writes = Vec::new();
    for n in 0..100_u8 {
        let key = ground.put(&[n], None).await?;
        let last = vec![n, n];
        if ground.swap(key, Some(&[n]), &last, None).await? == Swap::Done {
            writes.push((key, last));
        }
    }
    Ok(writes)
}

/// How many of these writes are not there.
async fn forgotten(
    ground: &Ground<'_>,
    writes: &[(RecordKey, Vec<u8>)],
) -> Result<usize, Violation> {
    let mut lost = 0;
    for (key, bytes) in writes {
        lost += usize::from(ground.value(*key).await?.as_ref() != Some(bytes));
    }
    Ok(lost)
}
