//! What a live destination takes, and how long one step of a sweep holds a lock.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Channel, Clock, Destination, FakeClock, KeyRing, MemoryStore, SendRequest, SessionStore,
    Stopwatch, Tenant, Timestamp, Verifier,
};
use countersign_benches::{Countersigned, Hasher, ready};

/// A store removes so many values before it lets others have the lock.
const STEP: usize = 64;
/// So many digests take about as long as a step, and hold no lock: what they take at most is
/// the machine's doing, not the store's.
const DIGESTS: u64 = 96;

/// Each size in a process of its own: memory that was used before hides what is needed.
pub(crate) fn print(sizes: &[usize]) -> std::io::Result<()> {
    println!("\nMemory, and sweeps\n");
    println!(
        "| live destinations | bytes each | a sweep's step: median, 99.99 of 100, longest µs \
         | as much arithmetic after each: the same |"
    );
    println!("|---|---|---|---|");
    for size in sizes.iter().filter(|size| **size >= 100_000) {
        let mut one = Command::new(std::env::current_exe()?);
        one.args(["--size", &size.to_string()]).status()?;
    }
    Ok(())
}

pub(crate) fn print_one(size: usize) -> Result<(), String> {
    // What the program itself needs is there once it has run.
    fill(&Arc::new(MemoryStore::new()), 100)?;
    let before = resident()?;
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
    let store = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>));
    fill(&store, size)?;
    let each = (resident()? - before) / size;
    clock.advance_millis(24 * 3600 * 1000);
    let (steps, beside) = sweep(&store);
    println!(
        "| {size} | {each} | {} | {} |",
        spread(steps),
        spread(beside)
    );
    Ok(())
}

fn spread(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let micros = |at: usize| took.get(at).map_or(0.0, |one| one.as_secs_f64() * 1e6);
    let last = took.len().saturating_sub(1);
    let (median, most) = (micros(last / 2), micros(last - last / 10_000));
    format!("{median:.0}, {most:.0}, {:.0}", micros(last))
}

/// Nothing else is kept, and nothing large was used before: what is resident is the store's.
fn fill(store: &Arc<MemoryStore>, size: usize) -> Result<(), String> {
    let keys = KeyRing::generate().map_err(|error| error.to_string())?;
    let verifier = Countersigned::on(keys, Arc::clone(store) as Arc<dyn SessionStore>);
    let tenant = Tenant::new("bench").map_err(|error| error.to_string())?;
    for person in 0..size {
        send(
            &verifier,
            &tenant,
            &format!("+49{}", 1_000_000_000 + person),
        )?;
    }
    Ok(())
}

fn send(verifier: &Verifier, tenant: &Tenant, number: &str) -> Result<(), String> {
    let to = Destination::parse(Channel::Sms, number).map_err(|error| error.to_string())?;
    let sent = ready(verifier.send(&SendRequest::new(tenant, Channel::Sms, &to)));
    sent.map(drop).map_err(|error| error.to_string())
}

/// Removes everything, and gives how long each step took, and the arithmetic after it.
fn sweep(store: &MemoryStore) -> (Vec<Duration>, Vec<Duration>) {
    let hasher = Hasher::new();
    let (mut steps, mut beside) = (Vec::new(), Vec::new());
    while !store.is_empty() {
        let clock = Stopwatch::start();
        let _ = ready(store.sweep(STEP));
        steps.push(clock.elapsed());
        let clock = Stopwatch::start();
        for session in 0..DIGESTS {
            black_box(hasher.digest(session, "123456"));
        }
        beside.push(clock.elapsed());
    }
    (steps, beside)
}

/// Bytes of memory that this process has now.
fn resident() -> Result<usize, String> {
    let statm = std::fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages
        .map(|pages| pages * 4096)
        .ok_or_else(|| "no count of pages".to_owned())
}
