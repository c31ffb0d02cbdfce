//! Futures that never wait, for tests: the memory store and the recorder answer at once.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What a future gives that is ready when it is first asked.
#[track_caller]
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
