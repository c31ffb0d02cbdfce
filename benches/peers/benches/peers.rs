//! A check and a send in memory: the floor, Countersign and its peers in one run.

use std::time::Duration;

use countersign_benches::{Act, Contender, Countersigned, Floor, People, Trial};
use countersign_peers::{Authrs, Authx, Fraiseql, Pylon, Totp};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let people = People::new(100_000);
    for (name, act) in [
        ("right", Act::Right),
        ("wrong", Act::Wrong),
        ("send", Act::Send),
    ] {
        let mut group = criterion.benchmark_group(name);
        bench::<Floor>(&mut group, &people, act);
        bench::<Countersigned>(&mut group, &people, act);
        bench::<Pylon>(&mut group, &people, act);
        bench::<Authrs>(&mut group, &people, act);
        bench::<Fraiseql>(&mut group, &people, act);
        bench::<Totp>(&mut group, &people, act);
        if act != Act::Send {
            bench::<Authx>(&mut group, &people, act);
        }
        group.finish();
    }
    criterion.final_summary();
}

fn bench<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, people: &People, act: Act) {
    let mut trial = Trial::<C>::new(people, act);
    group.bench_function(C::NAME, |bencher| {
        bencher.iter_custom(|times| trial.time(times));
    });
}
