//! Welch's t-test on a million times each of two acts, taken in turns.

use std::hint::black_box;
use std::sync::Arc;

use countersign::{Randomness as _, Stopwatch, SystemRandom};

use crate::acts::Stage;
use crate::ledger::{From, note};
use crate::pairs::Pair;
use crate::scene::Noise;

/// Times of each act.
const SAMPLES: usize = 1_000_000;
/// People who are there at once, half of them for each act.
const PEOPLE: usize = 20_000;
/// What is slower than this share of all times is the machine's doing, not the act's.
const KEPT: f64 = 0.99;
const BOUND: f64 = 4.5;
/// Medians may differ by so many hundredths.
const MEDIANS: f64 = 2.0;

/// What decides who is whose: one drawn now, unless the environment names it.
pub(crate) fn seed() -> Result<u64, String> {
    if let Ok(named) = std::env::var("COUNTERSIGN_SEED") {
        return named
            .parse()
            .map_err(|_| "COUNTERSIGN_SEED is no number".to_owned());
    }
    let mut bytes = [0; 8];
    let drawn = SystemRandom::default().fill(&mut bytes);
    drawn.map_err(|error| error.to_string())?;
    Ok(u64::from_le_bytes(bytes))
}

/// Prints what was found, and says whether nobody could tell the acts apart.
pub(crate) fn compare(pair: &Pair, seed: u64) -> bool {
    let [mut one, mut other] = sample(pair, seed);
    let raw = t(&one, &other);
    let medians = [median(&mut one), median(&mut other)];
    let most = most_kept(&one, &other);
    one.retain(|time| *time <= most);
    other.retain(|time| *time <= most);
    let kept = t(&one, &other);
    let apart = (medians[0] - medians[1]).abs() / medians[0] * 100.0;
    let well = raw.abs() < BOUND && kept.abs() < BOUND && apart <= MEDIANS;
    let tried = format!(
        "{SAMPLES} times of {} and of {} each, seed {seed}",
        pair.one.name(),
        pair.other.name()
    );
    let showed = format!(
        "t = {raw:.2}, {kept:.2} of those up to {most} ns; medians {} and {} ns",
        medians[0], medians[1]
    );
    let verdict = if well { "passed" } else { "FAILED" };
    println!("{verdict}  {}: {tried}: {showed}", pair.row);
    if well {
        note(pair.row, "memory", From::Inside, &tried, &showed);
    }
    well
}

/// Times of both acts in nanoseconds. Who is whose is drawn, so that places in memory and
/// the order of the acts are no part of the difference.
fn sample(pair: &Pair, seed: u64) -> [Vec<f64>; 2] {
    let (mut times, noise) = ([Vec::new(), Vec::new()], Noise::of(seed));
    while let Some(done) = fewer_than_all(&times) {
        println!("{}: {done} times of {SAMPLES}", pair.row);
        let sides: Vec<_> = (0..PEOPLE).map(|_| noise.draw() % 2 == 1).collect();
        let acts: Vec<_> = sides
            .iter()
            .map(|side| if *side { pair.other } else { pair.one })
            .collect();
        // The system's, as servers have it: what it costs to ask is part of an act.
        let stage = Stage::new(&acts, Arc::new(SystemRandom::default()));
        // Once a person: what one place in memory costs again and again is one sample.
        for (n, side) in sides.iter().enumerate() {
            let clock = Stopwatch::start();
            let as_expected = black_box(stage.act(n));
            let took = clock.elapsed();
            assert!(as_expected, "{:?} came out otherwise", acts[n]);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            times[usize::from(*side)].push(took.as_nanos() as f64);
        }
    }
    times.each_mut().map(|times| {
        times.truncate(SAMPLES);
        std::mem::take(times)
    })
}

/// How many times there are of each act, as long as some are missing.
fn fewer_than_all(times: &[Vec<f64>; 2]) -> Option<usize> {
    let fewest = times[0].len().min(times[1].len());
    (fewest < SAMPLES).then_some(fewest)
}

/// Welch's t: the difference of the means in units of its own standard error.
fn t(one: &[f64], other: &[f64]) -> f64 {
    let ((mean, variance), (others_mean, others_variance)) = (moments(one), moments(other));
    let error = variance / count(one) + others_variance / count(other);
    (mean - others_mean) / error.sqrt()
}

fn moments(times: &[f64]) -> (f64, f64) {
    let mean = times.iter().sum::<f64>() / count(times);
    let squares = times.iter().map(|time| (time - mean).powi(2));
    (mean, squares.sum::<f64>() / (count(times) - 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn count(times: &[f64]) -> f64 {
    times.len() as f64
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The time below which that share of both acts' times is. Both are in order.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list"
)]
fn most_kept(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<_> = one.iter().chain(other).copied().collect();
    all.sort_by(f64::total_cmp);
    all[(all.len() as f64 * KEPT) as usize]
}
