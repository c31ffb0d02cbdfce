//! Instructions of one act, counted by valgrind: the same in every run.

use std::process::Command;

/// The instructions of what this program does once when it is called with `--act`, the act's
/// name and a number of times. It is done 1,000 and 2,000 times in processes of their own, and
/// the difference counts: whatever comes before is done alike.
///
/// # Errors
/// What valgrind said where it counted nothing, or how to install it.
pub fn instructions(act: &str) -> Result<u64, String> {
    let (once, twice) = (watched(act, 1000)?, watched(act, 2000)?);
    Ok(twice.saturating_sub(once) / 1000)
}

fn watched(act: &str, times: u64) -> Result<u64, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    // What a program is told lies on its stack. Texts of other lengths move all that is there,
    // and memory is copied in other pieces: 24 instructions of a send.
    let filler = "-".repeat(64_usize.saturating_sub(act.len()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["--act", act, &times.to_string()])
        .env("COUNTERSIGN_FILLER", filler)
        .output()
        .map_err(|error| format!("valgrind does not start ({error}): apt-get install valgrind"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    told.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .filter(|_| output.status.success())
        .ok_or_else(|| format!("valgrind counted nothing for {act:?}:\n{told}"))
}
