//! Contenders beside each other under criterion.

use std::time::Duration;

use criterion::Criterion;
use criterion::measurement::WallTime;

use crate::contender::Contender;
use crate::people::People;
use crate::trial::{Act, Trial};

/// What is measured of one act, contender by contender, with the same people.
#[expect(missing_debug_implementations, reason = "criterion's group has none")]
pub struct Group<'c, 'p> {
    under: criterion::BenchmarkGroup<'c, WallTime>,
    people: &'p People,
    /// What they do.
    pub act: Act,
}

impl Group<'_, '_> {
    /// Measures one.
    pub fn bench<C: Contender>(&mut self) {
        let mut trial = Trial::<C>::new(self.people, self.act);
        self.under.bench_function(C::NAME, |bencher| {
            bencher.iter_custom(|times| trial.time(times));
        });
    }
}

/// Lets `contenders` be measured at each act: `COUNTERSIGN_PEOPLE` of them, or 100,000,
/// have a live session.
pub fn measure(contenders: impl Fn(&mut Group<'_, '_>)) {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let people = People::asked_for();
    for (name, act) in [
        ("right", Act::Right),
        ("wrong", Act::Wrong),
        ("send", Act::Send),
    ] {
        let mut group = Group {
            under: criterion.benchmark_group(name),
            people: &people,
            act,
        };
        contenders(&mut group);
        group.under.finish();
    }
    criterion.final_summary();
}
