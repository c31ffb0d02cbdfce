//! How a check in memory grows: with live sessions, callers at once, attempts and tenants;
//! what a live destination takes, and how long a sweep holds anybody up.
//!
//! Prints a Markdown table, and writes the plots to `benches/plots`. `COUNTERSIGN_LONG=1`
//! goes on to ten million live sessions.

mod crowd;
mod plot;
mod size;

use std::path::Path;

use countersign_benches::{Act, Contender, Countersigned, Floor, People, Trial};

use plot::{Plot, Series};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [flag, size] = arguments.as_slice()
        && flag == "--size"
    {
        size::print_one(size.parse()?)?;
        return Ok(());
    }
    let long = std::env::var_os("COUNTERSIGN_LONG").is_some_and(|value| value == "1");
    let mut sizes = vec![1_000, 10_000, 100_000, 1_000_000];
    if long {
        sizes.push(10_000_000);
    }
    let plots = Path::new(env!("CARGO_MANIFEST_DIR")).join("plots");
    std::fs::create_dir_all(&plots)?;
    live_sessions(&sizes, &plots)?;
    size::print(&sizes)?;
    crowd::callers(&plots)?;
    crowd::attempts(&plots)?;
    crowd::tenants(&plots)?;
    Ok(())
}

fn live_sessions(sizes: &[usize], plots: &Path) -> std::io::Result<()> {
    println!("\nA wrong code in memory, by live sessions\n");
    println!("| live sessions | floor ns | check ns | of the floor |");
    println!("|---|---|---|---|");
    let (mut floor, mut check) = (Series::new("floor"), Series::new("check"));
    for size in sizes {
        let people = People::new(*size);
        let (below, ours) = side_by_side(&people);
        println!("| {size} | {below:.0} | {ours:.0} | {:.2} |", ours / below);
        floor.point(*size, below);
        check.point(*size, ours);
    }
    let plot = Plot::new("live sessions", "nanoseconds a check", vec![check, floor]);
    std::fs::write(plots.join("sessions.svg"), plot.svg())
}

/// The least of five takes of each, which take turns: what others do on the machine only
/// ever adds.
fn side_by_side(people: &People) -> (f64, f64) {
    let mut floor = Trial::<Floor>::new(people, Act::Wrong);
    let mut check = Trial::<Countersigned>::new(people, Act::Wrong);
    let times = (people.count() as u64).min(50_000);
    let mut least = (f64::MAX, f64::MAX);
    for _ in 0..5 {
        least.0 = least.0.min(take(&mut floor, times));
        least.1 = least.1.min(take(&mut check, times));
    }
    least
}

fn take<C: Contender>(trial: &mut Trial<'_, C>, times: u64) -> f64 {
    trial.time(times).as_secs_f64() * 1e9 / f64::from(u32::try_from(times).unwrap_or(u32::MAX))
}
