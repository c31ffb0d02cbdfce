//! All that a process has in its memory and may write to, as a core dump would have it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Reads the writable memory of a process, one region after the other.
pub(crate) fn of(process: u32) -> Vec<u8> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"));
    let memory = File::open(format!("/proc/{process}/mem")).expect("our own child");
    let mut all = Vec::new();
    for line in maps.expect("it lives").lines() {
        let mut fields = line.split(' ');
        let (range, rights) = (fields.next(), fields.next());
        let Some((begin, end)) = range.and_then(|range| range.split_once('-')) else {
            continue;
        };
        if rights.is_some_and(|rights| rights.starts_with("rw")) {
            let (begin, end) = (address(begin), address(end));
            let mut region = vec![0; usize::try_from(end - begin).expect("it fits")];
            // The kernel's own pages cannot be read.
            if memory.read_exact_at(&mut region, begin).is_ok() {
                all.extend(region);
            }
        }
    }
    all
}

fn address(text: &str) -> u64 {
    u64::from_str_radix(text, 16).expect("an address")
}
