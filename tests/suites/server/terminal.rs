//! Codes as the console deliverer shows them on the server's standard output.

use countersign::Stopwatch;

use crate::parts::server::{PATIENCE, Server, pause};
use crate::witness;

/// SMS and voice codes are shown in the terminal.
pub(crate) const CONFIG: &str = "[sms]\nvia = [\"console\"]\n[voice]\nvia = [\"console\"]\n";

/// All codes shown so far, the oldest first.
pub(crate) fn codes(server: &Server) -> Vec<String> {
    let code = |line: &String| line.strip_prefix("  code   ").map(str::to_owned);
    server.stdout.all().iter().filter_map(code).collect()
}

/// The code that is shown after the first `before`.
pub(crate) async fn code_after(server: &Server, before: usize) -> String {
    let clock = Stopwatch::start();
    loop {
        if let Some(code) = codes(server).get(before) {
            witness::code(code);
            return code.clone();
        }
        assert!(
            clock.elapsed() < PATIENCE,
            "no code in the terminal: {}",
            server.stderr.text()
        );
        pause().await;
    }
}
