//! An executor that polls what was woken and nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Returns to the executor once.
pub(super) async fn suspend() {
    let mut first = true;
    std::future::poll_fn(move |cx| {
        if std::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Futures that are polled only when they were woken.
pub(super) struct Tasks<'a, T> {
    tasks: Vec<Task<'a, T>>,
}

struct Task<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send + 'a>>>,
    flag: Arc<Flag>,
    output: Option<T>,
}

impl<'a, T> Tasks<'a, T> {
    pub(super) fn new<F: Future<Output = T> + Send + 'a>(
        futures: impl IntoIterator<Item = F>,
    ) -> Self {
        let task = |future| Task {
            future: Some(Box::pin(future) as Pin<Box<dyn Future<Output = T> + Send>>),
            flag: Arc::new(Flag(AtomicBool::new(true))),
            output: None,
        };
        Self {
            tasks: futures.into_iter().map(task).collect(),
        }
    }

    /// Polls one task if it was woken; says whether it was.
    pub(super) fn poll(&mut self, n: usize) -> bool {
        let task = &mut self.tasks[n];
        let Some(future) = &mut task.future else {
            return false;
        };
        if !task.flag.0.swap(false, Ordering::SeqCst) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&task.flag));
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            (task.future, task.output) = (None, Some(output));
        }
        true
    }

    pub(super) fn cancel(&mut self, n: usize) {
        self.tasks[n].future = None;
    }

    /// Polls each that was woken, in order; says whether there was one.
    pub(super) fn round(&mut self) -> bool {
        let all = 0..self.tasks.len();
        all.fold(false, |moved, n| self.poll(n) | moved)
    }

    pub(super) fn run(&mut self) {
        while self.tasks.iter().any(|task| task.future.is_some()) {
            assert!(self.round(), "somebody waits, and nobody will ever wake it");
        }
    }

    pub(super) fn outputs(&mut self) -> Vec<T> {
        self.run();
        self.tasks
            .iter_mut()
            .filter_map(|task| task.output.take())
            .collect()
    }
}

pub(super) fn alone<T>(future: impl Future<Output = T> + Send) -> T {
    Tasks::new([future]).outputs().pop().unwrap()
}
