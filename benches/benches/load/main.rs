//! Checks under load on the durable stores, each beside what its engine can do at all.
//!
//! `cargo bench -p countersign-benches --bench load -- sqlite` (or `redis`, `postgres`, or
//! nothing for all three) prints Markdown. Real servers are started for it and stopped.

mod crowd;
mod postgres;
mod redis;
mod sessions;
mod sqlite;

#[path = "../../../tests/suites/parts/mod.rs"]
#[expect(dead_code, reason = "the suites start more of it than the benches")]
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its parts there is no bench"
)]
mod parts;

use tokio::runtime::Builder;

/// `COUNTERSIGN_RECORDS`, or 100,000: how many destinations have a live session.
pub(crate) fn records() -> usize {
    let named = std::env::var("COUNTERSIGN_RECORDS").ok();
    named.and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if wanted("sqlite") {
            sqlite::measure().await?;
        }
        if wanted("redis") {
            redis::measure().await?;
        }
        if wanted("postgres") {
            postgres::measure().await?;
        }
        Ok(())
    })
}
