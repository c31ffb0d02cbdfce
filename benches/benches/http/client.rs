//! wrk as the client, and the processor time of the server meanwhile.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Seconds of load.
const SECONDS: u32 = 5;
const CONNECTIONS: u32 = 64;

/// What a server did under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    per_second: f64,
    p50_micros: f64,
    p99_micros: f64,
    processor_micros: f64,
}

impl Figures {
    pub(crate) fn print(&self, name: &str, bare: &Self) {
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} | {:.1} | {:.2} |",
            self.per_second,
            self.p50_micros,
            self.p99_micros,
            self.processor_micros,
            self.processor_micros / bare.processor_micros,
        );
    }
}

/// What wrk sends: in Lua, with the session ids (one a line) that take turns.
const SCRIPT: &str = r#"
local ids, at = {}, 0
for line in io.lines("IDS") do ids[#ids + 1] = line end
request = function()
  at = at % #ids + 1
  local body = '{"session_id":"' .. ids[at] .. '","code":"271828"}'
  return wrk.format("POST", "/v1/verify/check",
    {["content-type"] = "application/json", ["x-api-key"] = "KEY"}, body)
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("told %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"#;

/// Loads the server at `base`, whose process is `id`.
pub(crate) fn load(base: &str, id: u32, ids: &[String], key: &str) -> Result<Figures, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (list, script) = (folder.path().join("ids"), folder.path().join("check.lua"));
    write(&list, &ids.join("\n"))?;
    let lua = SCRIPT
        .replace("IDS", &list.display().to_string())
        .replace("KEY", key);
    write(&script, &lua)?;
    let before = ticks(id)?;
    let ran = Command::new("wrk")
        .args([
            "-t",
            "1",
            "-c",
            &CONNECTIONS.to_string(),
            "-d",
            &format!("{SECONDS}s"),
            "-s",
        ])
        .arg(&script)
        .arg(base)
        .output()
        .map_err(|error| format!("wrk does not start ({error}): apt-get install wrk"))?;
    let spent = ticks(id)? - before;
    let told = String::from_utf8_lossy(&ran.stdout);
    let numbers = told.lines().find_map(|line| line.strip_prefix("told "));
    let numbers: Vec<f64> = numbers
        .ok_or_else(|| format!("wrk told nothing: {told}"))?
        .split(' ')
        .filter_map(|number| number.parse().ok())
        .collect();
    let [requests, micros, p50_micros, p99_micros, errors] = numbers[..] else {
        return Err(format!("wrk told something else: {told}"));
    };
    if errors > 0.0 {
        return Err(format!("{errors} of {requests} requests failed at {base}"));
    }
    Ok(Figures {
        per_second: requests / micros * 1e6,
        p50_micros,
        p99_micros,
        // A tick is ten milliseconds (USER_HZ).
        processor_micros: f64::from(spent) * 1e4 / requests,
    })
}

/// Ticks that the system has accounted to the process, its own and the system's for it.
fn ticks(id: u32) -> Result<u32, String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).map_err(|error| error.to_string())?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = after_name.split_whitespace().skip(11).take(2);
    Ok(fields.filter_map(|field| field.parse::<u32>().ok()).sum())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| error.to_string())
}
