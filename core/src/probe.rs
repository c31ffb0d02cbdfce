//! The start-up probe: refuses a store that would let codes or guesses through.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::clock::Timestamp;
use crate::envelope;
use crate::error::{BuildError, StoreError};
use crate::keys::{Kind, Tag};
use crate::record::RecordKey;
use crate::store::{Entry, Incarnation, Loaded, SessionStore, Swap};
use crate::verifier::Verifier;

/// As many writers as the race has.
const WRITERS: u8 = 64;
const GARBAGE_SECONDS: u64 = 60;

/// Does not depend on the pseudonym key, so that one key finds what another wrote.
const FINGERPRINT_KEY: RecordKey = RecordKey::from_bytes(*b"pseudkey");

impl Verifier {
    /// Sends 64 swaps at once to a scratch key, and compares the pseudonym key with the
    /// one that the store was used with before. It takes milliseconds.
    ///
    /// It sees races at a suspension point, wrong answers about the winner and writes
    /// that are not kept. Races between threads are for the conformance kit to find.
    ///
    /// # Errors
    /// [`BuildError::Probe`] unless exactly one swap wins and is kept,
    /// [`BuildError::ForeignStore`] for a store of another pseudonym key,
    /// [`BuildError::Store`] when the store fails.
    pub async fn probe(&self) -> Result<(), BuildError> {
        self.race().await?;
        claim(self.store().as_ref(), self.keys().fingerprint()).await
    }

    /// As [`Verifier::probe`], for who only looks: a store that was never used stays open to
    /// any pseudonym key. Otherwise a trial with the wrong secret would claim a fresh store,
    /// and its servers, with the right one, would be refused.
    ///
    /// # Errors
    /// As [`Verifier::probe`].
    pub async fn probe_as_a_guest(&self) -> Result<(), BuildError> {
        self.race().await?;
        let (store, ours) = (self.store().as_ref(), self.keys().fingerprint());
        unclaimed(store, ours).await.map(drop)
    }

    async fn race(&self) -> Result<(), BuildError> {
        let mut name = [0; 16];
        crate::random::fill_random(&mut name)
            .map_err(|error| StoreError::unavailable(error.to_string()))?;
        let key = self.keys().record_key(Kind::Meta, Tag::default(), &name);
        let store = self.store().as_ref();
        Scratch { store, key }.probe().await
    }
}

/// A fresh key, at which nobody else writes.
struct Scratch<'s> {
    store: &'s dyn SessionStore,
    key: RecordKey,
}

