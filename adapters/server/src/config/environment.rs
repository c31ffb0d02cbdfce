//! The environment: `COUNTERSIGN_STORE__URL` is `store.url`, lists by commas.

use std::ffi::OsString;

use toml::{Table, Value};

use super::ConfigError;
use super::error::{A_SECTION, unquoted};
use super::raw::Raw;

const PREFIX: &str = "COUNTERSIGN_";

/// Variables with the prefix that are no part of the configuration: the file's name, the
/// log filter, and what the test suites use.
const RESERVED: [&str; 6] = [
    "COUNTERSIGN_CONFIG",
    "COUNTERSIGN_LOG",
    "COUNTERSIGN_LONG",
    "COUNTERSIGN_PYTHON",
    "COUNTERSIGN_SEED",
    "COUNTERSIGN_SERVER",
];
const RESERVED_PREFIX: &str = "COUNTERSIGN_TEST_";

/// The settings of the environment, each known and of the right type.
pub(super) struct Overlay(Vec<Setting>);

struct Setting {
    variable: String,
    path: Vec<String>,
    value: Value,
}

impl Overlay {
    /// Reads what belongs to the configuration.
    pub(super) fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut settings = Vec::new();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str().filter(|name| is_ours(name)) else {
                continue;
            };
            let value = value.to_str().ok_or_else(|| {
                ConfigError::new("", "is not UTF-8").at(Some(variable.to_owned()))
            })?;
            settings.push(Setting::read(variable, value)?);
        }
        // A fixed order, so that the same environment always gives the same error.
        settings.sort_by(|a, b| a.variable.cmp(&b.variable));
        Ok(Self(settings))
    }

    /// Sets what the environment says in `table`, over what is there.
    pub(super) fn lay_over(&self, table: &mut Table) {
        for setting in &self.0 {
            insert(table, &setting.path, setting.value.clone());
        }
    }

    /// The variable that sets `field`.
    pub(super) fn variable_of(&self, field: &str) -> Option<String> {
        let setting = self
            .0
            .iter()
            .find(|setting| setting.path.join(".") == field)?;
        Some(setting.variable.clone())
    }
}

impl Setting {
    /// Reads a variable as the type that its field has: text where text fits, else a
    /// number, a truth value or a list.
    fn read(variable: &str, text: &str) -> Result<Self, ConfigError> {
        let lower = variable.trim_start_matches(PREFIX).to_ascii_lowercase();
        let path: Vec<String> = lower.split("__").map(str::to_owned).collect();
        let mut told: Option<String> = None;
        for value in readings(text) {
            let mut table = Table::new();
            insert(&mut table, &path, value.clone());
            match table.try_into::<Raw>() {
                Ok(_) if value.is_array() && is_section(&path) => {
                    told = Some(A_SECTION.to_owned());
                }
                Ok(_) => {
                    return Ok(Self {
                        variable: variable.to_owned(),
                        path,
                        value,
                    });
                }
                Err(error) => {
                    // "Another type" is what a wrong reading says; anything else is
                    // what is wrong with the right one.
                    let message = error.message().replace('\n', ", ");
                    let vague = told
                        .as_deref()
                        .is_none_or(|old| old.starts_with("invalid type"));
                    if vague && (told.is_none() || !message.starts_with("invalid type")) {
                        told = Some(message);
                    }
                }
            }
        }
        let problem = unquoted(&told.unwrap_or_default());
        Err(ConfigError::new(path.join("."), problem).at(Some(variable.to_owned())))
    }
}

/// Whether keys are expected there: a list would be taken for their values, in some order.
fn is_section(path: &[String]) -> bool {
    let mut table = Table::new();
    insert(&mut table, path, Value::Table(Table::new()));
    // Keys may be missing; another kind of value is told before they are.
    match table.try_into::<Raw>() {
        Ok(_) => true,
        Err(error) => !error.message().starts_with("invalid type"),
    }
}

fn is_ours(variable: &str) -> bool {
    variable.starts_with(PREFIX)
        && !variable.starts_with(RESERVED_PREFIX)
        && !RESERVED.contains(&variable)
}

fn readings(text: &str) -> Vec<Value> {
    let list = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let list = Value::Array(list.map(|item| Value::String(item.to_owned())).collect());
    let number = text.trim().parse().ok().map(Value::Integer);
    let float = number
        .is_none()
        .then(|| text.trim().parse().ok().map(Value::Float))
        .flatten();
    let truth = text.trim().parse().ok().map(Value::Boolean);
    let plain = Value::String(text.to_owned());
    [Some(plain), number, float, truth, Some(list)]
        .into_iter()
        .flatten()
        .collect()
}

/// Sets `path` to `value`; what is no table on the way is replaced by one, since what
/// comes later weighs more.
fn insert(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [section, rest @ ..] => {
            let entry = table
                .entry(section.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            if !entry.is_table() {
                *entry = Value::Table(Table::new());
            }
            if let Value::Table(inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}
