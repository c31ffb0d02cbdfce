//! Prism, which answers as an OpenAPI document says, and the vendors' documents.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::leash::Leash;
use super::ports::free_port;

/// A vendor's OpenAPI document. They are not ours to keep, so they lie beside the checkout,
/// or in the folder that `COUNTERSIGN_CONTRACTS` names.
///
/// None where it is missing, after a line that says so; where `CI` is `true` that fails.
pub(crate) fn contract(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/contracts");
    let folder = std::env::var_os("COUNTERSIGN_CONTRACTS").map_or(beside, PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    let sentence = format!(
        "not run: {name} is not in {}; set COUNTERSIGN_CONTRACTS to its folder",
        folder.display()
    );
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{sentence}");
    eprintln!("{sentence}");
    None
}

/// Reads a document.
pub(crate) fn read(contract: &Path) -> Value {
    let text = std::fs::read(contract).expect("the document");
    serde_json::from_slice(&text).expect("JSON")
}

/// A running Prism.
#[derive(Debug)]
pub(crate) struct Prism {
    port: u16,
    _process: Leash,
    _folder: TempDir,
}

impl Prism {
    /// Serves these paths of a document, and refuses what it does not allow. Prism thinks
    /// for a minute about all of Twilio's.
    pub(crate) fn start(mut document: Value, paths: &[&str]) -> Self {
        let all = document["paths"].as_object_mut().expect("paths");
        all.retain(|path, _| paths.contains(&path.as_str()));
        assert_eq!(all.len(), paths.len(), "the document has all of them");
        let program = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(".parts/npm/node_modules/@stoplight/prism-cli/dist/index.js");
        assert!(
            program.exists(),
            "prism is missing: install it with `./tests/run parts`"
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("prism.log");
        let contract = folder.path().join("contract.json");
        std::fs::write(&contract, document.to_string()).expect("a file");
        let port = free_port();
        let named = port.to_string();
        let process = Leash::start(
            &[
                "node".as_ref(),
                program.as_os_str(),
                "mock".as_ref(),
                "-h".as_ref(),
                "127.0.0.1".as_ref(),
                "-p".as_ref(),
                named.as_ref(),
                "--errors".as_ref(),
                contract.as_os_str(),
            ],
            &log,
        );
        for _ in 0..6000 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Self {
                    port,
                    _process: process,
                    _folder: folder,
                };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        panic!("prism does not listen after five minutes: {said}");
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
