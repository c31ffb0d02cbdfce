//! wrk as the client, and the processor time of the server meanwhile.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Seconds of load in a turn.
const SECONDS: u32 = 1;
const CONNECTIONS: u32 = 64;

/// A server that listens.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) base: String,
    pub(crate) process: u32,
}

/// What is asked of it, over and over.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub(crate) path: &'static str,
    /// With `VALUE` where the values take turns.
    pub(crate) body: &'static str,
    pub(crate) values: Vec<String>,
    pub(crate) key: String,
    /// Whether every answer has a status of 400 or more.
    pub(crate) refused: bool,
}

impl Shot {
    pub(crate) fn check(ids: Vec<String>, key: &str) -> Self {
        Self {
            path: "/v1/verify/check",
            body: r#"{"session_id":"VALUE","code":"271828"}"#,
            values: ids,
            key: key.to_owned(),
            refused: false,
        }
    }

    /// To other people in each `round`, so that none is sent to twice.
    pub(crate) fn send(round: usize, key: &str) -> Self {
        let people = 0..50_000;
        Self {
            path: "/v1/verify/send",
            body: r#"{"to":"VALUE","channel":"email"}"#,
            values: people
                .map(|n| format!("round{round}.user{n}@example.com"))
                .collect(),
            key: key.to_owned(),
            refused: false,
        }
    }
}

/// What a server did under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    pub(crate) p50_micros: f64,
    pub(crate) p99_micros: f64,
    pub(crate) processor_micros: f64,
}

/// What wrk runs, in Lua.
const SCRIPT: &str = r#"
local values, at = {}, 0
for line in io.lines("FILE") do values[#values + 1] = line end
request = function()
  at = at % #values + 1
  local body = string.gsub('BODY', "VALUE", values[at])
  return wrk.format("POST", "PATH",
    {["content-type"] = "application/json", ["x-api-key"] = "KEY"}, body)
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("told %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
"#;

/// Loads a server for some seconds.
pub(crate) fn load(target: &Target, shot: &Shot) -> Result<Figures, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (list, script) = (folder.path().join("values"), folder.path().join("shot.lua"));
    write(&list, &shot.values.join("\n"))?;
    let lua = SCRIPT
        .replace("FILE", &list.display().to_string())
        .replace("BODY", shot.body)
        .replace("PATH", shot.path)
        .replace("KEY", &shot.key);
    write(&script, &lua)?;
    let before = ticks(target.process)?;
    let told = wrk(&script, &target.base)?;
    let spent = ticks(target.process)? - before;
    let numbers = told.lines().find_map(|line| line.strip_prefix("told "));
    let numbers: Vec<f64> = numbers
        .ok_or_else(|| format!("wrk told nothing: {told}"))?
        .split(' ')
        .filter_map(|number| number.parse().ok())
        .collect();
    let [requests, micros, p50_micros, p99_micros, refused, failed] = numbers[..] else {
        return Err(format!("wrk told something else: {told}"));
    };
    let wanted = if shot.refused { requests } else { 0.0 };
    if failed > 0.0 || (refused - wanted).abs() > 0.5 {
        let base = &target.base;
        return Err(format!(
            "of {requests} requests at {base} {failed} failed and {refused} were refused"
        ));
    }
    Ok(Figures {
        requests,
        per_second: requests / micros * 1e6,
        p50_micros,
        p99_micros,
        // A tick is ten milliseconds (USER_HZ).
        processor_micros: f64::from(spent) * 1e4 / requests,
    })
}

fn wrk(script: &Path, base: &str) -> Result<String, String> {
    let (connections, seconds) = (CONNECTIONS.to_string(), format!("{SECONDS}s"));
    let ran = Command::new("wrk")
        .args(["-t", "1", "--timeout", "10s"])
        .args(["-c", &connections, "-d", &seconds, "-s"])
        .arg(script)
        .arg(base)
        .output()
        .map_err(|error| format!("wrk does not start ({error}): apt-get install wrk"))?;
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
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
