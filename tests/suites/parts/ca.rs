//! A certificate authority of the test's own.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::script;

/// A CA and a certificate for `localhost` and `127.0.0.1` by it.
pub(crate) struct TestCa {
    folder: TempDir,
}

impl TestCa {
    pub(crate) fn make() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = Command::new(script("test_ca.sh"))
            .arg(folder.path())
            .status();
        assert!(
            made.is_ok_and(|status| status.success()),
            "no certificate: install openssl with `./tests/run parts` (apt-get install openssl)"
        );
        Self { folder }
    }

    /// The CA's certificate in PEM.
    pub(crate) fn pem(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("ca.pem")).expect("ca.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("leaf.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("leaf.key")
    }
}
