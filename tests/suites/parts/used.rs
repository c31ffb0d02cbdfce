//! Codes that were used under load and said to be, in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// A list that several people add to, and that can be waited for.
#[derive(Debug)]
pub(crate) struct Used<T> {
    codes: Arc<Mutex<Vec<T>>>,
    /// Told of each.
    grows: Arc<Notify>,
}

impl<T: Clone> Used<T> {
    /// Two lists with one bell.
    pub(crate) fn pair() -> [Self; 2] {
        let grows = Arc::new(Notify::new());
        [(); 2].map(|()| Self {
            codes: Arc::default(),
            grows: Arc::clone(&grows),
        })
    }

    fn list(&self) -> MutexGuard<'_, Vec<T>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, code: T) {
        self.list().push(code);
        self.grows.notify_one();
    }

    pub(crate) fn so_far(&self) -> usize {
        self.list().len()
    }

    /// The first so many.
    pub(crate) fn first(&self, many: usize) -> Vec<T> {
        self.list()[..many].to_vec()
    }

    /// Waits until this list or the one beside it grows.
    pub(crate) async fn grows(&self) {
        let grown = tokio::time::timeout(Duration::from_secs(60), self.grows.notified());
        grown.await.expect("the load stands still");
    }
}

impl<T> Clone for Used<T> {
    fn clone(&self) -> Self {
        Self {
            codes: Arc::clone(&self.codes),
            grows: Arc::clone(&self.grows),
        }
    }
}
