//! Processes that listen: this binary in one of its parts, and Node.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::client::Target;
use crate::parts::ports::free_port;

const NODE: &str = "require('http').createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end('{\"hello\":\"world\"}');
  });
}).listen(Number(process.argv[1]), '127.0.0.1');";

/// For a server that has codes to send before it listens.
const PATIENCE: u32 = 120_000 / PAUSE_MILLIS;
const PAUSE_MILLIS: u32 = 10;

/// A process that listens, and is killed when dropped.
pub(crate) struct Started {
    child: Child,
    pub(crate) target: Target,
}

impl Started {
    /// This binary, as `part` says.
    pub(crate) async fn this(part: &str) -> Result<Self, String> {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(this);
        command.arg(part);
        Self::with_port(command, &[]).await
    }

    /// A hello-world.
    pub(crate) async fn node() -> Result<Self, String> {
        let mut command = Command::new("node");
        command.args(["-e", NODE, "--"]);
        Self::with_port(command, &[]).await
    }

    /// `command` with a free port as its next argument, and then `more`.
    pub(crate) async fn with_port(mut command: Command, more: &[&str]) -> Result<Self, String> {
        let port = free_port();
        command.arg(port.to_string()).args(more);
        let child = command.stdout(Stdio::null()).spawn();
        let child = child.map_err(|error| error.to_string())?;
        let target = Target {
            base: format!("http://127.0.0.1:{port}"),
            process: child.id(),
        };
        let started = Self { child, target };
        for _ in 0..PATIENCE {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(started);
            }
            tokio::time::sleep(Duration::from_millis(PAUSE_MILLIS.into())).await;
        }
        Err(format!("it does not listen: {command:?}"))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
