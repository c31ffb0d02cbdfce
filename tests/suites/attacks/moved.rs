//! A36: somebody can write to the store and has no key. What was moved from elsewhere is good
//! for nothing: a digest is bound to its session, and a value to its key's tenant and kind.

use std::sync::Arc;

use countersign::store::{Entry, Swap};
use countersign::{CheckRequest, Kind as Sort, MemoryStore, RecordKey, SessionStore, Tenant};

use super::desk::{Desk, ring};
use super::stores::on_every_store;
use crate::parts::ledger::{From, note};

/// How many bytes are moved at once: a nonce with its neighbours, a digest, and more.
const WIDTHS: [usize; 3] = [8, 16, 32];

/// Where the record of a person of [`Desk::send`] lies.
fn key_of(number: u32) -> RecordKey {
    let tenant = Tenant::new("acme").unwrap();
    let name = format!("+4740{number:06}");
    ring().record_key(Sort::Destination, tenant.tag(), name.as_bytes())
}

async fn value(store: &Arc<dyn SessionStore>, number: u32) -> Vec<u8> {
    let loaded = store.load(key_of(number)).await.unwrap();
    loaded.value.unwrap()
}

/// Writes past the engine.
async fn write(store: &Arc<dyn SessionStore>, number: u32, bytes: &[u8]) {
    let loaded = store.load(key_of(number)).await.unwrap();
    let (seen, incarnation) = (loaded.value.as_deref(), loaded.incarnation);
    let next = Entry {
        bytes,
        garbage_after: None,
    };
    let swap = store.swap(key_of(number), seen, next, incarnation).await;
    assert_eq!(swap.unwrap(), Swap::Done);
}

impl Desk {
    /// Whether a guess is approved; a value that cannot be read is an error, and none.
    async fn approves(&self, id: &str, code: &str) -> bool {
        let request = CheckRequest::new(&self.tenant, id, code);
        let verdict = self.verifier.check(&request).await;
        verdict.is_ok_and(|verdict| verdict.is_verified())
    }
}

#[test]
fn a36_what_is_moved_from_another_record_approves_nothing() {
    on_every_store(|kind| async move {
        let opened = kind.open(1).await;
        let store = &opened.handles[0];
        let desk = Desk::new(store, ring());
        let (own, other) = (desk.send(1).await.unwrap(), desk.send(2).await.unwrap());
        let (whole, from) = (value(store, 1).await, value(store, 2).await);
        assert_eq!(whole.len(), from.len(), "alike in form");
        let (mut tried, mut spoilt) = (0, 0);
        for width in WIDTHS {
            for at in 0..=whole.len() - width {
                let mut moved = whole.clone();
                moved[at..at + width].copy_from_slice(&from[at..at + width]);
                write(store, 1, &moved).await;
                let approved = desk.approves(&own.0, &other.1).await;
                assert!(!approved, "{kind}: {width} bytes at {at}");
                write(store, 1, &moved).await;
                spoilt += u32::from(!desk.approves(&own.0, &own.1).await);
                tried += 1;
            }
        }
        // Digests were among what was moved: then the session's own code is good no more.
        assert!(spoilt > 16, "{kind}: {spoilt} of {tried}");
        write(store, 1, &from).await;
        assert!(!desk.approves(&own.0, &other.1).await, "{kind}: all of it");
        write(store, 1, &whole).await;
        assert!(desk.approves(&own.0, &own.1).await, "{kind}: nothing moved");
        let tried = format!("{} records with bytes of another one", tried + 1);
        kind.note("a36", &tried, "0 approvals of its code");
    });
}

/// Two sessions of one record, of which any bytes change places.
#[tokio::test]
async fn a36_what_changes_places_within_a_record_approves_nothing() {
    let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
    let desk = Desk::new(&store, ring());
    let (one, other) = (desk.send(1).await.unwrap(), desk.send(1).await.unwrap());
    assert_ne!(one.1, other.1);
    let (whole, mut tried) = (value(&store, 1).await, 0);
    for width in WIDTHS {
        for first in 0..whole.len() - 2 * width {
            for second in first + width..=whole.len() - width {
                let mut changed = whole.clone();
                let (front, back) = changed.split_at_mut(second);
                front[first..first + width].swap_with_slice(&mut back[..width]);
                for (session, guess) in [(&one, &other.1), (&other, &one.1)] {
                    write(&store, 1, &changed).await;
                    let approved = desk.approves(&session.0, guess).await;
                    assert!(!approved, "{width} bytes at {first} and {second}");
                }
                tried += 1;
            }
        }
    }
    note(
        "a36",
        "memory",
        From::Inside,
        &format!("{tried} records of two sessions in which bytes changed places"),
        "0 approvals of the other's code",
    );
}
