//! What is wrong in a configuration, and where.

use std::fmt;

use thiserror::Error;

/// A field that stops the start.
#[derive(Debug, Error)]
pub(crate) struct ConfigError {
    field: String,
    problem: String,
    place: Option<String>,
}

impl ConfigError {
    /// `field` (dotted, as in the file; empty for the file as a whole) has `problem`.
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
            place: None,
        }
    }

    /// The field's dotted name.
    pub(crate) fn field(&self) -> &str {
        &self.field
    }

    /// The same, with the variable or the file and line it was set by.
    pub(crate) fn at(mut self, place: Option<String>) -> Self {
        if self.place.is_none() {
            self.place = place;
        }
        self
    }
}

pub(super) const A_SECTION: &str = "is a section: its keys are written below a line [section], or \
                                    in variables as COUNTERSIGN_SECTION__KEY";

/// What a reader of TOML says is wrong, without the value that it quotes: where a section is
/// written as one line, that is an address with its password.
pub(super) fn unquoted(message: &str) -> String {
    let message = message.replace('\n', ", ");
    if let Some(unknown) = message.strip_prefix("unknown field `") {
        let name = unknown.split('`').next().unwrap_or_default();
        return if is_plain(name) {
            message
        } else {
            "unknown field, whose name is none of ours".to_owned()
        };
    }
    let quotes = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
    ];
    if !quotes.iter().any(|quoting| message.starts_with(quoting)) {
        return message;
    }
    // The last one: a value may hold the word too.
    match message.rsplit_once("expected ") {
        Some((_, kind)) if kind.starts_with("struct ") => A_SECTION.to_owned(),
        Some((_, kind)) => format!("expected {kind}"),
        None => "has a value of another kind than is expected".to_owned(),
    }
}

/// Whether `key` is written as ours are. What is not may be a value in the place of a key.
pub(super) fn is_plain(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    key.bytes().all(plain)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.place.as_deref(), self.field.as_str()) {
            (Some(place), "") => write!(f, "{place}: {}", self.problem),
            (Some(place), field) => write!(f, "{field} ({place}): {}", self.problem),
            (None, "") => f.write_str(&self.problem),
            (None, field) => write!(f, "{field}: {}", self.problem),
        }
    }
}
