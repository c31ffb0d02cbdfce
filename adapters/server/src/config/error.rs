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
