//! A check and a send in memory: the floor, Countersign and its peers in one run.

use countersign_benches::{Act, Countersigned, Floor, FloorAndClock, measure};
use countersign_peers::{Authrs, Authx, Fraiseql, Pylon, Rustauth, Totp};

/// `rustauth` looks at everybody for each check: with 100,000 people each takes 0.1 s, and
/// and criterion wants thousands.
const FEW: usize = 2_000;

fn main() {
    let named = std::env::var("COUNTERSIGN_PEOPLE").ok();
    let few = named
        .and_then(|n| n.parse::<usize>().ok())
        .is_some_and(|n| n <= FEW);
    if !few {
        println!("rustauth is left out: COUNTERSIGN_PEOPLE={FEW} measures it too");
    }
    measure(|group| {
        group.bench::<Floor>();
        group.bench::<FloorAndClock>();
        group.bench::<Countersigned>();
        group.bench::<Pylon>();
        group.bench::<Authrs>();
        group.bench::<Fraiseql>();
        group.bench::<Totp>();
        if few {
            group.bench::<Rustauth>();
        }
        if group.act != Act::Send {
            group.bench::<Authx>();
        }
    });
}
