//! Starters for real counterparts: a test CA, aiosmtpd, Exim, and what others are
//! started with.
//!
//! Each is stopped when it is dropped, and by itself when the test process dies: it ends
//! when its standard input closes.

pub(crate) mod ca;
pub(crate) mod copied;
pub(crate) mod dice;
pub(crate) mod exim;
pub(crate) mod guesses;
pub(crate) mod http_fake;
pub(crate) mod keyless;
pub(crate) mod leash;
pub(crate) mod ledger;
pub(crate) mod long;
pub(crate) mod mail;
pub(crate) mod memory;
pub(crate) mod moto;
pub(crate) mod needles;
pub(crate) mod ports;
pub(crate) mod postgres;
pub(crate) mod prism;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod second_opinion;
pub(crate) mod server;
pub(crate) mod smsc;
pub(crate) mod smtp;
pub(crate) mod twilio;
pub(crate) mod uniform;
pub(crate) mod used;

use std::path::PathBuf;

/// The user that the mail servers know.
pub(crate) const USER: &str = "mailer";
/// Its password.
pub(crate) const PASSWORD: &str = "correct horse";

/// What makes HTTP clients of tests. The deliverers' reqwest has TLS without a provider of
/// cryptography of its own (each names ring), so that a client with reqwest's own settings
/// needs one for the whole process.
pub(crate) fn http_builder() -> reqwest::ClientBuilder {
    // An error says that it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

/// An HTTP client.
pub(crate) fn http_client() -> reqwest::Client {
    http_builder().build().expect("a client")
}

/// The folder `tests`, from the packages that start parts: the suites' and the benches'.
fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

/// A file in `tests/parts`.
pub(crate) fn script(name: &str) -> PathBuf {
    tests().join("parts").join(name)
}

/// The Python that has the packages of `tests/parts/requirements.txt`.
pub(crate) fn python() -> PathBuf {
    if let Some(named) = std::env::var_os("COUNTERSIGN_PYTHON") {
        return named.into();
    }
    let own = tests().join(".parts/venv/bin/python");
    if own.exists() { own } else { "python3".into() }
}
