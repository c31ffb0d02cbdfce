//! How keys and times become numbers of PostgreSQL.

use countersign::{RecordKey, Timestamp};
use tokio_postgres::Row;

/// A key's bytes as a `bigint`. Those are signed: with the highest bit turned
/// they sort as the bytes do, so that listings have the same order in every store.
pub(crate) fn id(key: RecordKey) -> i64 {
    i64::from_be_bytes(key.to_bytes()) ^ i64::MIN
}

/// The key of a `bigint`.
pub(crate) fn key(id: i64) -> RecordKey {
    RecordKey::from_bytes((id ^ i64::MIN).to_be_bytes())
}

/// An id and its value.
pub(crate) fn held(row: &Row) -> Result<(i64, Vec<u8>), tokio_postgres::Error> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Milliseconds since 1970.
pub(crate) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_bytes_do_and_come_back() {
        let bytes: [[u8; 8]; 4] = [[0; 8], [0x7f; 8], [0x80; 8], [0xff; 8]];
        let ids: Vec<_> = bytes
            .iter()
            .map(|b| id(RecordKey::from_bytes(*b)))
            .collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        for (bytes, id) in bytes.iter().zip(ids) {
            assert_eq!(key(id), RecordKey::from_bytes(*bytes));
        }
    }
}
