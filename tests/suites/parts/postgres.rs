//! PostgreSQL 15: with a password, TLS, settings of the test's own, and standbys.

mod clock;
pub(crate) mod power;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign::Stopwatch;
use tempfile::TempDir;

use super::ca::TestCa;
use super::leash::Leash;
use super::ports::free_port;

const BIN: &str = "/usr/lib/postgresql/15/bin";
const INSTALL: &str = "install PostgreSQL 15 with `./tests/run parts` (apt-get install postgresql)";

/// The superuser of every server started here.
pub(crate) const OWNER: &str = "countersign";
/// Its password.
pub(crate) const SECRET: &str = "s3cret-stallion";

/// A running server, or one that was killed and may be started again.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: TempDir,
    pub(crate) port: u16,
    settings: Vec<String>,
    leash: Mutex<Option<Leash>>,
}

impl Postgres {
    /// A new server with these settings over the defaults.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::on(own_folder(), settings).made()
    }

    /// A new server that offers TLS with the CA's certificate.
    pub(crate) fn start_tls(ca: &TestCa) -> Self {
        let folder = own_folder();
        let (certificate, key) = (
            folder.path().join("leaf.pem"),
            folder.path().join("leaf.key"),
        );
        fs::copy(ca.certificate(), &certificate).expect("copied");
        fs::copy(ca.key(), &key).expect("copied");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("permissions");
        give(&certificate);
        give(&key);
        let (certificate, key) = (text(&certificate), text(&key));
        let settings = [
            ("ssl", "on"),
            ("ssl_cert_file", certificate.as_str()),
            ("ssl_key_file", key.as_str()),
        ];
        Self::on(folder, &settings).made()
    }

    /// A standby of this server, streaming from it.
    pub(crate) fn standby(&self) -> Self {
        let standby = Self::on(own_folder(), &[]);
        let mut backup = standby.program("pg_basebackup");
        backup.args(["-R", "-X", "stream", "-c", "fast", "--no-sync", "-d"]);
        backup.arg(self.url("postgres"));
        succeeds(backup.arg("-D").arg(standby.data()));
        standby.launch();
        standby
    }

    /// Makes a backup of all it has.
    pub(crate) fn back_up(&self) {
        let mut backup = self.program("pg_basebackup");
        backup.args(["-X", "stream", "-c", "fast", "--no-sync", "-d"]);
        backup.arg(self.url("postgres"));
        succeeds(backup.arg("-D").arg(self.backup()));
    }

    /// Starts it on the backup, in the place of what it has.
    pub(crate) fn restore(&self) {
        self.kill();
        fs::remove_dir_all(self.data()).expect("it is removed");
        fs::rename(self.backup(), self.data()).expect("it is put back");
        self.launch();
    }

    fn on(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let settings = settings
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Self {
            folder,
            port: free_port(),
            settings: settings.collect(),
            leash: Mutex::new(None),
        }
    }

    fn made(self) -> Self {
        let password = self.folder.path().join("password");
        fs::write(&password, SECRET).expect("the password is written");
        give(&password);
        let mut initdb = self.program("initdb");
        initdb.args(["-N", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]);
        initdb.args(["-U", OWNER]).arg("--pwfile").arg(&password);
        succeeds(initdb.arg("-D").arg(self.data()));
        self.launch();
        self
    }

    /// The URL of a database of this server, for its superuser.
    pub(crate) fn url(&self, database: &str) -> String {
        let port = self.port;
        format!("postgres://{OWNER}:{SECRET}@127.0.0.1:{port}/{database}")
    }

    /// Runs statements in a database as its superuser and gives what they print.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(format!("{BIN}/psql"));
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d"]);
        let done = succeeds(psql.arg(self.url(database)).args(["-c", sql]));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Runs statements each in a transaction of its own.
    pub(crate) fn script(&self, database: &str, statements: &str) {
        let file = self.folder.path().join("script.sql");
        fs::write(&file, statements).expect("the script is written");
        let mut psql = Command::new(format!("{BIN}/psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"]);
        succeeds(psql.arg(self.url(database)).arg("-f").arg(&file));
    }

    /// Makes an empty database and gives its URL.
    pub(crate) fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    /// Starts it, new or over what it left.
    pub(crate) fn launch(&self) {
        let mut program = as_its_user();
        program.push(format!("{BIN}/postgres"));
        program.extend(["-D".to_owned(), text(&self.data())]);
        let sockets = format!("unix_socket_directories={}", text(self.folder.path()));
        let port = format!("port={}", self.port);
        let fixed = [
            "listen_addresses=127.0.0.1",
            "dynamic_shared_memory_type=mmap",
            // A copy of the data is of use as long as the log leads on from it.
            "wal_keep_size=1GB",
            sockets.as_str(),
            port.as_str(),
        ];
        for setting in fixed
            .into_iter()
            .chain(self.settings.iter().map(String::as_str))
        {
            program.extend(["-c".to_owned(), setting.to_owned()]);
        }
        // What that says is of its last life until it has begun another.
        drop(fs::remove_file(self.data().join("postmaster.pid")));
        *self.leash() = Some(Leash::start(&program, &self.folder.path().join("log")));
        self.until("is ready", || {
            self.state(7).is_some_and(|state| state.trim() == "ready")
        });
    }

    /// Kills the postmaster and all its children with -9, at one go.
    pub(crate) fn kill(&self) {
        // First all stand still, so that none sees another's end.
        self.freeze();
        let all = self.processes();
        send("KILL", &all);
        // Not before it is a zombie has a process let go of the shared memory, without which
        // no other may start in its place.
        let gone = |process: &String| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z ") || stat.contains(") X "))
        };
        self.until("is gone", || all.iter().all(gone));
        drop(self.leash().take());
    }

    /// Kills it with -9 and starts it again.
    pub(crate) fn restart(&self) {
        self.kill();
        self.launch();
    }

    /// All its processes stand still: connections stay open, and nothing answers.
    pub(crate) fn freeze(&self) {
        // The postmaster first, or it would start another child meanwhile.
        send("STOP", &self.processes()[..1]);
        send("STOP", &self.processes());
    }

    /// They go on.
    pub(crate) fn thaw(&self) {
        send("CONT", &self.processes());
    }

    /// Cuts a standby off from its primary, so that it misses what comes after.
    pub(crate) fn cut_off(&self) {
        self.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
        self.sql("postgres", "SELECT pg_reload_conf()");
        let receivers = "SELECT count(*) FROM pg_stat_wal_receiver";
        self.until("is cut off", || self.sql("postgres", receivers) == "0");
    }

    /// Waits until a standby has all that this server has written.
    pub(crate) fn wait_for(&self, standby: &Self) {
        let written = self.sql("postgres", "SELECT pg_current_wal_lsn()");
        let followed = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        self.until("is followed", || standby.sql("postgres", &followed) == "t");
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote()"), "t");
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    /// Its log, for a test that failed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A line of `postmaster.pid`: 0 is its number, 7 its state.
    fn state(&self, line: usize) -> Option<String> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().nth(line).map(str::to_owned)
    }

    /// The postmaster and its children.
    fn processes(&self) -> Vec<String> {
        let mut postmaster = None;
        // The server writes the file anew when its state changes: for a moment it is empty.
        self.until("has a number", || {
            postmaster = self.state(0);
            postmaster.is_some()
        });
        let postmaster = postmaster.expect("it has a number");
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        let children = children.split_whitespace().map(str::to_owned);
        std::iter::once(postmaster).chain(children).collect()
    }

    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let waiting = Stopwatch::start();
        while !holds() {
            let late = waiting.elapsed() > Duration::from_secs(60);
            assert!(!late, "PostgreSQL never {what}: {INSTALL}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn program(&self, name: &str) -> Command {
        let mut words = as_its_user();
        words.push(format!("{BIN}/{name}"));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.folder.path());
        command
    }

    fn leash(&self) -> MutexGuard<'_, Option<Leash>> {
        self.leash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    /// Asked to end at once, it leaves no shared memory behind; killed, it would.
    fn drop(&mut self) {
        let Some(leash) = self.leash().take() else {
            return;
        };
        if self.state(0).is_some() {
            let all = self.processes();
            send("QUIT", &all[..1]);
            // It may stand still; its number is gone when it has ended.
            send("CONT", &all);
            let waiting = Stopwatch::start();
            while self.state(0).is_some() && waiting.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        leash.kill();
    }
}

/// PostgreSQL refuses to run as root.
fn as_its_user() -> Vec<String> {
    if !is_root() {
        return Vec::new();
    }
    let words = [
        "setpriv",
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
        "--",
    ];
    words.map(str::to_owned).to_vec()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn own_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    give(folder.path());
    folder
}

/// Lets the server have a file, if it runs as another user.
fn give(file: &Path) {
    if is_root() {
        let id = Command::new("id").args(["-u", "postgres"]).output();
        let id = String::from_utf8_lossy(&id.expect("id runs").stdout)
            .trim()
            .parse()
            .ok();
        assert!(id.is_some(), "there is no user postgres: {INSTALL}");
        chown(file, id, None).expect("chown");
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn send(signal: &str, processes: &[String]) {
    // One of them may have ended by itself meanwhile.
    let signal = format!("-{signal}");
    drop(Command::new("kill").arg(signal).args(processes).output());
}

fn succeeds(command: &mut Command) -> Output {
    let done = command
        .output()
        .unwrap_or_else(|error| panic!("{error}: {INSTALL}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}: {INSTALL}");
    done
}
