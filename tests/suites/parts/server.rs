//! The real binary: built once a run, started in a folder of its own, and stopped.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use countersign::Stopwatch;
use tempfile::TempDir;

use super::ports::free_port;

/// How long a start, a stop or a message may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The server's binary, asked from cargo once a run.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut cargo = Command::new(cargo);
        // What `cargo test` says of the test's own package: build scripts of dependencies
        // look at such names, and all that rests on them would be built anew.
        let of_this_test = ["CARGO_MANIFEST_", "CARGO_PKG_"];
        for (name, _) in std::env::vars_os() {
            let plain = name.to_string_lossy();
            if of_this_test.iter().any(|begin| plain.starts_with(begin)) {
                cargo.env_remove(&name);
            }
        }
        let built = cargo
            .args([
                "build",
                "--release",
                // With the features of the suites, so that no crate is built twice.
                "--workspace",
                "--bin",
                "countersign",
                "--message-format=json",
            ])
            .current_dir(repository())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "the server does not build");
        executable(&String::from_utf8_lossy(&built.stdout)).expect("cargo names the binary")
    })
}

fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "countersign")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// The root of this checkout.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
}

/// Writes a fresh secret of the server's to `path`, for its owner alone.
pub(crate) fn write_secret(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let secret = Home::empty().run_ok(&["secret", "new"]);
    std::fs::write(path, secret).expect("the file is written");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, private).expect("permissions");
}

/// A folder, a configuration and an environment in which the binary runs.
pub(crate) struct Home {
    folder: TempDir,
    environment: Vec<(String, String)>,
    pub(crate) api_port: u16,
    pub(crate) admin_port: u16,
}

impl Home {
    /// An empty folder: the ports come through the environment, all else is default.
    pub(crate) fn empty() -> Self {
        let (api_port, admin_port) = (free_port(), free_port());
        let environment = vec![
            (
                "COUNTERSIGN_LISTEN".to_owned(),
                format!("127.0.0.1:{api_port}"),
            ),
            (
                "COUNTERSIGN_ADMIN_LISTEN".to_owned(),
                format!("127.0.0.1:{admin_port}"),
            ),
            (
                "COUNTERSIGN_SHUTDOWN_GRACE_SECONDS".to_owned(),
                "0".to_owned(),
            ),
        ];
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            folder,
            environment,
            api_port,
            admin_port,
        }
    }

    /// A folder with this `countersign.toml`; the ports come through the environment.
    pub(crate) fn with_config(toml: &str) -> Self {
        let home = Self::empty();
        std::fs::write(home.path().join("countersign.toml"), toml).expect("the file is written");
        home
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves the listener to the file, if so.
    pub(crate) fn without_listen(mut self, so: bool) -> Self {
        self.environment
            .retain(|(name, _)| !so || name != "COUNTERSIGN_LISTEN");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    pub(crate) fn admin(&self) -> String {
        format!("http://127.0.0.1:{}", self.admin_port)
    }

    /// The binary with these arguments, in this folder and with nothing inherited that
    /// could configure it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments);
        self.dress(command)
    }

    /// `countersign serve`, which the kernel kills when the thread that started it dies.
    fn serve_command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(binary())
            .arg("serve");
        self.dress(command)
    }

    fn dress(&self, mut command: Command) -> Command {
        command.current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("COUNTERSIGN_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs")
    }

    /// Runs the binary, which must succeed, and gives its standard output.
    pub(crate) fn run_ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "countersign {arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// A key of `tenant` with these scopes, made by the command line.
    pub(crate) fn key(&self, tenant: &str, scopes: &[&str]) -> String {
        let mut arguments = vec!["key", "create", "--tenant", tenant];
        for scope in scopes {
            arguments.extend(["--scope", scope]);
        }
        self.run_ok(&arguments).trim_end().to_owned()
    }

    /// Starts `countersign serve` and waits until it is ready.
    pub(crate) async fn serve(&self) -> Server {
        let server = Server::start(self.serve_command(), self.admin());
        server.wait_until_ready().await;
        server
    }
}

