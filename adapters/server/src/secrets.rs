//! The secret file: the pseudonym key, then master keys, the one for new sessions first.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign::{KeyError, KeyRing, Secret};
use zeroize::Zeroizing;

use crate::config::{self, SECRET_FILE};
use crate::failure::Failure;
use crate::private_file;

const HEADER: &str = "\
# Countersign's secrets. Whoever has them and the database can try out which codes and
# destinations are in it; whoever loses them loses every open session and every limit. Keep
# this file at mode 0600, and a copy in a safe place.
#
# `pseudonym` never changes. To rotate: add a line `master = …` of a fresh file at the end
# on every server and restart them, then move that line above the others and restart them
# again. An old master line may go once its sessions are over (a day at most).
";

/// What the secret file holds.
pub(crate) struct Secrets {
    pseudonym: Secret,
    masters: Vec<Secret>,
}

impl Secrets {
    /// Fresh ones.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        Ok(Self {
            pseudonym: Secret::generate()?,
            masters: vec![Secret::generate()?],
        })
    }

    /// The secrets of the file at `path`, which are made if it is not there and `make`
    /// says so.
    pub(crate) fn open(path: &Path, make: bool) -> Result<Self, Failure> {
        if make && !path.exists() {
            let fresh = Self::generate().map_err(|error| Failure::Runtime(error.to_string()))?;
            let new = private_file::make(path, &fresh.render()).map_err(|error| {
                let shown = called(path);
                Failure::config(format!("secret_file: cannot make {shown}: {error}"))
            })?;
            if new {
                tracing::info!(file = %path.display(), "secrets were made: keep a copy in a safe place");
            }
        }
        let shown = called(path);
        let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
            Failure::config(format!(
                "secret_file: cannot read {shown}: {error}; `countersign serve` makes it at its \
                 first start, `countersign secret new` prints a fresh one"
            ))
        })?;
        private_file::warn_if_open(path);
        Self::parse(&text)
            .map_err(|problem| Failure::config(format!("secret_file: {shown} {problem}")))
    }

    /// The keys derived from the secrets.
    pub(crate) fn ring(&self) -> Result<KeyRing, Failure> {
        KeyRing::new(&self.pseudonym, &self.masters)
            .map_err(|error| Failure::config(format!("secret_file: {error}")))
    }

    /// The file's text.
    pub(crate) fn render(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(HEADER.to_owned());
        let labelled = std::iter::once(("pseudonym", &self.pseudonym))
            .chain(self.masters.iter().map(|master| ("master", master)));
        for (label, secret) in labelled {
            let encoded = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(secret.reveal()));
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{label} = {}", encoded.as_str());
        }
        text
    }

    /// Reads the file's text. An error names a line and quotes nothing of it.
    fn parse(text: &str) -> Result<Self, String> {
        let (mut pseudonym, mut masters) = (None, Vec::new());
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = number + 1;
            let (label, value) = line.split_once('=').ok_or_else(|| {
                format!("line {number}: expected `pseudonym = …` or `master = …`")
            })?;
            // Padding is what other tools add; it says nothing.
            let bytes = BASE64_URL_SAFE_NO_PAD
                .decode(value.trim().trim_end_matches('='))
                .map_err(|_| format!("line {number}: expected base64url"))?;
            let secret = Secret::new(bytes).map_err(|error| format!("line {number}: {error}"))?;
            match label.trim() {
                "pseudonym" if pseudonym.is_none() => pseudonym = Some(secret),
                "pseudonym" => return Err(format!("line {number}: a second pseudonym key")),
                "master" => masters.push(secret),
                _ => return Err(format!("line {number}: expected `pseudonym` or `master`")),
            }
        }
        let pseudonym = pseudonym.ok_or("has no line `pseudonym = …`")?;
        if masters.is_empty() {
            return Err("has no line `master = …`".to_owned());
        }
        Ok(Self { pseudonym, masters })
    }
}

/// How a message calls the secret file; nobody wrote the default, which hides nothing.
pub(crate) fn called(path: &Path) -> String {
    if path == Path::new(SECRET_FILE) {
        return SECRET_FILE.to_owned();
    }
    config::called(path)
}

/// A secret of text for dashboard tokens, as the file beside the master keys holds it.
pub(crate) fn generate_text() -> Result<Zeroizing<String>, KeyError> {
    let secret = Secret::generate()?;
    Ok(Zeroizing::new(
        BASE64_URL_SAFE_NO_PAD.encode(secret.reveal()),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_rendered_reads_back_to_the_same_keys() {
        let mut secrets = Secrets::generate().unwrap();
        secrets.masters.push(Secret::generate().unwrap());
        let again = Secrets::parse(&secrets.render()).unwrap();
        assert_eq!(again.masters.len(), 2);
        for (one, other) in secrets.masters.iter().zip(&again.masters) {
            assert_eq!(
                one.reveal(),
                other.reveal(),
                "the order says which is newest"
            );
        }
        let (one, other) = (secrets.ring().unwrap(), again.ring().unwrap());
        assert_eq!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn a_secret_file_is_made_once_at_mode_0600_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/secret");
        let first = Secrets::open(&path, true).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = Secrets::open(&path, true).unwrap();
        assert_eq!(
            first.ring().unwrap().fingerprint(),
            again.ring().unwrap().fingerprint(),
            "a second start keeps every limit"
        );
    }

    #[test]
    fn a_missing_file_is_not_made_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let refused = Secrets::open(&path, false)
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("countersign secret new"), "{refused}");
        assert!(!path.exists());
    }

    #[test]
    fn what_is_wrong_in_it_is_named_by_line_and_never_quoted() {
        let good = BASE64_URL_SAFE_NO_PAD.encode([7; 32]);
        let short = BASE64_URL_SAFE_NO_PAD.encode([7; 16]);
        for (text, expected) in [
            (format!("master = {good}"), "has no line `pseudonym"),
            (format!("pseudonym = {good}"), "has no line `master"),
            (
                format!("pseudonym = {good}\nmaster = {short}"),
                "line 2: a secret has 16 bytes",
            ),
            (
                format!("pseudonym = {good}\npseudonym = {good}"),
                "line 2: a second pseudonym",
            ),
            (
                format!("#\npseudonym = {good}!"),
                "line 2: expected base64url",
            ),
            (
                format!("old = {good}"),
                "line 1: expected `pseudonym` or `master`",
            ),
            (good.clone(), "line 1: expected `pseudonym = …`"),
        ] {
            let problem = Secrets::parse(&text).map(drop).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
            assert!(!problem.contains(&good[..8]), "{problem}");
        }
    }
}
