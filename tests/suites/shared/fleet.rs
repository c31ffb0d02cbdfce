//! Four server processes on one store, as a load balancer would see them; on the memory
//! store it is one, met on four connections.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use countersign::Stopwatch;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::caller::Caller;
use super::moved::Moved;
use super::setup::{SCOPES, Setup, configuration, keys};
use super::store::{Kind, Store};
use crate::parts::ledger::{From, note};
use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;
use crate::parts::server::{Home, PATIENCE, Server, pause, until, write_secret};

/// How many ways there are to them: one to each, or four to the one.
pub(crate) const SERVERS: usize = 4;

/// The servers and their store.
pub(crate) struct Fleet {
    pub(crate) kind: Kind,
    // In the order in which they end: the servers before their store.
    stations: Vec<Station>,
    keys: HashMap<&'static str, String>,
    store: Store,
    moved: Option<Moved>,
    folder: TempDir,
}

struct Station {
    home: Home,
    server: Option<Server>,
    shown: Mutex<Shown>,
}

/// What of a server's terminal was read, which is long after some thousand messages.
#[derive(Default)]
struct Shown {
    lines: usize,
    codes: Vec<String>,
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
    pub(crate) async fn start(kind: Kind, setup: Setup<'_>) -> Self {
        Self::reached(kind, setup, |_, store| store.url()).await
    }

    /// The same, whose servers each reach the store under the address given.
    pub(crate) async fn reached(
        kind: Kind,
        setup: Setup<'_>,
        url: impl FnMut(usize, &Store) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::start(kind, folder.path());
        Self::of(folder, store, setup, url).await
    }

    /// The same on a store that the test has made, which all servers reach under one address.
    pub(crate) async fn on(store: Store, setup: Setup<'_>, url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::of(folder, store, setup, |_, _| url.to_owned()).await
    }

