//! What the targets share: keys, clock and randomness that are the same in every run, so
//! that an input does today what it did when it was found.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use countersign::{
    Builder, Channel, Clock, FakeClock, KeyRing, MemoryStore, RandomUnavailable, Randomness,
    Recorder, Secret, SessionStore, Timestamp, Verifier,
};

/// When every input begins, in seconds since the epoch.
pub const START: u64 = 1_800_000_000;

/// A verifier over a memory store, with the clock and the post that it uses.
#[derive(Debug)]
pub struct Desk {
    pub clock: Arc<FakeClock>,
    pub post: Arc<Recorder>,
    pub verifier: Verifier,
}

impl Desk {
    #[must_use]
    pub fn new() -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(START)));
        let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        Self::over(Arc::new(store), clock, |builder| builder)
    }

    /// Over another store, which goes by `clock` too.
    #[must_use]
    pub fn over(
        store: Arc<dyn SessionStore>,
        clock: Arc<FakeClock>,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let post = Arc::new(Recorder::new());
        let mut builder = Verifier::builder(keys(), store).randomness(Arc::new(Counted::default()));
        for channel in Channel::ALL {
            builder = builder.deliverer(channel, Arc::clone(&post) as _);
        }
        let verifier = change(builder).build().expect("a valid verifier");
        Self {
            clock,
            post,
            verifier,
        }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

fn keys() -> KeyRing {
    let secret = |first: u8| Secret::new((first..first + 32).collect()).expect("32 bytes");
    KeyRing::new(&secret(0), &[secret(100), secret(33)]).expect("two keys")
}

/// No randomness at all: a count, spread over all bits.
#[derive(Default)]
pub struct Counted(AtomicU64);

impl Randomness for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            // The finish of SplitMix64.
            let mut word = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            for (byte, drawn) in chunk.iter_mut().zip(word.to_le_bytes()) {
                *byte = drawn;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

/// What a future comes to that never waits, as none over a memory store does.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here makes anybody wait"),
    }
}
