//! What every rule stands on: a store, fresh keys, races and a way to say what is wrong.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::task::Poll;

use countersign::store::{Entry, Incarnation, Loaded, Swap};
use countersign::{KeyRing, Kind, RecordKey, SessionStore, StoreError, Tag, Timestamp};

use crate::harness::{Disaster, Harness};
use crate::violation::Violation;

/// A future in a box, as a store's methods give it.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One rule, at work on one store.
pub(crate) struct Ground<'h> {
    pub(crate) harness: &'h dyn Harness,
    pub(crate) store: Arc<dyn SessionStore>,
    rule: &'static str,
    cost: &'static str,
}

impl<'h> Ground<'h> {
    pub(crate) async fn open(
        harness: &'h dyn Harness,
        rule: &'static str,
        cost: &'static str,
    ) -> Result<Self, Violation> {
        let store = harness.open().await;
        let store = store.map_err(|error| Violation {
            rule,
            seen: error.to_string(),
            cost,
        })?;
        Ok(Self {
            harness,
            store,
            rule,
            cost,
        })
    }

    /// The same ground on what a disaster leaves of the store; none if the harness
    /// cannot bring it about. Nobody else may hold the store.
    pub(crate) async fn struck(self, disaster: Disaster) -> Result<Option<Self>, Violation> {
        let Self {
            harness,
            store,
            rule,
            cost,
        } = self;
        let Some(left) = harness.strike(disaster, store).await else {
            return Ok(None);
        };
        let store = left.map_err(|error| Violation {
            rule,
            seen: format!("after {disaster:?} it did not open: {error}"),
            cost,
        })?;
        Ok(Some(Self {
            harness,
            store,
            rule,
            cost,
        }))
    }

    pub(crate) fn broken(&self, seen: impl Into<String>) -> Violation {
        Violation {
            rule: self.rule,
            seen: seen.into(),
            cost: self.cost,
        }
    }

    pub(crate) fn expect(
        &self,
        holds: bool,
        otherwise: impl FnOnce() -> String,
    ) -> Result<(), Violation> {
        if holds {
            Ok(())
        } else {
            Err(self.broken(otherwise()))
        }
    }

    /// In the middle of a rule no error is expected.
    pub(crate) fn works<T, E: std::fmt::Display>(
        &self,
        result: Result<T, E>,
    ) -> Result<T, Violation> {
        result.map_err(|error| self.broken(format!("unexpected error: {error}")))
    }

    /// A key that nobody has ever written to.
    pub(crate) fn fresh_key(&self) -> Result<RecordKey, Violation> {
        let keys = self.works(KeyRing::generate())?;
        Ok(keys.record_key(Kind::Meta, Tag::default(), b"conformance"))
    }

    pub(crate) async fn load(&self, key: RecordKey) -> Result<Loaded, Violation> {
        self.works(self.store.load(key).await)
    }

    pub(crate) async fn value(&self, key: RecordKey) -> Result<Option<Vec<u8>>, Violation> {
        Ok(self.load(key).await?.value)
    }

    /// Swaps in the life that the store has now.
    pub(crate) async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        bytes: &[u8],
        garbage_after: Option<Timestamp>,
    ) -> Result<Swap, Violation> {
        let life = self.load(key).await?.incarnation;
        let next = Entry {
            bytes,
            garbage_after,
        };
        self.works(self.store.swap(key, seen, next, life).await)
    }

    /// Puts a first value under a fresh key.
    pub(crate) async fn put(
        &self,
        bytes: &[u8],
        garbage_after: Option<Timestamp>,
    ) -> Result<RecordKey, Violation> {
        let key = self.fresh_key()?;
        let swap = self.swap(key, None, bytes, garbage_after).await?;
        self.expect(swap == Swap::Done, || {
            "a fresh key could not be written to".to_owned()
        })?;
        Ok(key)
    }

    /// Every writer swaps on what was `seen`, in one task: where one suspends, another
    /// goes on. Gives the writers that won.
    pub(crate) async fn race_in_one_task(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        values: &[Vec<u8>],
    ) -> Result<Vec<usize>, Violation> {
        let life = self.load(key).await?.incarnation;
        let swaps = values
            .iter()
            .map(|bytes| self.writer(key, seen, bytes, life));
        self.winners(join_all(swaps).await)
    }

    /// The same from as many threads at once.
    pub(crate) async fn race_on_threads(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        values: &[Vec<u8>],
    ) -> Result<Vec<usize>, Violation> {
        let life = self.load(key).await?.incarnation;
        let writer = |n: usize| -> Boxed<'_, _> { self.writer(key, seen, &values[n], life) };
        self.winners(on_threads(self.harness, values.len(), writer))
    }

    fn writer<'a>(
        &'a self,
        key: RecordKey,
        seen: Option<&'a [u8]>,
        bytes: &'a [u8],
        life: Incarnation,
    ) -> Boxed<'a, Result<Swap, StoreError>> {
        let next = Entry {
            bytes,
            garbage_after: None,
        };
        Box::pin(async move { self.store.swap(key, seen, next, life).await })
    }

    fn winners(&self, swaps: Vec<Result<Swap, StoreError>>) -> Result<Vec<usize>, Violation> {
        let mut winners = Vec::new();
        for (n, swap) in swaps.into_iter().enumerate() {
            if self.works(swap)? == Swap::Done {
                winners.push(n);
            }
        }
        Ok(winners)
    }
}

/// Polls all futures in turn, in one task.
pub(crate) async fn join_all<F: Future + Unpin>(
    futures: impl Iterator<Item = F>,
) -> Vec<F::Output> {
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

/// Runs one job on each of so many threads, all let go at once, and gives what they gave.
pub(crate) fn on_threads<'a, T: Send>(
    harness: &dyn Harness,
    threads: usize,
    job: impl Fn(usize) -> Boxed<'a, T> + Sync,
) -> Vec<T> {
    let start = Barrier::new(threads);
    let outputs: Vec<_> = (0..threads).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for (n, output) in outputs.iter().enumerate() {
            let (start, job) = (&start, &job);
            scope.spawn(move || {
                let future = job(n);
                start.wait();
                harness.block_on(Box::pin(async move {
                    let given = future.await;
                    *output.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
                }));
            });
        }
    });
    outputs
        .into_iter()
        .filter_map(|output| output.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

/// Polls a future so many times, as often as it is woken, and then drops it. Gives its
/// output if it came to its end before.
pub(crate) async fn cut_off<F: Future + Unpin>(mut future: F, polls: usize) -> Option<F::Output> {
    let mut polled = 0;
    poll_fn(|cx| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        match Pin::new(&mut future).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled == polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