/// A running `countersign serve`. It is killed when dropped; a test that is about the
/// end of its life calls [`Server::stop`].
pub(crate) struct Server {
    child: Child,
    admin: String,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Server {
    /// Starts it from the thread that reads its output, which lives as long as it does:
    /// a server that tests share must outlive the test that started it.
    fn start(mut command: Command, admin: String) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let (to_us, started) = mpsc::channel();
        let said = stdout.clone();
        thread::spawn(move || {
            let mut child = command.spawn().expect("the binary starts");
            let output = child.stdout.take().expect("piped");
            to_us.send(child).expect("we wait for it");
            said.read(output);
        });
        let mut child = started.recv().expect("the binary starts");
        let (errors, said) = (child.stderr.take().expect("piped"), stderr.clone());
        thread::spawn(move || said.read(errors));
        Self {
            child,
            admin,
            stdout,
            stderr,
        }
    }

    pub(crate) async fn wait_until_ready(&self) {
        let client = super::http_client();
        let url = format!("{}/readyz", self.admin);
        let clock = Stopwatch::start();
        while !matches!(client.get(&url).send().await, Ok(ready) if ready.status() == 200) {
            assert!(
                clock.elapsed() < PATIENCE,
                "not ready: {}",
                self.stderr.text()
            );
            pause().await;
        }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends `signal` (`TERM`, `KILL`).
    pub(crate) fn signal(&self, signal: &str) {
        signal_process(self.child.id(), signal);
    }

    /// Waits for the end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let clock = Stopwatch::start();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(
                clock.elapsed() < PATIENCE,
                "does not stop: {}",
                self.stderr.text()
            );
            pause().await;
        }
    }

    /// SIGTERM, after which the server must end with exit code 0.
    pub(crate) async fn stop(self) {
        self.signal("TERM");
        let stderr = self.stderr.clone();
        let status = self.ended().await;
        assert!(
            status.success(),
            "SIGTERM ended it with {status}: {}",
            stderr.text()
        );
    }

    /// Open files and connections.
    pub(crate) fn handles(&self) -> u64 {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        open.expect("the process lives").count() as u64
    }

    /// Kilobytes of memory in use now.
    pub(crate) fn resident_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process lives");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("VmRSS");
        line.split_whitespace()
            .nth(1)
            .and_then(|n| n.parse().ok())
            .expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal_process(id: u32, signal: &str) {
    let sent = Command::new("kill")
        .args(["-s", signal, &id.to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

/// A moment between two looks at something that another process does.
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// Waits until something is so; panics with these words if it never is.
pub(crate) async fn until(else_said: &str, is_so: impl Fn() -> bool) {
    let clock = Stopwatch::start();
    while !is_so() {
        assert!(clock.elapsed() < PATIENCE, "{else_said}");
        pause().await;
    }
}

/// All lines that a process has written so far.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn read(&self, from: impl Read) {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The lines from this one on.
    pub(crate) fn since(&self, nth: usize) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(nth..).unwrap_or_default().to_vec()
    }

    pub(crate) fn text(&self) -> String {
        self.all().join("\n")
    }

    /// All of it, once that is `enough`: what was written is read a moment later.
    pub(crate) async fn once(&self, enough: impl Fn(&str) -> bool) -> String {
        let clock = Stopwatch::start();
        loop {
            let text = self.text();
            if enough(&text) {
                return text;
            }
            assert!(clock.elapsed() < PATIENCE, "not said: {text}");
            pause().await;
        }
    }

    /// The first line for which `wanted` gives something, now or within our patience.
    pub(crate) async fn find<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let clock = Stopwatch::start();
        loop {
            if let Some(found) = self.all().iter().find_map(|line| wanted(line)) {
                return found;
            }
            assert!(clock.elapsed() < PATIENCE, "not said: {}", self.text());
            pause().await;
        }
    }
}
