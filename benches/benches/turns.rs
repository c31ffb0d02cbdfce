//! A check in memory and the floor under it in turns: on a machine with neighbours, what is
//! measured a second later is measured on another machine.
//!
//! And the same again with large pages for all memory of the process: a check's records have
//! them in any case, what the floor keeps has not.

use std::env::{current_exe, var_os};
use std::hint::black_box;
use std::io;
use std::process::Command;

use countersign_benches::{Act, Contender, Countersigned, Floor, FloorAndClock, People, Trial};

/// Each turn measures every contender with fresh sessions.
const TURNS: usize = 25;

/// Where the GNU C library is told that it may ask for pages of two megabytes, which it does
/// when the program starts.
const LARGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

fn main() -> io::Result<()> {
    let (variable, value) = LARGE_PAGES;
    if var_os(variable).is_some() {
        print("large pages");
        return Ok(());
    }
    print("small pages");
    println!();
    let again = Command::new(current_exe()?).env(variable, value).status()?;
    if again.success() {
        Ok(())
    } else {
        Err(io::Error::other("the turns with large pages failed"))
    }
}

fn print(pages: &str) {
    let people = People::asked_for();
    let count = people.count();
    println!(
        "| {count} live sessions, {pages} | ns | of the floor | of the floor and a clock read |"
    );
    println!("|---|---|---|---|");
    for (name, act) in [("right", Act::Right), ("wrong", Act::Wrong)] {
        let turns: Vec<_> = (0..TURNS).map(|_| turn(&people, act)).collect();
        let quartiles = |of: &dyn Fn(&Turn) -> f64| Quartiles::of(turns.iter().map(of));
        let took = quartiles(&|turn| turn.check);
        let of_floor = quartiles(&|turn| turn.check / turn.floor);
        let of_both = quartiles(&|turn| turn.check / turn.floor_and_clock);
        println!("| {name} | {took:.0} | {of_floor:.2} | {of_both:.2} |");
    }
}

/// Nanoseconds of one check each, one after the other.
struct Turn {
    floor: f64,
    floor_and_clock: f64,
    check: f64,
}

fn turn(people: &People, act: Act) -> Turn {
    Turn {
        floor: nanos::<Floor>(people, act),
        floor_and_clock: nanos::<FloorAndClock>(people, act),
        check: nanos::<Countersigned>(people, act),
    }
}

/// Of all people once.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn nanos<C: Contender>(people: &People, act: Act) -> f64 {
    let times = people.count() as u64;
    let took = black_box(Trial::<C>::new(people, act).time(times));
    took.as_nanos() as f64 / times as f64
}

/// Shown as the median, and the first and third quartile.
struct Quartiles([f64; 3]);

impl Quartiles {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<_> = figures.collect();
        figures.sort_by(f64::total_cmp);
        Self([2, 1, 3].map(|quarter| figures[figures.len() * quarter / 4]))
    }
}

impl std::fmt::Display for Quartiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Self([median, first, third]) = self;
        write!(
            f,
            "{median:.digits$} ({first:.digits$} to {third:.digits$})"
        )
    }
}
