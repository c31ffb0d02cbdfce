//! What a store does of which only the two calls that it must have were written.

use async_trait::async_trait;

use super::tasks::alone;
use super::{KEY, RIGHT, check};
use crate::error::StoreError;
use crate::record::RecordKey;
use crate::store::{Durability, Entry, Incarnation, Loaded, SessionStore, Swap};

/// A database that is down, and of which nothing was written that need not be.
#[derive(Debug)]
struct Down;

#[async_trait]
impl SessionStore for Down {
    async fn load(&self, _: RecordKey) -> Result<Loaded, StoreError> {
        Err(StoreError::unavailable("it is down"))
    }

    async fn swap(
        &self,
        _: RecordKey,
        _: Option<&[u8]>,
        _: Entry<'_>,
        _: Incarnation,
    ) -> Result<Swap, StoreError> {
        Err(StoreError::unavailable("it is down"))
    }
}

#[test]
fn what_a_store_does_not_say_is_the_least_that_could_be() {
    assert!(Down.queue().is_none());
    assert!(Down.apply_now(KEY, &|| check(RIGHT)).is_none());
    assert_eq!(alone(Down.sweep(10)).unwrap(), 0);
    let listed = alone(Down.scan(None, 10));
    assert!(
        matches!(listed, Err(StoreError::Unsupported(_))),
        "{listed:?}"
    );
    let reached = alone(Down.ping());
    assert!(
        matches!(reached, Err(StoreError::Unavailable { .. })),
        "{reached:?}"
    );
    assert_eq!(Down.durability(), Durability::Process);
}
