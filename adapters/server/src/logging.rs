//! Log lines on standard error, as text or JSON.

use std::io::IsTerminal as _;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, FilterFn, LevelFilter};
use tracing_subscriber::prelude::*;

use crate::config::LogFormat;
use crate::failure::Failure;

/// The variable with the filter, in the syntax of `RUST_LOG`.
const VARIABLE: &str = "COUNTERSIGN_LOG";

/// Starts to log what `COUNTERSIGN_LOG` asks for, or `otherwise`.
pub(crate) fn start(format: LogFormat, otherwise: &str) -> Result<(), Failure> {
    let wanted = std::env::var(VARIABLE).unwrap_or_else(|_| otherwise.to_owned());
    let filter = EnvFilter::try_new(wanted)
        .map_err(|error| Failure::config(format!("{VARIABLE}: {error}")))?;
    let quiet = FilterFn::new(harmless as fn(&Metadata<'_>) -> bool);
    // One filter and a hint: of two, each nested in the other, the outer one would have
    // spans made that no line ever shows, on every call.
    let filter = filter.and(quiet.with_max_level_hint(LevelFilter::TRACE));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()
        .map_err(|error| Failure::runtime("cannot start to log", &error))
}

/// Whether a line can hold nothing of a message: ours, and what dependencies say at
/// `info` and above. Below that an HTTP or SMTP library prints what travels through it.
fn harmless(line: &Metadata<'_>) -> bool {
    let ours = line.target() == "audit" || line.target().starts_with("countersign");
    ours || *line.level() <= Level::INFO
}
