//! A check and a send in memory, beside the floor under a check.

use std::time::Duration;

use countersign_benches::{Act, Contender, Countersigned, Floor, People, Trial};
use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let people = People::new(people());
    for (name, act) in [
        ("right", Act::Right),
        ("wrong", Act::Wrong),
        ("send", Act::Send),
    ] {
        let mut group = criterion.benchmark_group(name);
        bench::<Floor>(&mut group, &people, act);
        bench::<Countersigned>(&mut group, &people, act);
        group.finish();
    }
    criterion.final_summary();
}

/// `COUNTERSIGN_PEOPLE`, or 100,000.
fn people() -> usize {
    let named = std::env::var("COUNTERSIGN_PEOPLE").ok();
    named.and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

fn bench<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, people: &People, act: Act) {
    let mut trial = Trial::<C>::new(people, act);
    group.bench_function(C::NAME, |bencher| {
        bencher.iter_custom(|times| trial.time(times));
    });
}
