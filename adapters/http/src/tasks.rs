//! Work that outlives its callers, counted so that a shutdown can wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tracing::Instrument;

#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    running: AtomicUsize,
    /// Of these, the ones nobody waits for.
    alone: AtomicUsize,
    none_left: Notify,
}

/// The work ended in a panic: a bug.
#[derive(Debug)]
pub(crate) struct Panicked;

impl Tasks {
    /// Runs `work` to its end in a task of its own, from the beginning: nobody waits for it.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.run(work));
    }

    /// How many run that nobody waits for.
    pub(crate) fn alone(&self) -> usize {
        self.0.alone.load(Ordering::Relaxed)
    }

    /// Runs `work` to its end, whether or not the caller goes on waiting for it: in the
    /// caller's own task, and in one of its own once the caller has hung up.
    ///
    /// A task for each call from its beginning would be simpler, and costs a tenth of a
    /// whole check: it is queued, woken and joined.
    pub(crate) fn run<W>(&self, work: W) -> Lasting<W>
    where
        W: Future + Send + 'static,
        W::Output: Send,
    {
        Lasting(Some((Box::pin(work), Running::new(&self.0))))
    }

    /// Waits until nothing is running.
    pub(crate) async fn drained(&self) {
        loop {
            // Made before the look, so that no end in between goes unheard.
            let none_left = self.0.none_left.notified();
            if self.0.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            none_left.await;
        }
    }
}

/// Work that goes on when it is dropped.
pub(crate) struct Lasting<W>(Option<(Pin<Box<W>>, Running)>)
where
    W: Future + Send + 'static,
    W::Output: Send;

impl<W> Future for Lasting<W>
where
    W: Future + Send + 'static,
    W::Output: Send,
{
    type Output = Result<W::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((work, _)) = self.0.as_mut() else {
            return Poll::Ready(Err(Panicked));
        };
        // Caught as in a task of its own: other calls share the caller's connection.
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(_) => Err(Panicked),
        };
        self.0 = None;
        Poll::Ready(ended)
    }
}

impl<W> Drop for Lasting<W>
where
    W: Future + Send + 'static,
    W::Output: Send,
{
    fn drop(&mut self) {
        // Without a runtime the process is ending, and its tasks with it.
        if let (Some((work, running)), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            let alone = Alone::new(running);
            let rest = async move {
                let _alone = alone;
                work.await;
            };
            runtime.spawn(rest.in_current_span());
        }
    }
}

/// One that is counted as long as it lives.
struct Running(Arc<Count>);

impl Running {
    fn new(count: &Arc<Count>) -> Self {
        count.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}

/// One that nobody waits for, as long as it lives.
struct Alone(Running);

impl Alone {
    fn new(running: Running) -> Self {
        running.0.alone.fetch_add(1, Ordering::Relaxed);
        Self(running)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let Self(Running(count)) = self;
        count.alone.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[tokio::test]
    async fn work_that_panics_ends_without_a_result_and_is_no_longer_counted() {
        let tasks = Tasks::default();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let ended = tasks
            .run(poll_fn(|_| -> Poll<()> { panic!("on purpose") }))
            .await;
        std::panic::set_hook(hook);
        assert!(ended.is_err());
        tasks.drained().await;
    }

    #[tokio::test]
    async fn work_that_is_let_go_of_goes_on_and_is_waited_for() {
        let (tasks, go, done) = (
            Tasks::default(),
            Arc::new(Notify::new()),
            Arc::new(AtomicBool::new(false)),
        );
        let (gone, noted) = (Arc::clone(&go), Arc::clone(&done));
        let mut work = tasks.run(async move {
            gone.notified().await;
            noted.store(true, Ordering::SeqCst);
        });
        let begun = poll_fn(|context| Poll::Ready(Pin::new(&mut work).poll(context))).await;
        assert!(begun.is_pending());
        assert_eq!(tasks.alone(), 0, "its caller waits");
        drop(work);
        assert_eq!(tasks.alone(), 1);
        go.notify_one();
        tasks.drained().await;
        assert_eq!(tasks.alone(), 0);
        assert!(done.load(Ordering::SeqCst));
    }
}
