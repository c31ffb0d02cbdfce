//! Four server processes on one store, as a load balancer would see them; on the memory
//! store it is one, met on four connections.

use std::collections::HashMap;
use std::path::Path;

use countersign::Stopwatch;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::caller::Caller;
use super::store::{Kind, Store};
use crate::parts::ledger::{From, note};
use crate::parts::server::{Home, PATIENCE, Server, pause, write_secret};

/// How many ways there are to them: one to each, or four to the one.
pub(crate) const SERVERS: usize = 4;

/// Who has a key in the configuration of a server whose memory no command can reach.
const TENANTS: [&str; 24] = [
    "a01", "a02", "a04", "a07", "a08", "another", "a09", "a10", "a11", "a12", "a13", "a14", "a15",
    "a16", "a34", "a44", "a45", "a47", "a49", "a50", "a52", "a56", "a69", "soak",
];
const SCOPES: [&str; 3] = ["send", "check", "admin"];

/// The servers and their store.
pub(crate) struct Fleet {
    pub(crate) kind: Kind,
    // In the order in which they end: the servers before their store.
    stations: Vec<Station>,
    keys: HashMap<&'static str, String>,
    store: Store,
    _folder: TempDir,
}

struct Station {
    home: Home,
    server: Option<Server>,
}

/// What servers and their store hold.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weight {
    /// Memory in use.
    pub(crate) kilobytes: u64,
    /// Open files and connections.
    pub(crate) handles: u64,
    /// Values in the store; none are counted in a server's memory.
    pub(crate) records: u64,
}

/// A session as its owner knows it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) code: String,
}

impl Fleet {
    pub(crate) async fn start(kind: Kind) -> Self {
        Self::reached(kind, "", Store::url).await
    }

    /// The same, with more keys of the policy, on a store that is reached under the address
    /// given.
    pub(crate) async fn reached(
        kind: Kind,
        policy: &str,
        url: impl FnOnce(&Store) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::start(kind, folder.path());
        let keys = match kind {
            Kind::Memory => keys(),
            _ => HashMap::new(),
        };
        let config = configuration(&url(&store), policy, folder.path(), &keys);
        let mut stations = Vec::new();
        let homes = [0; SERVERS].map(|_| Home::with_config(&config));
        if kind == Kind::Memory {
            let [home, ..] = homes;
            let server = Some(home.serve().await);
            stations.push(Station { home, server });
        } else {
            // All at once, on a store in which nothing is yet.
            let [a, b, c, d] = &homes;
            let servers = tokio::join!(a.serve(), b.serve(), c.serve(), d.serve());
            let servers = <[Server; SERVERS]>::from(servers);
            for (home, server) in homes.into_iter().zip(servers.map(Some)) {
                stations.push(Station { home, server });
            }
        }
        Self {
            kind,
            stations,
            keys,
            store,
            _folder: folder,
        }
    }

    /// The calls of a fresh key of `tenant`, with every scope, to all servers.
    pub(crate) fn tenant(&self, tenant: &str) -> Caller {
        let key = match self.kind {
            Kind::Memory => self.keys[tenant].clone(),
            _ => self.home(0).key(tenant, &SCOPES),
        };
        Caller::new((0..SERVERS).map(|at| self.home(at).base()), &key)
    }

    /// The folder in which a server runs, for commands beside it.
    pub(crate) fn home(&self, at: usize) -> &Home {
        &self.stations[at % self.stations.len()].home
    }

    /// Opens a session at a server, and reads its code there.
    pub(crate) async fn send(&self, caller: &Caller, at: usize, to: &str) -> Session {
        self.send_with(caller, at, to, json!({})).await
    }

    /// The same, with more fields.
    pub(crate) async fn send_with(
        &self,
        caller: &Caller,
        at: usize,
        to: &str,
        more: Value,
    ) -> Session {
        let shown = self.codes(at).len();
        let mut body = more;
        (body["to"], body["channel"]) = (json!(to), json!("sms"));
        let sent = caller.post(at, "/v1/verify/send", &body).await;
        let sent = sent.expect("the server answers");
        assert_eq!(sent["status"], "sent", "{sent}");
        Session {
            id: sent["session_id"].as_str().expect("an id").to_owned(),
            to: to.to_owned(),
            code: self.code_after(at, shown).await,
        }
    }

    /// Resends a session at a server, and gives it with its new code.
    pub(crate) async fn resend(&self, caller: &Caller, at: usize, session: &Session) -> Session {
        let shown = self.codes(at).len();
        let sent = caller.resend(at, session).await;
        assert_eq!(sent["status"], "sent", "{sent}");
        Session {
            code: self.code_after(at, shown).await,
            ..session.clone()
        }
    }

