//! better-auth's email OTP, as its own server over its own SQLite.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::Shot;
use crate::contest::Contest;
use crate::parts::server::repository;
use crate::process::Started;

/// People with a code to guess, five times each.
const PEOPLE: usize = 1000;
const SOURCES: [&str; 3] = ["package.json", "package-lock.json", "server.mjs"];

pub(crate) async fn measure(contest: &Contest) -> Result<(), String> {
    let program = install()?.join("server.mjs");
    let data = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = data.path().join("better-auth.db").display().to_string();
    let mut command = Command::new("node");
    command.arg(program);
    let server = Started::with_port(command, &[&file, &PEOPLE.to_string()]).await?;
    let people = (0..PEOPLE).map(|n| format!("user{n}@example.com"));
    let people: Vec<_> = people.collect();
    let shot = |_| Shot {
        path: "/api/auth/sign-in/email-otp",
        body: r#"{"email":"VALUE","otp":"271828"}"#,
        values: people.clone(),
        key: "none".to_owned(),
        // A wrong code is an error there: 400.
        refused: true,
    };
    let beside = |_| Shot::check(vec![format!("sess_{}", "A".repeat(23))], "");
    let checks = contest.row("better-auth: check, SQLite", &server.target, shot, beside)?;
    // From the sixth guess on it would be "too many attempts", which is another check.
    if checks > 5.0 * f64::from(u16::try_from(PEOPLE).unwrap_or(u16::MAX)) {
        return Err("there were more guesses than codes for them".to_owned());
    }
    Ok(())
}

/// Installs what the lock file names, once, beside what cargo builds.
fn install() -> Result<PathBuf, String> {
    let folder = repository().join("target/better-auth");
    let wanted = repository().join("benches/better-auth");
    let failed = |error: std::io::Error| format!("better-auth: {error}");
    let held = fs::read(folder.join("node_modules/.lock-installed")).unwrap_or_default();
    fs::create_dir_all(&folder).map_err(failed)?;
    for name in SOURCES {
        fs::copy(wanted.join(name), folder.join(name)).map_err(failed)?;
    }
    let lock = fs::read(folder.join("package-lock.json")).map_err(failed)?;
    if lock != held {
        npm(&folder)?;
        fs::write(folder.join("node_modules/.lock-installed"), lock).map_err(failed)?;
    }
    Ok(folder)
}

fn npm(folder: &Path) -> Result<(), String> {
    let ran = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("npm does not start: {error}"))?;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    ran.status.success().then_some(()).ok_or(said)
}
