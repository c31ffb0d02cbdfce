//! Listing.

use std::collections::BTreeSet;

use countersign::StoreError;

use crate::ground::Ground;
use crate::harness::Harness;
use crate::violation::{Outcome, Passed};

/// Page after page, a listing gives every key once.
///
/// # Errors
/// [`crate::Violation`].
pub async fn scan_lists_every_key_once(harness: &dyn Harness) -> Outcome {
    let cost = "the operator does not see everything";
    let ground = Ground::open(harness, "scan_lists_every_key_once", cost).await?;
    let mut written = BTreeSet::new();
    for n in 0..100_u8 {
        written.insert(ground.put(&[n], None).await?);
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = match ground.store.scan(after, 7).await {
            Err(StoreError::Unsupported(_)) if after.is_none() => {
                return Ok(Passed::NotTried("the store cannot list its keys"));
            }
            page => ground.works(page)?,
        };
        ground.expect(page.len() <= 7, || {
            format!("a page of 7 has {} keys", page.len())
        })?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        listed.extend(page.into_iter().filter(|key| written.contains(key)));
        // A store in use may grow meanwhile, but not without end.
        ground.expect(listed.len() <= 2 * written.len(), || {
            "it lists without end".to_owned()
        })?;
    }
    let distinct: BTreeSet<_> = listed.iter().copied().collect();
    ground.expect(distinct.len() == listed.len(), || {
        "a key is listed twice".to_owned()
    })?;
    ground.expect(distinct == written, || {
        format!("of {} keys {} were listed", written.len(), distinct.len())
    })?;
    Ok(Passed::Held)
}