    async fn of(
        folder: TempDir,
        store: Store,
        setup: Setup<'_>,
        mut url: impl FnMut(usize, &Store) -> String,
    ) -> Self {
        let kind = store.kind();
        let keys = match kind {
            Kind::Memory => keys(),
            _ => HashMap::new(),
        };
        let moved = setup.moves.then(|| Moved::of(&store));
        let base = configuration(setup, folder.path(), &keys);
        let home = |at| {
            let (url, more) = (url(at, &store), setup.store);
            let home = Home::with_config(&format!("{base}[store]\nurl = \"{url}\"\n{more}"));
            match &moved {
                Some(moved) => moved.dress(at, home, &store),
                None => home,
            }
        };
        let stations = launched(kind, [0, 1, 2, 3].map(home)).await;
        Self {
            kind,
            stations,
            keys,
            store,
            moved,
            folder,
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
        let shown = self.shown(at);
        let sent = caller.send(at, to, more).await;
        self.opened(at, to, &sent, shown).await
    }

    /// The same by SMS, with an idempotency key.
    pub(crate) async fn send_once(
        &self,
        caller: &Caller,
        at: usize,
        to: &str,
        key: &str,
    ) -> Session {
        let shown = self.shown(at);
        let (_, sent) = caller.send_once(at, to, key).await;
        self.opened(at, to, &sent, shown).await
    }

    /// The session of a send that a server has answered, which had shown so many messages before.
    pub(crate) async fn opened(&self, at: usize, to: &str, sent: &Value, shown: usize) -> Session {
        assert_eq!(sent["status"], "sent", "{sent}");
        Session {
            id: sent["session_id"].as_str().expect("an id").to_owned(),
            to: to.to_owned(),
            code: self.code_after(at, shown).await,
        }
    }

    /// Resends a session at a server, and gives it with its new code.
    pub(crate) async fn resend(&self, caller: &Caller, at: usize, session: &Session) -> Session {
        let shown = self.shown(at);
        let sent = caller.resend(at, session).await;
        assert_eq!(sent["status"], "sent", "{sent}");
        Session {
            code: self.code_after(at, shown).await,
            ..session.clone()
        }
    }

    /// Moves the clock on by so many milliseconds, or back.
    pub(crate) fn wind(&self, millis: i64) {
        let moved = self.moved.as_ref().expect("its clock can be moved");
        moved.wind(&self.store, millis);
    }

    /// Moves the clock on to eight in the morning of the next day of UTC.
    pub(crate) fn wind_to_morning(&self) {
        const DAY: i64 = 86_400_000;
        let moved = self.moved.as_ref().expect("its clock can be moved");
        self.wind(DAY + DAY / 3 - moved.millis() % DAY);
    }

    /// The file of the secrets that all servers have.
    pub(crate) fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    /// A file of other secrets.
    pub(crate) fn another_secret(&self) -> PathBuf {
        let path = self.folder.path().join("another");
        let _ = std::fs::remove_file(&path);
        write_secret(&path);
        path
    }

    /// Where they keep what they keep, for whoever comes past them.
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// The one Redis that they share.
    pub(crate) fn redis(&self) -> &Redis {
        match &self.store {
            Store::Redis(server) => server,
            _ => panic!("{} is no Redis alone", self.kind),
        }
    }

    /// The one PostgreSQL that they share.
    pub(crate) fn postgres(&self) -> &Postgres {
        match &self.store {
            Store::Postgres(server) => server,
            _ => panic!("{} is no PostgreSQL", self.kind),
        }
    }

    /// How many servers there are.
    pub(crate) const fn servers(&self) -> usize {
        self.stations.len()
    }

    /// The process of a server.
    pub(crate) fn process(&self, at: usize) -> u32 {
        self.server(at).id()
    }

    /// What a server has written to its log.
    pub(crate) fn log(&self, at: usize) -> String {
        self.server(at).stderr.text()
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
        station.shown = Mutex::default();
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
        let sample = format!("countersign_checks_total{{verdict=\"{verdict}\"}}");
        self.counted(&sample).await.iter().sum()
    }

    /// What each server's metrics say of a sample; zero where it was never counted.
    pub(crate) async fn counted(&self, sample: &str) -> Vec<u64> {
        let mut counted = Vec::new();
        for station in &self.stations {
            let url = format!("{}/metrics", station.home.admin());
            let shown = crate::parts::http_client().get(url).send().await;
            let shown = shown.expect("an answer").text().await.expect("text");
            let count = |line: &str| {
                line.strip_prefix(sample)?
                    .strip_prefix(' ')
                    .map(str::to_owned)
            };
            let count = shown.lines().find_map(count);
            counted.push(count.map_or(0, |count| count.parse().expect("a number")));
        }
        counted
    }

    /// How many messages a server has shown in its terminal.
    pub(crate) fn shown(&self, at: usize) -> usize {
        self.codes(at, <[_]>::len)
    }

    /// How many messages all running servers have shown in their terminals.
    pub(crate) fn messages(&self) -> usize {
        let stations = 0..self.stations.len();
        stations.map(|at| self.shown(at)).sum()
    }

    /// Waits until so many more messages were shown than these: whoever sends and reads no code
    /// leaves it to be taken for the next one's.
    pub(crate) async fn has_shown(&self, more: usize, before: usize) {
        let not_shown = format!("{more} messages are not shown");
        until(&not_shown, || self.messages() >= before + more).await;
    }

    /// Reads all codes that a server has shown in its terminal, the oldest first.
    pub(crate) fn codes<T>(&self, at: usize, read: impl FnOnce(&[String]) -> T) -> T {
        let station = &self.stations[at % self.stations.len()];
        let mut shown = station.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = self.server(at).stdout.since(shown.lines);
        shown.lines += fresh.len();
        let code = |line: &String| line.strip_prefix("  code   ").map(str::to_owned);
        shown.codes.extend(fresh.iter().filter_map(code));
        read(&shown.codes)
    }

    /// The code that a server shows after so many others.
    pub(crate) async fn code_after(&self, at: usize, shown: usize) -> String {
        let clock = Stopwatch::start();
        loop {
            if let Some(code) = self.codes(at, |codes| codes.get(shown).cloned()) {
                return code;
            }
            let said = || self.log(at);
            assert!(clock.elapsed() < PATIENCE, "no code is shown: {}", said());
            pause().await;
        }
    }

    fn server(&self, at: usize) -> &Server {
        let station = &self.stations[at % self.stations.len()];
        station.server.as_ref().expect("it runs")
    }
}

/// All servers at once, on a store in which nothing is yet; in memory there is only the first.
async fn launched(kind: Kind, homes: [Home; SERVERS]) -> Vec<Station> {
    let [a, b, c, d] = &homes;
    let servers = match kind {
        Kind::Memory => vec![a.serve().await],
        _ => <[Server; SERVERS]>::from(tokio::join!(a.serve(), b.serve(), c.serve(), d.serve()))
            .into(),
    };
    let station = |(home, server)| Station {
        home,
        server: Some(server),
        shown: Mutex::default(),
    };
    homes.into_iter().zip(servers).map(station).collect()
}
