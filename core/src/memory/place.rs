//! Where a value lies in its shard.

use super::pool::Pool;
use crate::record::RecordKey;

/// Where a value lies: a pool and a number in it, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Place(pub(super) u32);

/// Of the word, for the number.
pub(super) const NUMBER_BITS: u32 = 22;
/// The rest of the word is for the pool: slots of up to 16 KiB, where a store must take values of
/// 1 KiB.
pub(super) const POOLS: usize = 1 << (u32::BITS - NUMBER_BITS);

impl Place {
    /// Both are within their bits: `Shard::move_to` sees to it.
    pub(super) fn new(pool: usize, number: usize) -> Self {
        let word = pool << NUMBER_BITS | number;
        Self(u32::try_from(word).unwrap_or(u32::MAX))
    }

    pub(super) const fn pool(self) -> usize {
        (self.0 >> NUMBER_BITS) as usize
    }

    pub(super) const fn number(self) -> usize {
        (self.0 & ((1 << NUMBER_BITS) - 1)) as usize
    }

    #[inline]
    pub(super) fn key(self, pools: &[Pool]) -> RecordKey {
        pools[self.pool()].key(self.number())
    }
}
