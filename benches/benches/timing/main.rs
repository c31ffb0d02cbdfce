//! A31, A32, A33, A65: pairs of acts that nobody may tell apart by their time.
//!
//! Counted: the instructions of each act by valgrind, which are the same in every run. The
//! two acts of a pair cost the same to the instruction. With `COUNTERSIGN_LONG` in the environment each act is also timed a million
//! times, interleaved with the other, and Welch's t must stay below 4.5; `COUNTERSIGN_SEED`
//! repeats who was whose. What was found is noted in the ledger. Rows that are named (`-- a65`)
//! are compared alone.

mod acts;
mod keys;
#[path = "../../../tests/suites/parts/ledger.rs"]
#[expect(
    dead_code,
    clippy::panic,
    reason = "it is the suites', which stand outside as well"
)]
mod ledger;
mod pairs;
mod scene;
mod welch;

use std::process::ExitCode;

use countersign_benches::instructions;

use self::acts::Act;
use self::ledger::{From, note};
use self::pairs::{PAIRS, Pair};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [flag, act, times] = arguments.as_slice()
        && flag == "--act"
    {
        let act = Act::ALL.into_iter().find(|known| known.name() == act);
        if let (Some(act), Ok(times)) = (act, times.parse()) {
            act.run(times);
            return ExitCode::SUCCESS;
        }
        return ExitCode::FAILURE;
    }
    let rows: Vec<_> = arguments
        .into_iter()
        .filter(|word| word != "--bench")
        .collect();
    match compare(&rows) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("timing: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a table of these rows, or of all, and says whether both acts of every pair cost the
/// same.
fn compare(rows: &[String]) -> Result<bool, String> {
    let wanted = |pair: &Pair| rows.is_empty() || rows.iter().any(|row| row == pair.row);
    let (mut well, mut counts) = (true, Counts::default());
    println!("| row | instructions of | | and of | | apart by |");
    println!("|---|---|---|---|---|---|");
    for pair in PAIRS.into_iter().filter(wanted) {
        let Pair { row, one, other } = pair;
        let (first, second) = (counts.of(one)?, counts.of(other)?);
        let apart = first.abs_diff(second);
        println!(
            "| {row} | {} | {first} | {} | {second} | {apart} |",
            one.name(),
            other.name()
        );
        if apart > 0 {
            well = false;
            println!("FAILED  {row}: {apart} instructions apart");
            continue;
        }
        let tried = format!("instructions of {} and of {}", one.name(), other.name());
        let showed = format!("{first} and {second}, {apart} apart");
        note(row, "memory", From::Inside, &tried, &showed);
    }
    if std::env::var_os("COUNTERSIGN_LONG").is_some() {
        let seed = welch::seed()?;
        println!("seed {seed} (COUNTERSIGN_SEED)");
        for pair in PAIRS.into_iter().filter(wanted) {
            well &= welch::compare(&pair, seed);
        }
    }
    Ok(well)
}

/// The instructions of each act, counted once.
#[derive(Default)]
struct Counts(Vec<(Act, u64)>);

impl Counts {
    /// The sessions are opened alike however often it is done.
    fn of(&mut self, act: Act) -> Result<u64, String> {
        if let Some((_, known)) = self.0.iter().find(|(counted, _)| *counted == act) {
            return Ok(*known);
        }
        let count = instructions(act.name())?;
        self.0.push((act, count));
        Ok(count)
    }
}
