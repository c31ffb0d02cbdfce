//! How the kit gets at a store, and how it runs futures.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use async_trait::async_trait;
use countersign::{FakeClock, SessionStore, StoreError};

/// Something to be run to its end.
pub type Job<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What may befall a store, as far as its declared
/// [`Durability`](countersign::store::Durability) speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disaster {
    /// Its process is killed with -9 and started again over what it left.
    Kill,
    /// The power is cut: what was written and not synced is gone.
    PowerCut,
    /// Another node takes over, which may not have seen the last writes.
    Failover,
}

/// How the kit gets at a store. Only [`open`](Self::open) is needed; each of the others
/// lets more rules be tried.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A store over the same data each time. The kit writes under fresh keys only, and
    /// never asks for a store of its own.
    ///
    /// # Errors
    /// Whatever the store says.
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError>;

    /// Closes the store and opens it again: as harshly (kill it, restart it) as its
    /// declared durability allows, if you can. `None` when the data die with it.
    ///
    /// # Errors
    /// Whatever the store says.
    async fn reopen(
        &self,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        drop(store);
        None
    }

    /// Lets a disaster befall the store, and opens what is left. `None` when the harness
    /// cannot, or the store knows no such disaster.
    ///
    /// Make it as bad as it can be: a failover cuts the replica off before the last
    /// writes, a kill finds the last snapshot old. The kit writes, strikes and reads.
    ///
    /// # Errors
    /// Whatever the store says.
    async fn strike(
        &self,
        disaster: Disaster,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        drop((disaster, store));
        None
    }

    /// The clock that the store goes by, if it can be set.
    fn clock(&self) -> Option<Arc<FakeClock>> {
        None
    }

    /// Begins another life of the store, as after a crash, and says whether it could.
    async fn new_life(&self) -> bool {
        false
    }

    /// Cuts the store off from its data until [`mend`](Self::mend), and says whether it
    /// could.
    async fn cut(&self) -> bool {
        false
    }

    /// Lets the store reach its data again.
    async fn mend(&self) {}

    /// Runs a future to its end on the calling thread, one of the kit's own. A store on
    /// tokio gives `handle.block_on(job)`, with the handle of a multi-threaded runtime.
    fn block_on(&self, job: Job<'_>) {
        block_on(job);
    }
}

/// Runs a future to its end on this thread, parking while it waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
