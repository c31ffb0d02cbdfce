//! Stores that are wrong, each in one way, and what the probe says of them.

use std::sync::Arc;

use async_trait::async_trait;

use super::FINGERPRINT_KEY;
use crate::at_once::now;
use crate::envelope;
use crate::store::{Entry, Incarnation, Loaded, SessionStore, Swap};
use crate::{
    BuildError, FakeClock, KeyRing, Kind, MemoryStore, RecordKey, Secret, StoreError, Tag,
    Timestamp, Verifier,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    /// A key that nobody wrote to has a value.
    Haunted,
    /// Everybody is told to have won.
    AllWin,
    /// The second writer of each race is, as well as the first.
    TwoWin,
    /// Nobody is.
    NoneWins,
    /// The winner's value is not there.
    Forgets,
    /// A value is replaced whatever was seen; an absent one only once.
    Overwrites,
    /// It is replaced by who saw nothing.
    Inserts,
    /// What was seen in another life counts.
    AnyLife,
    /// A lost swap leaves its value all the same.
    LosesLoudly,
    /// After the race nobody wins any more.
    Stops,
    /// Another deployment's server leaves its fingerprint between our look and our write.
    Outrun,
}

#[derive(Debug)]
struct Store {
    store: MemoryStore,
    wrong: Wrong,
}

impl Store {
    /// Whether this write comes after the races.
    fn is_late(next: &Entry<'_>) -> bool {
        next.bytes.iter().rev().nth(1) == Some(&b's')
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let mut loaded = self.store.load(key).await?;
        match self.wrong {
            Wrong::Haunted => loaded.value = Some(vec![1]),
            Wrong::Forgets => loaded.value = None,
            _ => {}
        }
        Ok(loaded)
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let loaded = self.store.load(key).await?;
        let (held, life) = (loaded.value.as_deref(), loaded.incarnation);
        let late = Self::is_late(&next);
        let (seen, incarnation) = match self.wrong {
            Wrong::Overwrites if late && seen.is_some() => (held, incarnation),
            Wrong::Inserts if late && seen.is_none() => (held, incarnation),
            Wrong::AnyLife => (seen, life),
            Wrong::NoneWins => return Ok(Swap::Lost),
            Wrong::Outrun if key == FINGERPRINT_KEY && seen.is_none() => {
                let owner = Tag::of("meta", "pseudonym key");
                let bytes = &envelope::seal(Kind::Meta, owner, &ring(2).fingerprint());
                let theirs = Entry { bytes, ..next };
                self.store.swap(key, None, theirs, incarnation).await?;
                (seen, incarnation)
            }
            Wrong::Stops if late => return Ok(Swap::Lost),
            _ => (seen, incarnation),
        };
        let swap = self.store.swap(key, seen, next, incarnation).await?;
        match self.wrong {
            Wrong::AllWin => Ok(Swap::Done),
            Wrong::TwoWin if next.bytes.last() == Some(&1) => Ok(Swap::Done),
            Wrong::LosesLoudly if late && swap == Swap::Lost => {
                self.store.swap(key, held, next, life).await?;
                Ok(Swap::Lost)
            }
            _ => Ok(swap),
        }
    }
}

fn ring(first: u8) -> KeyRing {
    let secret = |byte| Secret::new(vec![byte; 32]).unwrap();
    KeyRing::new(&secret(first), &[secret(9)]).unwrap()
}

fn probe(store: Arc<dyn SessionStore>, first: u8) -> Result<(), BuildError> {
    let verifier = Verifier::builder(ring(first), store).build().unwrap();
    now(verifier.probe())
}

#[test]
fn each_store_that_would_let_guesses_through_is_refused_by_what_it_does() {
    for (wrong, words) in [
        (Wrong::Haunted, "a key that nobody wrote to holds a value"),
        (Wrong::AllWin, "several won"),
        (Wrong::TwoWin, "several won"),
        (Wrong::NoneWins, "nobody won"),
        (Wrong::Forgets, "the winner's value was not kept"),
        (Wrong::Overwrites, "had been replaced was done"),
        (Wrong::Inserts, "had been replaced was done"),
        (Wrong::AnyLife, "another life of the store was done"),
        (Wrong::LosesLoudly, "a lost swap changed the value"),
        (Wrong::Stops, "a swap on the value that is there was lost"),
    ] {
        let store = MemoryStore::new();
        match probe(Arc::new(Store { store, wrong }), 1) {
            Err(BuildError::Probe(why)) => assert!(why.contains(words), "{wrong:?}: {why}"),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
}

#[test]
fn a_right_store_is_taken_again_and_again_by_one_pseudonym_key() {
    let (store, wrong) = (MemoryStore::new(), Wrong::Nothing);
    let store = Arc::new(Store { store, wrong });
    probe(store.clone(), 1).unwrap();
    probe(store.clone(), 1).unwrap();
    let foreign = probe(store.clone(), 2);
    assert!(
        matches!(foreign, Err(BuildError::ForeignStore)),
        "{foreign:?}"
    );
    probe(store, 1).unwrap();
}

#[test]
fn who_only_looks_leaves_a_fresh_store_to_any_key_and_is_told_of_another_s() {
    let (store, wrong) = (MemoryStore::new(), Wrong::Nothing);
    let store = Arc::new(Store { store, wrong });
    let look = |first| {
        let verifier = Verifier::builder(ring(first), store.clone()).build();
        now(verifier.unwrap().probe_as_a_guest())
    };
    look(2).unwrap();
    let held = now(store.load(FINGERPRINT_KEY)).unwrap().value;
    assert_eq!(held, None);
    probe(store.clone(), 1).unwrap();
    look(1).unwrap();
    let foreign = look(2);
    assert!(
        matches!(foreign, Err(BuildError::ForeignStore)),
        "{foreign:?}"
    );
}

#[test]
fn who_only_looks_refuses_a_wrong_store_as_well() {
    let (store, wrong) = (MemoryStore::new(), Wrong::TwoWin);
    let verifier = Verifier::builder(ring(1), Arc::new(Store { store, wrong })).build();
    let refused = now(verifier.unwrap().probe_as_a_guest());
    assert!(matches!(refused, Err(BuildError::Probe(_))), "{refused:?}");
}

#[test]
fn of_two_deployments_that_start_at_once_on_one_store_one_is_refused() {
    let outrun = |first| {
        let (store, wrong) = (MemoryStore::new(), Wrong::Outrun);
        probe(Arc::new(Store { store, wrong }), first)
    };
    let foreign = outrun(1);
    assert!(
        matches!(foreign, Err(BuildError::ForeignStore)),
        "{foreign:?}"
    );
    assert!(outrun(2).is_ok());
}

#[test]
fn what_a_probe_leaves_is_garbage_after_a_minute_but_for_the_fingerprint() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
    let store = Arc::new(MemoryStore::with_clock(clock.clone()));
    probe(store.clone(), 1).unwrap();
    let left = store.len();
    clock.advance_secs(59);
    assert_eq!((now(store.sweep(100)).unwrap(), store.len()), (0, left));
    clock.advance_secs(1);
    assert_eq!((now(store.sweep(100)).unwrap(), store.len()), (left - 1, 1));
}