impl Scratch<'_> {
    async fn probe(&self) -> Result<(), BuildError> {
        let at_first = self.store.load(self.key).await?;
        expect(
            at_first.value.is_none(),
            "a key that nobody wrote to holds a value",
        )?;
        // Inserting and replacing are often two statements: each has its race.
        let inserted = self.race(&at_first, b'i').await?;
        let replaced = self.race(&inserted, b'r').await?;
        self.stale(&replaced).await
    }

    /// Lets all writers loose on what was `seen`, and gives the value that is there then.
    async fn race(&self, seen: &Loaded, round: u8) -> Result<Loaded, BuildError> {
        let values: Vec<_> = (0..WRITERS).map(|writer| value(round, writer)).collect();
        let garbage_after = Some(garbage_after(seen.now));
        let swaps = values.iter().map(|bytes| {
            let next = Entry {
                bytes,
                garbage_after,
            };
            self.store
                .swap(self.key, seen.value.as_deref(), next, seen.incarnation)
        });
        let mut winners = Vec::new();
        for (swap, value) in join_all(swaps).await.into_iter().zip(&values) {
            if swap? == Swap::Done {
                winners.push(value);
            }
        }
        expect(winners.len() < 2, "of 64 writers of one value several won")?;
        let winner = winners.pop();
        expect(winner.is_some(), "of 64 writers of one value nobody won")?;
        let loaded = self.store.load(self.key).await?;
        expect(
            loaded.value.as_ref() == winner,
            "the winner's value was not kept",
        )?;
        Ok(loaded)
    }

    /// What was not seen, or was seen in another life, must not be replaced; what was
    /// seen must.
    async fn stale(&self, seen: &Loaded) -> Result<(), BuildError> {
        let held = seen.value.as_deref();
        let other = value(b's', 0);
        let swap = |seen_value, incarnation| {
            let next = Entry {
                bytes: &other,
                garbage_after: Some(garbage_after(seen.now)),
            };
            self.store.swap(self.key, seen_value, next, incarnation)
        };
        let never_seen = value(b'n', 0);
        for stale in [None, Some(never_seen.as_slice())] {
            let lost = swap(stale, seen.incarnation).await? == Swap::Lost;
            expect(lost, "a swap on a value that had been replaced was done")?;
        }
        if seen.incarnation != Incarnation::UNFENCED {
            let another_life = Incarnation::new(seen.incarnation.number().wrapping_add(1));
            let lost = swap(held, another_life).await? == Swap::Lost;
            expect(lost, "a swap seen in another life of the store was done")?;
        }
        let kept = self.store.load(self.key).await?.value;
        expect(kept.as_deref() == held, "a lost swap changed the value")?;
        expect(
            swap(held, seen.incarnation).await? == Swap::Done,
            "a swap on the value that is there was lost",
        )?;
        let kept = self.store.load(self.key).await?.value;
        expect(kept == Some(other), "the winner's value was not kept")
    }
}

/// Polls all futures in turn, in one task: where one suspends, another goes on.
async fn join_all<F: Future + Unpin>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (future, None)).collect();
    poll_fn(|cx| {
        for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = Pin::new(future).poll(cx) {
                *output = Some(ready);
            }
        }
        let all = running.iter().all(|(_, output)| output.is_some());
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

/// Values that differ at their very end, as records may: whoever compares a prefix takes
/// them for one.
fn value(round: u8, writer: u8) -> Vec<u8> {
    let mut payload = [0; 500];
    payload[498..].copy_from_slice(&[round, writer]);
    envelope::seal(Kind::Meta, Tag::of("meta", "probe"), &payload)
}

fn garbage_after(now: Timestamp) -> Timestamp {
    now.plus_secs(GARBAGE_SECONDS)
}

fn expect(holds: bool, otherwise: &'static str) -> Result<(), BuildError> {
    if holds {
        Ok(())
    } else {
        Err(BuildError::Probe(otherwise))
    }
}

/// Leaves the fingerprint in a new store, and finds it in an old one.
async fn claim(store: &dyn SessionStore, fingerprint: [u8; 8]) -> Result<(), BuildError> {
    let ours = envelope::seal(Kind::Meta, owner(), &fingerprint);
    // A loser reads what the winner wrote; the second try is for that.
    for _ in 0..2 {
        let Some(incarnation) = unclaimed(store, fingerprint).await? else {
            return Ok(());
        };
        let next = Entry {
            bytes: &ours,
            garbage_after: None,
        };
        if store.swap(FINGERPRINT_KEY, None, next, incarnation).await? == Swap::Done {
            return Ok(());
        }
    }
    Err(BuildError::Probe(
        "an insertion under a key without a value was lost",
    ))
}

/// The life of a store in which nobody has left a fingerprint; none where ours is there.
async fn unclaimed(
    store: &dyn SessionStore,
    fingerprint: [u8; 8],
) -> Result<Option<Incarnation>, BuildError> {
    let loaded = store.load(FINGERPRINT_KEY).await?;
    let Some(held) = loaded.value else {
        return Ok(Some(loaded.incarnation));
    };
    let found = envelope::open(Kind::Meta, owner(), &held).map_err(StoreError::from)?;
    if found == fingerprint {
        Ok(None)
    } else {
        Err(BuildError::ForeignStore)
    }
}

fn owner() -> Tag {
    Tag::of("meta", "pseudonym key")
}

#[cfg(test)]
mod tests;
