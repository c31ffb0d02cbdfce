//! A check and a send in memory: the floor, Countersign and its peers in one run.

use countersign_benches::{Act, Countersigned, Floor, measure};
use countersign_peers::{Authrs, Authx, Fraiseql, Pylon, Totp};

fn main() {
    measure(|group| {
        group.bench::<Floor>();
        group.bench::<Countersigned>();
        group.bench::<Pylon>();
        group.bench::<Authrs>();
        group.bench::<Fraiseql>();
        group.bench::<Totp>();
        if group.act != Act::Send {
            group.bench::<Authx>();
        }
    });
}
