//! Checks over HTTP on 64 connections: `countersign serve` on memory, SQLite and Redis,
//! beside a bare axum handler of the same sizes and beside a Node hello-world.
//!
//! What counts is the processor time of a request as the system accounts it to the server:
//! it is steadier than requests a second, which the client and its neighbours share.

mod bare;
mod client;
mod served;

#[path = "../../../tests/suites/parts/mod.rs"]
#[expect(dead_code, reason = "the suites start more of it than the benches")]
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its parts there is no bench"
)]
mod parts;

use tokio::runtime::Builder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    if let [flag, port] = arguments.as_slice()
        && flag == "--bare"
    {
        runtime.block_on(bare::serve(port.parse()?))?;
        return Ok(());
    }
    runtime.block_on(async {
        println!("\nHTTP, 64 connections\n");
        println!("| server | requests/s | p50 µs | p99 µs | processor µs a request | of the bare handler's |");
        println!("|---|---|---|---|---|---|");
        let bare = bare::measure().await?;
        bare.print("bare axum handler", &bare);
        for store in ["memory:", "sqlite", "redis"] {
            served::measure(store, &bare).await?;
        }
        bare::node().await?.print("Node hello-world", &bare);
        // Once more at the end: what the machine did meanwhile shows in the difference.
        bare::measure().await?.print("bare axum handler, again", &bare);
        Ok::<_, String>(())
    })?;
    Ok(())
}
