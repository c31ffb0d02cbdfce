//! The store in a process of its own, which is killed with -9 in the middle of its writes.
//!
//! The child is this same test binary. It calls back on a loopback port, and ends when the
//! connection does; a request and its answer are one line of JSON each.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{RecordKey, SessionStore, StoreError, Timestamp};
use countersign_conformance::{Disaster, Harness};
use countersign_example_redb::RedbStore;
use serde_json::{Value, json};
use tempfile::TempDir;

const CALL_BACK: &str = "COUNTERSIGN_REDB_CALL_BACK";
const DATA: &str = "COUNTERSIGN_REDB_DATA";

/// Writes that are under way when the process is killed.
const UNDER_WAY: u64 = 32;

pub(crate) struct Killed {
    folder: TempDir,
    process: Mutex<Option<Arc<Process>>>,
    kills: Mutex<u64>,
}

impl Killed {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            process: Mutex::default(),
            kills: Mutex::default(),
        }
    }

    pub(crate) fn kills(&self) -> u64 {
        *self.kills.lock().unwrap()
    }

    fn process(&self) -> Arc<Process> {
        let mut process = self.process.lock().unwrap();
        let start = || Arc::new(Process::start(&self.folder.path().join("records.redb")));
        Arc::clone(process.get_or_insert_with(start))
    }

    /// Kills the process; the file is what it left.
    fn kill(&self) {
        let process = self.process.lock().unwrap().take().unwrap();
        let mut kills = self.kills.lock().unwrap();
        *kills += 1;
        process.kill(*kills * UNDER_WAY);
    }
}

#[async_trait]
impl Harness for Killed {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(self.process())
    }

    async fn reopen(
        &self,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        drop(store);
        let process = self.process.lock().unwrap().take()?;
        process.end();
        Some(self.open().await)
    }

    async fn strike(
        &self,
        disaster: Disaster,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        if disaster != Disaster::Kill {
            return None;
        }
        drop(store);
        self.kill();
        Some(self.open().await)
    }
}

/// The store's process, seen from this one.
#[derive(Debug)]
struct Process {
    child: Mutex<Child>,
    queue: StepQueue,
    wire: Mutex<BufReader<TcpStream>>,
}

impl Process {
    fn start(data: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::the_child_answers_its_parent"])
            .env(CALL_BACK, listener.local_addr().unwrap().to_string())
            .env(DATA, data)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (stream, _) = listener.accept().unwrap();
        Self {
            child: Mutex::new(child),
            queue: StepQueue::new(),
            wire: Mutex::new(BufReader::new(stream)),
        }
    }

    /// Kills it when the first of its writes from `first` on is answered, and so in the
    /// middle of another.
    fn kill(&self, first: u64) {
        let life = self.ask(&json!(["load", first.to_be_bytes()])).unwrap()["life"].clone();
        {
            let mut wire = self.wire.lock().unwrap();
            for key in first..first + UNDER_WAY {
                let swap = json!(["swap", key.to_be_bytes(), null, [1], null, life]);
                say(wire.get_mut(), &swap).unwrap();
            }
            wire.read_line(&mut String::new()).unwrap();
        }
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }

    /// Lets the child close its store and end.
    fn end(&self) {
        let both = std::net::Shutdown::Both;
        self.wire.lock().unwrap().get_ref().shutdown(both).unwrap();
        assert!(self.child.lock().unwrap().wait().unwrap().success());
    }

    fn ask(&self, request: &Value) -> Result<Value, StoreError> {
        let lost = |error: std::io::Error| StoreError::indeterminate(error.to_string());
        let mut wire = self.wire.lock().unwrap();
        say(wire.get_mut(), request).map_err(lost)?;
        let mut answer = String::new();
        wire.read_line(&mut answer).map_err(lost)?;
        let answer: Value = serde_json::from_str(&answer)
            .map_err(|error| StoreError::indeterminate(error.to_string()))?;
        match answer.get("error") {
            Some(error) => Err(StoreError::indeterminate(error.to_string())),
            None => Ok(answer),
        }
    }
}

#[async_trait]
impl SessionStore for Process {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let answer = self.ask(&json!(["load", key.to_bytes()]))?;
        Ok(Loaded {
            value: bytes(&answer["value"]),
            now: Timestamp::from_millis(answer["now"].as_u64().unwrap()),
            incarnation: Incarnation::new(answer["life"].as_u64().unwrap()),
        })
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let after = next.garbage_after.map(Timestamp::as_millis);
        let life = incarnation.number();
        let answer = self.ask(&json!([
            "swap",
            key.to_bytes(),
            seen,
            next.bytes,
            after,
            life
        ]))?;
        let done = answer["done"].as_bool().unwrap();
        Ok(if done { Swap::Done } else { Swap::Lost })
    }

    fn queue(&self) -> Option<&StepQueue> {
        Some(&self.queue)
    }

    fn durability(&self) -> Durability {
        Durability::PowerLoss
    }
}

/// Does nothing unless it is the child of the test above.
#[test]
fn the_child_answers_its_parent() {
    let (Some(parent), Some(data)) = (std::env::var_os(CALL_BACK), std::env::var_os(DATA)) else {
        return;
    };
    let store = RedbStore::open(PathBuf::from(data)).unwrap();
    let mut stream = TcpStream::connect(parent.to_str().unwrap()).unwrap();
    let requests = BufReader::new(stream.try_clone().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for request in requests.lines() {
        let request = serde_json::from_str(&request.unwrap()).unwrap();
        let answer = runtime.block_on(answer(&store, &request));
        let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        say(&mut stream, &answer).unwrap();
    }
}

async fn answer(store: &RedbStore, request: &Value) -> Result<Value, StoreError> {
    match request[0].as_str().unwrap() {
        "load" => {
            let loaded = store.load(key(&request[1])).await?;
            let (now, life) = (loaded.now.as_millis(), loaded.incarnation.number());
            Ok(json!({ "value": loaded.value, "now": now, "life": life }))
        }
        "swap" => {
            let (seen, next) = (bytes(&request[2]), bytes(&request[3]).unwrap());
            let garbage_after = request[4].as_u64().map(Timestamp::from_millis);
            let next = Entry {
                bytes: &next,
                garbage_after,
            };
            let life = Incarnation::new(request[5].as_u64().unwrap());
            let key = key(&request[1]);
            let swap = store.swap(key, seen.as_deref(), next, life).await?;
            Ok(json!({ "done": swap == Swap::Done }))
        }
        other => panic!("{other} is no request"),
    }
}

/// One line in one packet: in pieces, each would wait for the last one's receipt.
fn say(stream: &mut TcpStream, line: &Value) -> std::io::Result<()> {
    stream.write_all(format!("{line}\n").as_bytes())
}

fn key(array: &Value) -> RecordKey {
    RecordKey::from_bytes(bytes(array).unwrap().try_into().unwrap())
}

fn bytes(array: &Value) -> Option<Vec<u8>> {
    let byte = |byte: &Value| u8::try_from(byte.as_u64().unwrap()).unwrap();
    Some(array.as_array()?.iter().map(byte).collect())
}
