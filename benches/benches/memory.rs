//! A check and a send in memory, beside the floor under a check.

use countersign_benches::{Countersigned, Floor, FloorAndClock, measure};

fn main() {
    measure(|group| {
        group.bench::<Floor>();
        group.bench::<FloorAndClock>();
        group.bench::<Countersigned>();
    });
}
