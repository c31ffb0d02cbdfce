//! Memory for pools and indexes, in large pages where the system has them.
//!
//! Records are read in no order, so nearly each lies in a page that was not looked at for a
//! while. A processor remembers where some two thousand pages are: of four kilobytes each that
//! is the memory of fifty thousand destinations. Where others are it must look up, in memory
//! again, and in a virtual machine twice; of two megabytes each, they are the memory of twenty
//! million.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use memmap2::{MmapMut, MmapOptions};

/// So many bytes are asked of the system at once. Only those that are written to are taken from
/// it, a page at a time.
const REGION: usize = 32 << 20;
/// Bytes of a large page, which begins at a multiple of them.
const PAGE: usize = 2 << 20;

/// All memory of pools and indexes. It stays the process's own: what one needs no more is for
/// the next one whose chunks are as long, of whichever store.
static ARENA: Mutex<Arena> = Mutex::new(Arena::new());

/// A piece of the arena, which gets it back when this is dropped.
#[derive(Debug)]
pub(super) struct Chunk(&'static mut [u8]);

/// What nobody has.
struct Arena {
    /// Never used yet.
    fresh: &'static mut [u8],
    /// Given back, by their length.
    used: BTreeMap<usize, Vec<&'static mut [u8]>>,
}

impl Chunk {
    /// So many bytes, of any content.
    pub(super) fn new(bytes: usize) -> Self {
        Self(arena().take(bytes))
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        arena().give(std::mem::take(&mut self.0));
    }
}

impl Deref for Chunk {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl DerefMut for Chunk {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.0
    }
}

impl Arena {
    const fn new() -> Self {
        Self {
            fresh: &mut [],
            used: BTreeMap::new(),
        }
    }

    fn take(&mut self, bytes: usize) -> &'static mut [u8] {
        if let Some(chunk) = self.used.get_mut(&bytes).and_then(Vec::pop) {
            return chunk;
        }
        if self.fresh.len() < bytes {
            // What is left is shorter than a chunk, and is left alone.
            self.fresh = region(bytes);
        }
        let (chunk, rest) = std::mem::take(&mut self.fresh).split_at_mut(bytes);
        self.fresh = rest;
        chunk
    }

    fn give(&mut self, chunk: &'static mut [u8]) {
        self.used.entry(chunk.len()).or_default().push(chunk);
    }
}

fn arena() -> MutexGuard<'static, Arena> {
    // It is changed by whole chunks; a panic elsewhere lost one at most.
    ARENA.lock().unwrap_or_else(PoisonError::into_inner)
}

/// At least so many bytes. Where the system maps none, they come from the heap.
fn region(bytes: usize) -> &'static mut [u8] {
    let most = REGION.max(bytes);
    match MmapOptions::new().len(most + PAGE).map_anon() {
        Ok(map) => {
            let map = Box::leak(Box::new(map));
            prefer_large_pages(map);
            let before = map.as_ptr().align_offset(PAGE);
            // An offset that cannot be told is said to be the largest number.
            map.split_at_mut(before.min(PAGE)).1
        }
        Err(_) => vec![0; bytes].leak(),
    }
}

/// Small ones do as well, where it has no large ones or must not give them.
#[cfg(target_os = "linux")]
fn prefer_large_pages(map: &MmapMut) {
    let _ = map.advise(memmap2::Advice::HugePage);
}

#[cfg(not(target_os = "linux"))]
fn prefer_large_pages(_: &MmapMut) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_taken_again_by_who_needs_as_much() {
        let mut arena = Arena::new();
        let (one, other) = (arena.take(4096), arena.take(6144));
        (one[0], other[0]) = (1, 2);
        arena.give(one);
        arena.give(other);
        let fresh = arena.fresh.len();
        assert_eq!(arena.take(6144)[0], 2);
        assert_eq!(arena.take(4096)[0], 1);
        assert_eq!(arena.fresh.len(), fresh);
        assert_eq!(arena.take(4096)[0], 0);
        assert_eq!(arena.fresh.len(), fresh - 4096);
    }

    #[test]
    fn what_is_dropped_is_given_back() {
        // No pool and no index takes so many: theirs are multiples of 2 KiB.
        let bytes = 4096 + 64;
        Chunk::new(bytes)[0] = 1;
        assert_eq!(Chunk::new(bytes)[0], 1);
    }

    #[test]
    fn a_region_begins_with_a_large_page_and_has_what_is_needed() {
        for bytes in [1, REGION, 3 * REGION] {
            let region = region(bytes);
            assert_eq!(region.as_ptr().align_offset(PAGE), 0);
            assert!(region.len() >= bytes.max(REGION), "{}", region.len());
            assert!(region.len() > PAGE, "{}", region.len());
        }
    }

    #[test]
    fn a_region_that_is_used_up_is_followed_by_another() {
        let mut arena = Arena::new();
        let chunks: Vec<_> = (0..4).map(|_| arena.take(REGION / 2 + 1)).collect();
        for (n, chunk) in (1..).zip(chunks) {
            assert_eq!((chunk.len(), chunk[0]), (REGION / 2 + 1, 0));
            chunk[0] = n;
        }
    }
}
