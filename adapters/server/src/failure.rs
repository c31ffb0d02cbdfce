//! Why the program ends otherwise than well: one sentence and an exit code.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigError;

/// What stops a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The configuration, or what it names: exit code 2, a restart will not help.
    Config(String),
    /// Anything else: exit code 1.
    Runtime(String),
}

impl Failure {
    /// A mistake of the configuration.
    pub(crate) fn config(sentence: impl Into<String>) -> Self {
        Self::Config(sentence.into())
    }

    /// What went wrong while `doing`, with the causes of `error`.
    pub(crate) fn runtime(doing: &str, error: &dyn Error) -> Self {
        Self::Runtime(format!("{doing}: {}", causes(error)))
    }

    /// The code that the process ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(2),
            Self::Runtime(_) => ExitCode::from(1),
        }
    }
}

/// An error and what is behind it, in one line; a cause that is part of its parent's
/// text is not repeated.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Config(sentence) | Self::Runtime(sentence)) = self;
        f.write_str(sentence)
    }
}

impl Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error.to_string())
    }
}
