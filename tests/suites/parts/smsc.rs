//! A message centre with scripted answers: node-smpp, by `tests/parts/smsc.js`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::ca::TestCa;
use super::script;

/// What no test waits for in vain.
const BOUND: Duration = Duration::from_secs(60);

/// A running message centre. It ends when it is dropped, and by itself when the test's
/// process does.
pub(crate) struct Smsc {
    child: Child,
    stdin: ChildStdin,
    events: UnboundedReceiver<Value>,
    ports: Value,
    pub(crate) ca: TestCa,
}

impl Smsc {
    pub(crate) fn start() -> Self {
        let ca = TestCa::make();
        let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join(".parts/npm/node_modules");
        assert!(
            packages.join("smpp").exists(),
            "the npm package smpp is missing: install it with `./tests/run parts`"
        );
        let mut child = Command::new("node")
            .arg(script("smsc.js"))
            .args([ca.certificate(), ca.key()])
            .env("NODE_PATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is missing: install it with `./tests/run parts`");
        let stdin = child.stdin.take().expect("piped");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().and_then(Result::ok).expect("its ports");
        let ports = serde_json::from_str(&first).expect("JSON");
        let (tell, events) = unbounded_channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("JSON");
                if tell.send(event).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            stdin,
            events,
            ports,
            ca,
        }
    }

    /// The port of a listener: `plain` or `tls`.
    pub(crate) fn port(&self, listener: &str) -> u16 {
        let port = self.ports[listener].as_u64().expect("a port");
        port.try_into().expect("a port")
    }

    /// Has orders carried out, and returns all that happened before.
    pub(crate) async fn order(&mut self, orders: Value) -> Vec<Value> {
        writeln!(self.stdin, "{orders}").expect("it listens");
        let mut before = self.until("settled").await;
        before.pop();
        before
    }

    /// All that happened since the last call.
    pub(crate) async fn happened(&mut self) -> Vec<Value> {
        self.order(json!({})).await
    }

    /// The messages that were submitted since the last call.
    pub(crate) async fn submits(&mut self) -> Vec<Value> {
        only(self.happened().await, "submit")
    }

    /// The next event of this name; what happened before is passed by.
    pub(crate) async fn next(&mut self, name: &str) -> Value {
        self.until(name).await.pop().expect("the event itself")
    }

    async fn until(&mut self, name: &str) -> Vec<Value> {
        let mut passed = Vec::new();
        loop {
            let event = tokio::time::timeout(BOUND, self.events.recv()).await;
            let event = event.unwrap_or_else(|_| panic!("no {name}, but {passed:?}"));
            passed.push(event.unwrap_or_else(|| panic!("it ended without {name}: {passed:?}")));
            if passed.last().is_some_and(|event| event["event"] == name) {
                return passed;
            }
        }
    }
}

/// The events of this name.
pub(crate) fn only(mut events: Vec<Value>, name: &str) -> Vec<Value> {
    events.retain(|event| event["event"] == name);
    events
}

impl Drop for Smsc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
