//! One row of the table: a server beside the floor, in turns.

use crate::client::{Figures, Shot, Target, load};
use crate::floor;
use crate::process::Started;

/// Turns of each, a second long: many short ones, so that what disturbs the machine for
/// a while disturbs both.
pub(crate) const ROUNDS: usize = 9;

/// The floor, which stays up and is loaded in every other turn.
pub(crate) struct Contest {
    floor: Started,
}

impl Contest {
    pub(crate) async fn start() -> Result<Self, String> {
        let floor = Started::this("--floor").await?;
        println!("\nHTTP, 64 connections\n");
        println!(
            "| server | requests/s | p50 µs | p99 µs | processor µs a request | of the floor's |"
        );
        println!("|---|---|---|---|---|---|");
        Ok(Self { floor })
    }

    /// Loads `target` and the floor in turns, and prints the row of `target`; gives how
    /// many requests it answered. `shot` and `beside` make what is asked in a round.
    pub(crate) fn row(
        &self,
        name: &str,
        target: &Target,
        shot: impl Fn(usize) -> Shot,
        beside: impl Fn(usize) -> Shot,
    ) -> Result<f64, String> {
        let (mut ours, mut ratios) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let floor = load(&self.floor.target, &keyed(beside(round)))?;
            let turn = load(target, &shot(round))?;
            ratios.push(turn.processor_micros / floor.processor_micros);
            ours.push(turn);
        }
        let requests = ours.iter().map(|figures| figures.requests).sum();
        ours.sort_by(|a, b| a.processor_micros.total_cmp(&b.processor_micros));
        ratios.sort_by(f64::total_cmp);
        print(name, middle(&ours)?, middle(&ratios)?);
        Ok(requests)
    }
}

/// The floor has a key of its own.
fn keyed(shot: Shot) -> Shot {
    let key = floor::KEY.to_owned();
    Shot { key, ..shot }
}

fn middle<T: Copy>(sorted: &[T]) -> Result<T, String> {
    let middle = sorted.get(sorted.len() / 2).copied();
    middle.ok_or_else(|| "nothing was measured".to_owned())
}

fn print(name: &str, ours: Figures, ratio: f64) {
    println!(
        "| {name} | {:.0} | {:.0} | {:.0} | {:.1} | {ratio:.2} |",
        ours.per_second, ours.p50_micros, ours.p99_micros, ours.processor_micros,
    );
}
