//! How it grows: the figures of the guide's page on that (`countersign::guide::growth`).
//!
//! `cargo test --release -p countersign-conformance --test shared growth -- --nocapture`
//! prints them; with `COUNTERSIGN_LONG=1`, from the counts that the page names.

mod bytes;
mod filled;
mod memory;
mod sample;
mod slots;
mod tenant;
mod trips;

use countersign::{KeyRing, Kind, RecordKey, Secret, Tenant};

use crate::parts::long::long;

/// The same keys in every run, so that every run counts the same.
pub(crate) fn keys() -> KeyRing {
    let secret = |byte| Secret::new(vec![byte; 32]).expect("32 bytes");
    KeyRing::new(&secret(1), &[secret(2)]).expect("two secrets")
}

/// Keys of the records of as many phone numbers, derived as the verifier derives them.
pub(crate) fn record_keys(count: u64) -> impl Iterator<Item = RecordKey> {
    let (keys, tenant) = (keys(), Tenant::new("acme").expect("a name"));
    (0..count).map(move |n| {
        let number = format!("+47{}", 40_000_000 + n);
        keys.record_key(Kind::Destination, tenant.tag(), number.as_bytes())
    })
}
