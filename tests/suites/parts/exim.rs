//! Exim, delivering to a Maildir: `tests/parts/exim.sh`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::ca::TestCa;
use super::mail::Mail;
use super::ports::free_port;
use super::{python, script};

/// A running Exim with one user, `user@example.org`.
pub(crate) struct Exim {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) ca: TestCa,
}

impl Exim {
    pub(crate) fn start() -> Self {
        let ca = TestCa::make();
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Exim gives up its rights and must still reach its files.
        for name in ["leaf.pem", "leaf.key"] {
            let from = ca.certificate().with_file_name(name);
            std::fs::copy(from, folder.path().join(name)).expect("copied");
        }
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).expect("permissions");
        let port = free_port();
        let mut child = Command::new(script("exim.sh"))
            .arg(folder.path())
            .arg(port.to_string())
            .args([
                folder.path().join("leaf.pem"),
                folder.path().join("leaf.key"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh runs");
        let mut first = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        lines.read_line(&mut first).expect("a line");
        assert_eq!(
            first.trim(),
            "ready",
            "Exim did not start: install it with `./tests/run parts` (apt-get install exim4-daemon-light)"
        );
        Self {
            child,
            folder,
            port,
            ca,
        }
    }

    /// Delivers the queue and reads the Maildir.
    pub(crate) fn delivered(&self) -> Vec<Mail> {
        let done = Command::new("/usr/sbin/exim4")
            .arg("-C")
            .arg(self.folder.path().join("exim.conf"))
            .arg("-qff")
            .status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "exim4 -qff failed"
        );
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("mail/new")) else {
            return Vec::new();
        };
        entries
            .map(|entry| {
                let read = Command::new(python())
                    .arg(script("mail_json.py"))
                    .arg(entry.expect("an entry").path())
                    .output()
                    .expect("python runs");
                Mail(serde_json::from_slice(&read.stdout).expect("JSON"))
            })
            .collect()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        // The script stops Exim when its standard input closes.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
