//! One row of the table: a server beside the floor, in turns.

use crate::client::{Figures, Shot, Target, load};
use crate::floor;
use crate::process::Started;

/// Turns of each. The median of three outlives one that a neighbour disturbed.
const ROUNDS: usize = 3;

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
        let (mut floors, mut ours) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            floors.push(load(&self.floor.target, &keyed(beside(round)))?);
            ours.push(load(target, &shot(round))?);
        }
        let requests = ours.iter().map(|figures| figures.requests).sum();
        print(name, median(ours)?, median(floors)?);
        Ok(requests)
    }
}

/// The floor has a key of its own.
fn keyed(shot: Shot) -> Shot {
    let key = floor::KEY.to_owned();
    Shot { key, ..shot }
}

fn median(mut rounds: Vec<Figures>) -> Result<Figures, String> {
    rounds.sort_by(|a, b| a.processor_micros.total_cmp(&b.processor_micros));
    let middle = rounds.get(rounds.len() / 2).copied();
    middle.ok_or_else(|| "nothing was measured".to_owned())
}

fn print(name: &str, ours: Figures, floor: Figures) {
    println!(
        "| {name} | {:.0} | {:.0} | {:.0} | {:.1} | {:.2} |",
        ours.per_second,
        ours.p50_micros,
        ours.p99_micros,
        ours.processor_micros,
        ours.processor_micros / floor.processor_micros,
    );
}
