//! Instructions of one act, counted by valgrind: the same in every run, however noisy the
//! machine. Fails when one has grown by more than 3 % over the committed count.
//!
//! Each act is run 1,000 and 2,000 times in processes of their own, and the difference
//! counts, so that opening the sessions does not. Valgrind has none of the processor's
//! instructions for SHA-256, so an act's hashing, which the floor has as well, is
//! subtracted before anything is compared.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;

use countersign_benches::{
    Act, Contender, Countersigned, Floor, Hasher, People, Trial, instructions,
};

const ACTS: [&str; 6] = [
    "hash",
    "floor right",
    "floor wrong",
    "check right",
    "check wrong",
    "send",
];
/// Grown by more than so many hundredths, an act fails the run.
const MOST_GROWTH: u64 = 3;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [flag, act, times] = arguments.as_slice()
        && flag == "--act"
    {
        run(act, times.parse().unwrap_or(0));
        return ExitCode::SUCCESS;
    }
    match compare(arguments.iter().any(|flag| flag == "--write")) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("instructions: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// What valgrind watches.
fn run(act: &str, times: u64) {
    let people = People::new(2500);
    match act {
        "hash" => {
            let hasher = Hasher::new();
            for n in 0..times {
                black_box(hasher.digest(n, "123456"));
            }
        }
        "floor right" => time::<Floor>(&people, Act::Right, times),
        "floor wrong" => time::<Floor>(&people, Act::Wrong, times),
        "check right" => time::<Countersigned>(&people, Act::Right, times),
        "check wrong" => time::<Countersigned>(&people, Act::Wrong, times),
        _ => time::<Countersigned>(&people, Act::Send, times),
    }
}

fn time<C: Contender>(people: &People, act: Act, times: u64) {
    black_box(Trial::<C>::new(people, act).time(times));
}

/// Prints a table, and says whether nothing has grown.
fn compare(write: bool) -> Result<bool, String> {
    let counts: Vec<_> = ACTS
        .into_iter()
        .map(instructions)
        .collect::<Result<_, _>>()?;
    let hash = counts[0];
    let without = |n: usize| counts[n].saturating_sub(hash);
    println!("| act | instructions | without hashing | of the floor's |");
    println!("|---|---|---|---|");
    for (n, act) in ACTS.into_iter().enumerate().skip(1) {
        let floor = if act.ends_with("wrong") { 2 } else { 1 };
        let ratio = ratio(without(n), without(floor));
        println!("| {act} | {} | {} | {ratio} |", counts[n], without(n));
    }
    let lines = ACTS.into_iter().enumerate().skip(1);
    if write {
        let lines: Vec<_> = lines
            .map(|(n, act)| format!("{act} {}\n", without(n)))
            .collect();
        let lines = lines.concat();
        std::fs::write(baseline(), lines).map_err(|error| error.to_string())?;
        return Ok(true);
    }
    let kept = std::fs::read_to_string(baseline()).map_err(|error| error.to_string())?;
    let mut well = true;
    for (n, act) in lines {
        let before: u64 = kept
            .lines()
            .find_map(|line| line.strip_prefix(act)?.trim().parse().ok())
            .ok_or_else(|| format!("{} has no count of {act:?}", baseline().display()))?;
        let now = without(n);
        if now * 100 > before * (100 + MOST_GROWTH) {
            well = false;
            println!("FAILED  {act}: {now} instructions without hashing, {before} before");
        }
    }
    if !well {
        println!(
            "If it must be so: cargo bench -p countersign-benches --bench instructions -- --write"
        );
    }
    Ok(well)
}

fn ratio(of: u64, by: u64) -> String {
    let hundredths = of * 100 / by.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn baseline() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.txt")
}
