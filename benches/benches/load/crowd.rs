//! Many callers at once, and what they saw.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::Stopwatch;

/// How often, and how fast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Does `act` with the numbers from `from` to `from + times`, by so many callers, each of
/// which waits for its answer before it goes on.
///
/// # Errors
/// What `act` failed with first.
pub(crate) async fn crowd<F, R>(
    callers: usize,
    from: usize,
    times: usize,
    act: F,
) -> Result<Figures, String>
where
    F: Fn(usize) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), String>> + Send,
{
    let (act, next) = (Arc::new(act), Arc::new(AtomicUsize::new(from)));
    let clock = Stopwatch::start();
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (act, next) = (Arc::clone(&act), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= from + times {
                    return Ok::<_, String>(took);
                }
                let clock = Stopwatch::start();
                act(n).await?;
                took.push(clock.elapsed());
            }
        }));
    }
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.map_err(|error| error.to_string())??);
    }
    let whole = clock.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |hundredth: usize| {
        took.get(took.len() * hundredth / 100)
            .copied()
            .unwrap_or_default()
    };
    Ok(Figures {
        per_second: f64::from(u32::try_from(took.len()).unwrap_or(u32::MAX)) / whole,
        p50: at(50),
        p99: at(99),
    })
}

/// A duration in microseconds, for a table.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