    /// Kills a server with -9 and waits until it is gone.
    pub(crate) async fn kill(&mut self, at: usize) {
        let server = self.stations[at].server.take().expect("it runs");
        server.signal("KILL");
        assert!(!server.ended().await.success());
    }

    /// Starts a server again that was killed.
    pub(crate) async fn restart(&mut self, at: usize) {
        let station = &mut self.stations[at];
        station.server = Some(station.home.serve().await);
    }

    /// What all running servers and their store hold now.
    pub(crate) fn weight(&self) -> Weight {
        let running = self.stations.iter().filter_map(|one| one.server.as_ref());
        let mut weight = Weight {
            records: self.store.records(),
            ..Weight::default()
        };
        for server in running {
            weight.kilobytes += server.resident_kilobytes();
            weight.handles += server.handles();
        }
        weight
    }

    /// Prints a row's figures, and notes them.
    pub(crate) fn tell(&self, row: &str, tried: &str, showed: &str, clock: &Stopwatch) {
        let (kind, took) = (self.kind, clock.elapsed_millis());
        println!("{kind}: {row}: {tried}: {showed}, in {took} ms");
        let servers = match self.stations.len() {
            1 => "one server",
            _ => "four servers",
        };
        let tried = format!("{tried}, {servers}");
        note(row, &kind.to_string(), From::Outside, &tried, showed);
    }

    /// What all servers' metrics count as checks with this verdict.
    pub(crate) async fn checks(&self, verdict: &str) -> u64 {
        let name = format!("countersign_checks_total{{verdict=\"{verdict}\"}} ");
        let mut sum = 0;
        for station in &self.stations {
            let url = format!("{}/metrics", station.home.admin());
            let shown = crate::parts::http_client().get(url).send().await;
            let shown = shown.expect("an answer").text().await.expect("text");
            let count = shown.lines().find_map(|line| line.strip_prefix(&name));
            sum += count.map_or(0, |count| count.parse().expect("a number"));
        }
        sum
    }

    /// How many messages all running servers have shown in their terminals.
    pub(crate) fn messages(&self) -> usize {
        let stations = 0..self.stations.len();
        stations.map(|at| self.codes(at).len()).sum()
    }

    /// Waits until so many more messages were shown than these: whoever sends and reads no code
    /// leaves it to be taken for the next one's.
    pub(crate) async fn has_shown(&self, more: usize, before: usize) {
        let clock = Stopwatch::start();
        while self.messages() < before + more {
            assert!(clock.elapsed() < PATIENCE, "{more} messages are not shown");
            pause().await;
        }
    }

    /// All codes that a server has shown in its terminal, the oldest first.
    fn codes(&self, at: usize) -> Vec<String> {
        let code = |line: &String| line.strip_prefix("  code   ").map(str::to_owned);
        self.server(at)
            .stdout
            .all()
            .iter()
            .filter_map(code)
            .collect()
    }

    async fn code_after(&self, at: usize, shown: usize) -> String {
        let clock = Stopwatch::start();
        loop {
            if let Some(code) = self.codes(at).get(shown) {
                return code.clone();
            }
            let said = || self.server(at).stderr.text();
            assert!(clock.elapsed() < PATIENCE, "no code is shown: {}", said());
            pause().await;
        }
    }

    fn server(&self, at: usize) -> &Server {
        let station = &self.stations[at % self.stations.len()];
        station.server.as_ref().expect("it runs")
    }
}

/// The same for all servers. No pause between messages, so that a test can resend; codes
/// are shown in the terminal; everything else is the default.
fn configuration(store: &str, policy: &str, folder: &Path, keys: &HashMap<&str, String>) -> String {
    let secret = folder.join("secret");
    write_secret(&secret);
    let key = |(tenant, key): (&&str, &String)| {
        let hash = Sha256::digest(key.as_bytes());
        let hash: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = hash.concat();
        format!("[[api_key]]\ntenant = \"{tenant}\"\nscopes = {SCOPES:?}\nsha256 = \"{hash}\"\n")
    };
    let keys = keys.iter().map(key).collect::<Vec<_>>().concat();
    format!(
        "secret_file = \"{}\"\n[store]\nurl = \"{store}\"\n\
         [jwt]\nhs256_secret = \"a secret of the test's own, of 32 bytes\"\n\
         [sms]\nvia = [\"console\"]\n[policy]\nresend_cooldown_seconds = 0\nmax_sends = 10\n{policy}{keys}",
        secret.display()
    )
}

/// A key of each tenant, made in a folder of their own.
fn keys() -> HashMap<&'static str, String> {
    let home = Home::empty();
    TENANTS
        .into_iter()
        .map(|tenant| (tenant, home.key(tenant, &SCOPES)))
        .collect()
}
