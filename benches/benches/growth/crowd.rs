//! Callers at once, attempts at one session, tenants beside each other.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use countersign::{CheckRequest, Stopwatch, Tenant, Verdict, Verifier};
use countersign_benches::{Countersigned, People, ready};

use super::plot::{Plot, Series};

const PEOPLE: usize = 40_000;
/// Guesses that leave a session alive.
const GUESSES: usize = 4;

struct Sessions {
    verifier: Verifier,
    all: Vec<(Tenant, String)>,
}

impl Sessions {
    fn of(tenants: usize) -> Result<Arc<Self>, String> {
        let (people, verifier) = (People::new(PEOPLE), Countersigned::verifier());
        let mut all = Vec::new();
        for person in people.order() {
            let tenant = Tenant::new(&format!("tenant-{}", person % tenants));
            let tenant = tenant.map_err(|error| error.to_string())?;
            let code = Some("314159");
            let id = Countersigned::send_to(&verifier, &tenant, people.number(person), code);
            all.push((tenant, id.ok_or("not sent")?));
        }
        Ok(Arc::new(Self { verifier, all }))
    }

    /// Nanoseconds that a wrong guess at each of these sessions takes on average.
    fn guess(&self, sessions: impl Iterator<Item = usize>) -> f64 {
        let (clock, mut wrong, mut all) = (Stopwatch::start(), 0_u32, 0_u32);
        for session in sessions {
            let (tenant, id) = &self.all[session];
            let verdict = ready(
                self.verifier
                    .check(&CheckRequest::new(tenant, id, "271828")),
            );
            wrong += u32::from(matches!(verdict, Ok(Verdict::WrongCode { .. })));
            all += 1;
        }
        let took = clock.elapsed().as_secs_f64() * 1e9 / f64::from(all.max(1));
        if wrong == all { took } else { f64::NAN }
    }
}

pub(crate) fn callers(plots: &Path) -> Result<(), String> {
    println!("\nBy threads that check at once\n\n| threads | checks/s in all |\n|---|---|");
    let mut series = Series::new("checks/s");
    for threads in [1, 2, 4, 8, 16] {
        let sessions = Sessions::of(1)?;
        let clock = Stopwatch::start();
        let run = |thread: usize| {
            let sessions = Arc::clone(&sessions);
            thread::spawn(move || sessions.guess((thread..PEOPLE).step_by(threads)))
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        for thread in running {
            thread.join().map_err(|_| "a thread panicked")?;
        }
        let per_second = 40_000.0 / clock.elapsed().as_secs_f64();
        println!("| {threads} | {per_second:.0} |");
        series.point(threads, per_second);
    }
    let plot = Plot::new("threads", "checks a second", vec![series]);
    write(plots, "callers.svg", &plot)
}

pub(crate) fn attempts(plots: &Path) -> Result<(), String> {
    println!("\nBy attempts at the same session\n\n| attempt | ns |\n|---|---|");
    let (sessions, mut series) = (Sessions::of(1)?, Series::new("check"));
    for attempt in 1..=GUESSES {
        let took = sessions.guess(0..PEOPLE);
        println!("| {attempt} | {took:.0} |");
        series.point(attempt, took);
    }
    let plot = Plot::new("attempt", "nanoseconds a check", vec![series]);
    write(plots, "attempts.svg", &plot)
}

pub(crate) fn tenants(plots: &Path) -> Result<(), String> {
    println!("\nBy tenants\n\n| tenants | ns |\n|---|---|");
    let mut series = Series::new("check");
    for tenants in [1, 10, 100, 1000, 10_000] {
        let took = Sessions::of(tenants)?.guess(0..PEOPLE);
        println!("| {tenants} | {took:.0} |");
        series.point(tenants, took);
    }
    let plot = Plot::new("tenants", "nanoseconds a check", vec![series]);
    write(plots, "tenants.svg", &plot)
}

fn write(plots: &Path, name: &str, plot: &Plot) -> Result<(), String> {
    std::fs::write(plots.join(name), plot.svg()).map_err(|error| error.to_string())
}
