//! How often and how long a lost swap is tried again, without a runtime.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::clock::Stopwatch;
use crate::record::RecordKey;

/// Of four processes that always meet, one loses 64 times running once in 10^8.
const TRIES: u32 = 64;
const DEADLINE_MILLIS: u64 = 5_000;

/// The tries of one step so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    since: Stopwatch,
    tries: u32,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            since: Stopwatch::start(),
            tries: 0,
        }
    }

    /// Counts a lost swap, and says whether there is another try.
    pub(super) fn lost(&mut self) -> bool {
        self.tries += 1;
        self.tries < TRIES && self.since.elapsed_millis() < DEADLINE_MILLIS
    }

    /// Steps back for a moment, so that those who lost together do not meet again.
    pub(super) fn jitter(&self, key: RecordKey) -> Yields {
        let clock = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let seed = u64::from_be_bytes(key.to_bytes()) ^ clock ^ (u64::from(self.tries) << 48);
        let most = 1 << self.tries.min(6);
        Yields(mixed(seed) % (most + 1))
    }
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood, 2014): spreads a poor seed.
/// Nothing secret hangs on it.
const fn mixed(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

/// Yields to the executor so many times.
#[derive(Debug)]
pub(super) struct Yields(u64);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
