//! Redis under Sentinel.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::super::leash::Leash;
use super::super::ports::free_port;
use super::{INSTALL, Redis, wait_until};

/// The master's name that the sentinels know.
pub(crate) const MASTER: &str = "mymaster";

/// A primary, its replica, and three sentinels that watch them.
pub(crate) struct RedisSentinel {
    /// The first primary, then its replica; they change places.
    pub(crate) servers: [Redis; 2],
    sentinels: Vec<(u16, Leash, TempDir)>,
    /// What the sentinels ask for, and the servers do not; empty for nothing.
    password: &'static str,
}

impl RedisSentinel {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With these arguments for both servers.
    pub(crate) fn start_with(extra: &[&str]) -> Self {
        Self::started(extra, "")
    }

    /// With sentinels that ask for this password.
    pub(crate) fn start_locked(password: &'static str) -> Self {
        Self::started(&[], password)
    }

    fn started(extra: &[&str], password: &'static str) -> Self {
        let primary = Redis::start(extra);
        let port = primary.port.to_string();
        let of = format!("127.0.0.1 {port}");
        let mut args = vec!["--replicaof", &of, "--repl-diskless-sync-delay", "0"];
        args.extend(extra);
        let replica = Redis::start(&args);
        let servers = [primary, replica];
        wait_until("the replica is in step", || {
            servers[1].info("replication", "master_link_status") == "up"
        });
        let sentinels = (0..3)
            .map(|_| sentinel(servers[0].port, password))
            .collect();
        let site = Self {
            servers,
            sentinels,
            password,
        };
        wait_until("the sentinels know each other", || {
            site.sentinels.iter().all(|(port, ..)| {
                let known = site.ask(*port, &["SENTINEL", "MASTER", MASTER]);
                let known: Vec<_> = known.lines().collect();
                let is = |name, value| known.windows(2).any(|two| two == [name, value]);
                is("num-other-sentinels", "2") && is("num-slaves", "1")
            })
        });
        site
    }

    pub(crate) fn url(&self) -> String {
        let ends = self
            .sentinels
            .iter()
            .map(|(port, ..)| format!("127.0.0.1:{port}"));
        let ends: Vec<_> = ends.collect();
        format!("redis+sentinel://{}/{MASTER}", ends.join(","))
    }

    fn ask(&self, sentinel: u16, command: &[&str]) -> String {
        sentinel_cli(sentinel, self.password, command)
    }

    /// Which of the servers the sentinels take for the primary.
    pub(crate) fn primary(&self) -> usize {
        let (port, ..) = &self.sentinels[0];
        let said = self.ask(*port, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]);
        let port = said.lines().nth(1).unwrap_or_default().to_owned();
        usize::from(port == self.servers[1].port.to_string())
    }

    /// Kills the primary with -9 and starts it again over what it left, before the sentinels
    /// take it for dead.
    pub(crate) fn restart_primary(&self) {
        let at = self.primary();
        self.servers[at].restart();
        // The one that began as a replica would be one again.
        self.servers[at].cli(&["REPLICAOF", "NO", "ONE"]);
        self.wait_for_replica(at);
    }

    /// Cuts the replica off: it misses all that is written from now on.
    pub(crate) fn cut_replica(&self) {
        let primary = self.primary();
        let (primary, replica) = (&self.servers[primary], &self.servers[1 - primary]);
        // A password where none is set makes every further handshake fail.
        replica.cli(&["CONFIG", "SET", "masterauth", "wrong"]);
        primary.cli(&["CLIENT", "KILL", "TYPE", "replica"]);
        wait_until("the replica is cut off", || {
            replica.info("replication", "master_link_status") == "down"
        });
    }

    /// Kills the primary with -9 and waits until every sentinel names the other, and it
    /// takes writes.
    pub(crate) fn fail_over(&self) {
        let old = self.primary();
        self.servers[old].kill();
        let new = &self.servers[1 - old];
        let port = new.port.to_string();
        wait_until("the replica takes over", || {
            new.info("replication", "role") == "master"
                && self.sentinels.iter().all(|(sentinel, ..)| {
                    let asked = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER];
                    self.ask(*sentinel, &asked).lines().nth(1) == Some(&port)
                })
        });
    }

    /// Waits until the primary has its replica again.
    pub(crate) fn wait_for_replica(&self, primary: usize) {
        wait_until("the replica is in step", || {
            self.servers[1 - primary].info("replication", "master_link_status") == "up"
        });
    }

    /// Starts the server that was killed, and waits until it follows the other.
    pub(crate) fn bring_back(&self) {
        self.servers[1 - self.primary()].launch();
        for server in &self.servers {
            server.cli(&["CONFIG", "SET", "masterauth", ""]);
        }
        wait_until("the old primary follows", || {
            // On a busy machine the sentinels may fail over once more meanwhile.
            let primary = self.primary();
            let (primary, other) = (&self.servers[primary], &self.servers[1 - primary]);
            // The sentinels would tell it so as well, after some time.
            other.cli(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
            other.info("replication", "master_link_status") == "up"
                && primary.info("replication", "connected_slaves") == "1"
        });
    }
}

fn sentinel(primary: u16, password: &str) -> (u16, Leash, TempDir) {
    let (folder, port) = (
        tempfile::tempdir().expect("a temporary folder"),
        free_port(),
    );
    let config = folder.path().join("sentinel.conf");
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {MASTER} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 3000\n",
        folder.path().display()
    );
    let locked = match password {
        "" => String::new(),
        password => format!("requirepass {password}\n"),
    };
    fs::write(&config, text + &locked).expect("the configuration is written");
    let program = ["redis-sentinel".to_owned(), config.display().to_string()];
    let leash = Leash::start(&program, &folder.path().join("log"));
    wait_until("a sentinel answers", || {
        sentinel_cli(port, password, &["PING"]) == "PONG"
    });
    (port, leash, folder)
}

fn sentinel_cli(port: u16, password: &str, command: &[&str]) -> String {
    let mut cli = Command::new("redis-cli");
    // An empty one is none.
    cli.env("REDISCLI_AUTH", password);
    let output = cli.args(["-p", &port.to_string()]).args(command).output();
    String::from_utf8_lossy(&output.expect(INSTALL).stdout)
        .trim()
        .to_owned()
}
