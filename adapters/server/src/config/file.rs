//! The TOML file: what is wrong in it is said with its line.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::error::{is_plain, unquoted};
use super::raw::Raw;

/// A configuration file, as it was written.
pub(super) struct File {
    name: String,
    text: String,
}

impl File {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(ConfigError::new(
                "",
                format!("cannot read the configuration {name}: {error}"),
            )),
        }
    }

    #[cfg(test)]
    pub(super) fn of(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Its keys, all of them known and of the right type.
    pub(super) fn table(&self) -> Result<toml::Table, ConfigError> {
        // Read twice: as a `Raw` alone do wrong types and unknown keys have a place in
        // the text, and the environment can be laid over a table alone.
        toml::from_str::<Raw>(&self.text).map_err(|error| self.wrong(&error))?;
        toml::from_str(&self.text).map_err(|error| self.wrong(&error))
    }

    /// Where `field` is set: the file and the line.
    pub(super) fn place_of(&self, field: &str) -> Option<String> {
        let key = self.keys().into_iter().find(|key| key.name == field)?;
        Some(self.place_at(key.start))
    }

    /// The parser's error without the line's text, which may hold a secret.
    fn wrong(&self, error: &toml::de::Error) -> ConfigError {
        let message = unquoted(error.message());
        let Some(span) = error.span() else {
            return ConfigError::new("", message).at(Some(self.name.clone()));
        };
        let field = self.field_at(&span).unwrap_or_default();
        ConfigError::new(field, message).at(Some(self.place_at(span.start)))
    }

    fn place_at(&self, start: usize) -> String {
        let before = self.text.get(..start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        format!("{} line {line}", self.name)
    }

    fn field_at(&self, span: &Range<usize>) -> Option<String> {
        let begun = self
            .keys()
            .into_iter()
            .filter(|key| key.start <= span.start);
        begun.max_by_key(|key| key.start).map(|key| key.name)
    }

    /// Every key and section; none where the text is no TOML. Whatever looks like a key is
    /// not enough: the lines of a private key end in `=`, and would be shown.
    fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        if let Ok(table) = DeTable::parse(&self.text) {
            note(&mut keys, "", table.get_ref());
        }
        keys
    }
}

/// A key, by its dotted name, and where it begins.
struct Key {
    name: String,
    start: usize,
}

fn note(keys: &mut Vec<Key>, section: &str, table: &DeTable<'_>) {
    for (key, value) in table {
        let name = match (section, key.get_ref()) {
            // None of ours, and so perhaps a value.
            (section, key) if !is_plain(key) => section.to_owned(),
            ("", key) => key.to_string(),
            (section, key) => format!("{section}.{key}"),
        };
        match value.get_ref() {
            DeValue::Table(table) => note(keys, &name, table),
            DeValue::Array(items) => {
                let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                tables.for_each(|table| note(keys, &name, table));
            }
            _ => {}
        }
        let start = key.span().start;
        keys.push(Key { name, start });
    }
}
