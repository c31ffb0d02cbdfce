//! The long counts, which take hours, and how far such a run has come.

/// Whether the long counts are asked for.
pub(crate) fn long() -> bool {
    std::env::var_os("COUNTERSIGN_LONG").is_some()
}

/// Says in a long run, at each twentieth of the way, how many are done. Called once for each.
pub(crate) fn progress(what: &str, done: usize, of: usize) {
    if long() && done.is_multiple_of((of / 20).max(1)) {
        println!("{what}: {done} of {of}");
    }
}
