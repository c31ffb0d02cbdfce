//! The server's configuration: whatever is written is a valid configuration or an error that
//! says what is wrong, and a secret is shown by neither.
//!
//! An input is a file of TOML and, after a line of `=====`, the environment, a variable a line.
#![no_main]

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

use self::server::config;

// The server is a program and no library: its configuration is compiled into this one.
#[path = "../../adapters/server/src"]
mod server {
    #[expect(
        dead_code,
        unused_imports,
        reason = "what is configured is for the server to use"
    )]
    pub(crate) mod config;
}

/// A value that only fields for secrets are given.
const SECRET: &str = "918273645";

fuzz_target!(|text: &str| {
    if waits(text) {
        return;
    }
    let (file, environment) = text.split_once("\n=====\n").unwrap_or((text, ""));
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let variables = variables.filter(|(name, _)| !name.is_empty());
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    std::fs::write(path(), file).expect("a file of one's own");
    let shown = match config::Config::read(Some(path()), variables) {
        Ok(config) => {
            config.policy.validate().expect("what is accepted is valid");
            format!("{config:?} {}", config.only_console())
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.trim().is_empty(), "an error says something");
            message
        }
    };
    assert!(!holds_secret(text) || !shown.contains(SECRET), "{shown}");
});

/// Whether a file is named that might never end, or never begin.
fn waits(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("_file")
        && ["dev", "proc", "sys", "\\"]
            .iter()
            .any(|part| lower.contains(part))
}

fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let name = format!("countersign-fuzz-{}.toml", std::process::id());
    PATH.get_or_init(|| std::env::temp_dir().join(name))
}

/// Whether the secret stands where secrets do, and nowhere else.
fn holds_secret(text: &str) -> bool {
    let several_lines = text.contains("\"\"\"") || text.contains("'''");
    let mut lines = text.lines().filter(|line| line.contains(SECRET));
    !several_lines && !text.lines().any(is_heading_of_prices) && lines.all(is_secret_field)
}

/// Below it any word may name a country, and what it is given is a price.
fn is_heading_of_prices(line: &str) -> bool {
    line.trim_start().starts_with('[') && line.contains("prices")
}

fn is_secret_field(line: &str) -> bool {
    const FIELDS: [&str; 8] = [
        "password",
        "auth_token",
        "api_secret",
        "signature_secret",
        "secret_access_key",
        "secret",
        "older_secret",
        "hs256_secret",
    ];
    let Some((name, value)) = line.split_once('=') else {
        return false;
    };
    let name = name.trim().to_ascii_lowercase();
    // A name is shown; and below prices a word is a country's, and its value a price.
    let is_shown = name.contains(SECRET) || name.contains("prices__");
    let name = name.rsplit("__").next().unwrap_or_default();
    !is_shown && FIELDS.contains(&name) && !value.contains('=') && !value.contains('#')
}
