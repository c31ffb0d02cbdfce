//! What all shared stores have in common: many servers, and a network that fails.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "shared/activating.rs"]
mod activating;
#[path = "shared/behind.rs"]
mod behind;
#[path = "shared/caller.rs"]
mod caller;
#[path = "shared/crossing.rs"]
mod crossing;
#[path = "shared/crowds.rs"]
mod crowds;
#[path = "shared/ends.rs"]
mod ends;
#[path = "shared/failing_disk.rs"]
mod failing_disk;
#[path = "shared/faults.rs"]
mod faults;
#[path = "shared/fleet.rs"]
mod fleet;
#[path = "shared/four_servers.rs"]
mod four_servers;
#[path = "shared/full_memory.rs"]
mod full_memory;
#[path = "shared/generated.rs"]
mod generated;
#[path = "shared/growth/mod.rs"]
mod growth;
#[path = "shared/guessing.rs"]
mod guessing;
#[path = "shared/held.rs"]
mod held;
#[path = "shared/hung_up.rs"]
mod hung_up;
#[path = "shared/killed.rs"]
mod killed;
#[path = "shared/lost_writes.rs"]
mod lost_writes;
#[path = "shared/made_up.rs"]
mod made_up;
#[path = "shared/moved.rs"]
mod moved;
#[path = "shared/net.rs"]
mod net;
#[path = "shared/network.rs"]
mod network;
#[path = "shared/no_randomness.rs"]
mod no_randomness;
#[path = "shared/outages.rs"]
mod outages;
#[path = "shared/paid.rs"]
mod paid;
#[path = "parts/mod.rs"]
#[expect(dead_code, reason = "each suite starts some of the counterparts")]
mod parts;
#[path = "shared/proxied.rs"]
mod proxied;
#[path = "shared/resending.rs"]
mod resending;
#[path = "shared/retries.rs"]
mod retries;
#[path = "shared/rotating.rs"]
mod rotating;
#[path = "shared/rows.rs"]
mod rows;
#[path = "shared/seeds.rs"]
mod seeds;
#[path = "shared/setup.rs"]
mod setup;
#[path = "shared/site.rs"]
mod site;
#[path = "shared/soak.rs"]
mod soak;
#[path = "shared/spraying.rs"]
mod spraying;
#[path = "shared/starts.rs"]
mod starts;
#[path = "shared/stolen.rs"]
mod stolen;
#[path = "shared/store.rs"]
mod store;
#[path = "shared/strangers.rs"]
mod strangers;
#[path = "shared/times.rs"]
mod times;
#[path = "shared/tracer.rs"]
mod tracer;
#[path = "shared/users.rs"]
mod users;
