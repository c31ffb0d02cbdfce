//! Which store, by its URL.

use std::path::PathBuf;

/// A store that this release has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// In the process, gone with it.
    Memory,
    /// One file.
    Sqlite(PathBuf),
}

/// Schemes of stores that several servers share.
const SHARED: [&str; 6] = [
    "redis:",
    "rediss:",
    "redis+cluster:",
    "redis+sentinel:",
    "postgres:",
    "postgresql:",
];

impl StoreUrl {
    /// Reads a URL. What is refused is not quoted: it may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        if url == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') {
                return Err("a path is expected after `sqlite:`".to_owned());
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        match SHARED.iter().find(|scheme| url.starts_with(**scheme)) {
            Some(scheme) => Err(format!(
                "this release has no adapter for {scheme} stores yet: set sqlite:PATH or memory:"
            )),
            None => Err("expected sqlite:PATH or memory:".to_owned()),
        }
    }
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}
