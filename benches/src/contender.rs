//! What is measured: something that opens sessions and judges codes.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::people::People;

/// A verification engine, or a part of one, with a session open for each of its people.
pub trait Contender {
    /// Its name in the table.
    const NAME: &'static str;

    /// Opens a session for each of `people`, in the order of [`People::order`].
    fn open(people: &People) -> Self;

    /// Judges this person's right code, and says whether it was approved.
    fn right(&mut self, people: &People, person: usize) -> bool;

    /// Judges a wrong code of this person, and says whether it was refused as wrong.
    fn wrong(&mut self, people: &People, person: usize) -> bool;

    /// Opens a session for somebody new, the `n`-th of them, and says whether it did.
    fn send(&mut self, people: &People, n: usize) -> bool;
}

/// What a future gives that never waits, polled once: no runtime is measured.
///
/// # Panics
/// If it waits.
#[expect(clippy::panic, reason = "a bench that waits measures something else")]
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
