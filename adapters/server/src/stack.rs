//! What calls that have returned leave on a thread's stack, where nothing is freed and so
//! nothing wiped: the last code that a thread had in its hands lies there until it calls as
//! deep again.

use std::hint::black_box;

/// As deep as the calls of a request or a delivery go, in bytes.
const DEPTH: usize = 64 * 1024;

/// Overwrites what lies below the caller on its thread's stack. It takes some microseconds:
/// for a thread that has nothing else to do.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what it is for")]
pub(crate) fn wipe() {
    let mut below = [0_u8; DEPTH];
    // Nobody reads it, and it must be written all the same.
    black_box(&mut below);
}
