//! Checks and sends over HTTP on 64 connections: `countersign serve` on memory, SQLite and
//! Redis, beside a handler behind the same layers, beside one with nothing around it, a
//! Node hello-world, and better-auth.
//!
//! What counts is the processor time of a request as the system accounts it to the server:
//! it is steadier than requests a second, which the client and its neighbours share.

mod better_auth;
mod client;
mod contest;
mod floor;
mod process;
mod served;

// The server's own files, so that the floor has the very same around it.
#[path = "../../../adapters/server/src/bounds.rs"]
#[expect(unused_imports, dead_code, reason = "its tests are run where it lives")]
mod bounds;
#[path = "../../../adapters/server/src/http_server.rs"]
#[expect(unused_imports, dead_code, reason = "its tests are run where it lives")]
mod http_server;

#[path = "../../../tests/suites/parts/mod.rs"]
#[expect(dead_code, reason = "the suites start more of it than the benches")]
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its parts there is no bench"
)]
mod parts;

use tokio::runtime::Builder;

use crate::client::Shot;
use crate::contest::Contest;
use crate::process::Started;

const ROWS: [&str; 6] = ["bare", "memory", "SQLite", "Redis", "better-auth", "node"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench`.
    let arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let arguments: Vec<_> = arguments.collect();
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--floor", port] => runtime.block_on(floor::serve(port.parse()?)),
        ["--bare", port] => runtime.block_on(floor::bare(port.parse()?)),
        [] => Ok(runtime.block_on(table(&ROWS))?),
        ref named => Ok(runtime.block_on(table(named))?),
    }
}

async fn table(rows: &[&str]) -> Result<(), String> {
    let contest = Contest::start().await?;
    for row in rows {
        match *row {
            "bare" => {
                let server = Started::this("--bare").await?;
                plain(&contest, "bare axum handler", &server)?;
            }
            "node" => {
                let server = Started::node().await?;
                plain(&contest, "Node hello-world", &server)?;
            }
            "better-auth" => better_auth::measure(&contest).await?,
            store => served::measure(&contest, store).await?,
        }
    }
    // Beside itself: how far from 1 it is, so far the machine is from quiet.
    let floor = Started::this("--floor").await?;
    plain(&contest, "the floor", &floor)
}

fn plain(contest: &Contest, name: &str, server: &Started) -> Result<(), String> {
    let ids = vec![format!("sess_{}", "A".repeat(23))];
    let shot = |_| Shot::check(ids.clone(), floor::KEY);
    contest.row(name, &server.target, shot, shot).map(|_| ())
}
