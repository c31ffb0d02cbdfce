//! The fence: which life of the store this is.

use countersign::Timestamp;
use countersign::record::Moment;
use countersign::store::Incarnation;
use deadpool_postgres::ClientWrapper;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;

use crate::error::Error;

/// Reads the row of a moment: the time, and with a fence the witnesses after it.
pub(crate) fn moment(row: &Row, fence: bool) -> Result<Moment, tokio_postgres::Error> {
    let now: i64 = row.try_get(0)?;
    let incarnation = if fence {
        incarnation(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)
    } else {
        Incarnation::UNFENCED
    };
    let now = Timestamp::from_millis(u64::try_from(now).unwrap_or(0));
    Ok(Moment { now, incarnation })
}

/// A promotion begins another timeline, `initdb` another system; `generation` is the
/// operator's.
fn incarnation(generation: &str, system: i64, timeline: &str) -> Incarnation {
    let mut hash = Sha256::new();
    hash.update(b"countersign postgres incarnation 1");
    for part in [
        generation.as_bytes(),
        &system.to_be_bytes(),
        timeline.as_bytes(),
    ] {
        hash.update([u8::try_from(part.len()).unwrap_or(u8::MAX)]);
        hash.update(part);
    }
    let bytes = hash.finalize();
    let number = bytes
        .iter()
        .take(8)
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    // Zero would say that there is no fence.
    Incarnation::new(number.max(1))
}

/// Writes a fresh generation: all sessions opened before are over. The lock waits until
/// every step under way is committed, and holds the others back until they can see it.
pub(crate) async fn renew(client: &ClientWrapper) -> Result<(), Error> {
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                 SET LOCAL synchronous_commit = on; \
                 LOCK TABLE countersign_records IN EXCLUSIVE MODE; \
                 UPDATE countersign_store SET generation = gen_random_uuid(); COMMIT";
    Ok(client.batch_execute(begin).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_witness_tells_another_life() {
        let lives = [
            incarnation("g", 1, "00000001"),
            incarnation("h", 1, "00000001"),
            incarnation("g", 2, "00000001"),
            incarnation("g", 1, "00000002"),
        ];
        for (n, life) in lives.iter().enumerate() {
            assert_ne!(*life, Incarnation::UNFENCED);
            assert!(!lives[..n].contains(life));
        }
        assert_eq!(lives[0], incarnation("g", 1, "00000001"));
    }
}
