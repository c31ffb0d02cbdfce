//! draft
#![expect(clippy::expect_used, reason = "a suite fails by panicking")]

#[path = "protocol/caller.rs"]
mod caller;
#[path = "protocol/checker.rs"]
mod checker;
#[path = "protocol/guards.rs"]
mod guards;
#[path = "protocol/laws.rs"]
mod laws;
#[path = "protocol/material.rs"]
mod material;
#[path = "protocol/protocol.rs"]
mod protocol;
#[path = "protocol/scenario.rs"]
mod scenario;
#[path = "protocol/server.rs"]
mod server;
#[path = "protocol/state.rs"]
mod state;
#[path = "protocol/store.rs"]
mod store;
#[path = "protocol/values.rs"]
mod values;
#[path = "protocol/words.rs"]
mod words;

use checker::search;
use guards::{Guard, Guards};
use protocol::Protocol;
use scenario::Scenario;
#[test]
fn draft() {
    let long = std::env::var_os("COUNTERSIGN_LONG").is_some();
    let name = std::env::var("NAME").unwrap();
    for mut one in Scenario::all(long) {
    if one.name != name { continue; }
    if let Ok(g) = std::env::var("GUARD") {
        let g = Guard::KEPT.iter().chain(&Guard::MISSING).find(|x| format!("{x:?}") == g).unwrap();
        one.guards = one.guards.without(*g);
    }
    let p = Protocol::new(one);
    let r = search(&p, |d, n| if std::env::var("P").is_ok() { eprintln!("{d} {n}") });
    println!("{name}: {} states {} moves depth {} {} ms", r.states, r.moves, r.depth, r.millis);
    if let Some(b) = r.broken { println!("{:?}", b.law); for (n, l) in b.trace.iter().enumerate() { println!("{:3} {l}", n+1); } }
    }
}
#[test]
fn all() {
    for one in Scenario::all(false) {
        for g in [None].into_iter().chain(Guard::KEPT.into_iter().chain(Guard::MISSING).map(Some)) {
            let mut one = one.clone();
            if let Some(g) = g { one.guards = one.guards.without(g); }
            let name = one.name;
            let p = Protocol::new(one);
            let r = search(&p, |_, _| ());
            if g.is_none() || r.broken.is_some() {
            println!("{name} {g:?}: {} states depth {} {} ms {:?}", r.states, r.depth, r.millis, r.broken.map(|b| b.law)); }
        }
    }
}
