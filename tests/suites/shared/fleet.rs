//! Four server processes on one store, as a load balancer would see them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use countersign::Stopwatch;
use serde_json::json;
use tempfile::TempDir;

use super::caller::Caller;
use super::store::{Kind, Store};
use crate::parts::server::{Home, PATIENCE, Server, pause};

/// How many there are.
pub(crate) const SERVERS: usize = 4;

/// The servers and their store.
pub(crate) struct Fleet {
    pub(crate) kind: Kind,
    // In the order in which they end: the servers before their store.
    stations: Vec<Station>,
    _store: Store,
    _folder: TempDir,
}

struct Station {
    home: Home,
    server: Option<Server>,
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
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::start(kind, folder.path());
        let config = configuration(&store.url(), folder.path());
        let homes = [0; SERVERS].map(|_| Home::with_config(&config));
        // All at once, on a store in which nothing is yet.
        let [a, b, c, d] = &homes;
        let servers = tokio::join!(a.serve(), b.serve(), c.serve(), d.serve());
        let servers = <[Server; SERVERS]>::from(servers);
        let station = |(home, server)| Station {
            home,
            server: Some(server),
        };
        let stations = homes.into_iter().zip(servers).map(station).collect();
        Self {
            kind,
            stations,
            _store: store,
            _folder: folder,
        }
    }

    /// The calls of a fresh key of `tenant`, with every scope, to all servers.
    pub(crate) fn tenant(&self, tenant: &str) -> Caller {
        let key = self.home(0).key(tenant, &["send", "check", "admin"]);
        Caller::new(
            self.stations.iter().map(|station| station.home.base()),
            &key,
        )
    }

    /// The folder in which a server runs, for commands beside it.
    pub(crate) fn home(&self, at: usize) -> &Home {
        &self.stations[at].home
    }

    /// Opens a session at a server, and reads its code there.
    pub(crate) async fn send(&self, caller: &Caller, at: usize, to: &str) -> Session {
        let shown = self.codes(at).len();
        let body = json!({ "to": to, "channel": "sms" });
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

    /// Prints a row's figures.
    pub(crate) fn tell(&self, row: &str, what: &str, clock: &Stopwatch) {
        println!(
            "{}: {row}: {what} in {} ms",
            self.kind,
            clock.elapsed_millis()
        );
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
        self.stations[at].server.as_ref().expect("it runs")
    }
}

/// The same for all servers. No pause between messages, so that a test can resend; codes
/// are shown in the terminal; everything else is the default.
fn configuration(store: &str, folder: &Path) -> String {
    let shell = Home::empty();
    let secret = folder.join("secret");
    std::fs::write(&secret, shell.run_ok(&["secret", "new"])).expect("the file is written");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&secret, private).expect("permissions");
    format!(
        "secret_file = \"{}\"\n[store]\nurl = \"{store}\"\n\
         [jwt]\nhs256_secret = \"a secret of the test's own, of 32 bytes\"\n\
         [sms]\nvia = [\"console\"]\n[policy]\nresend_cooldown_seconds = 0\nmax_sends = 10\n",
        secret.display()
    )
}
