//! The TOML file: what is wrong in it is said with its line.

use std::ops::Range;
use std::path::Path;

use super::ConfigError;
use super::error::unquoted;
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
        let line = self
            .fields()
            .find(|(_, name, _)| name == field)
            .map(|(line, ..)| line);
        // A whole section is named by its heading.
        let line = line.or_else(|| {
            let heading = format!("[{field}]");
            self.text
                .lines()
                .position(|text| text.trim() == heading)
                .map(|at| at + 1)
        })?;
        Some(format!("{} line {line}", self.name))
    }

    /// The parser's error without the line's text, which may hold a secret.
    fn wrong(&self, error: &toml::de::Error) -> ConfigError {
        let message = unquoted(error.message());
        let Some(span) = error.span() else {
            return ConfigError::new("", message).at(Some(self.name.clone()));
        };
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let field = self.field_at(&span).unwrap_or_default();
        ConfigError::new(field, message).at(Some(format!("{} line {line}", self.name)))
    }

    fn field_at(&self, span: &Range<usize>) -> Option<String> {
        self.fields()
            .take_while(|(.., start)| *start <= span.start)
            .last()
            .map(|(_, name, _)| name)
    }

    /// Every `key =` with its line, dotted name and place. A reading by line is enough
    /// to name a place; what the keys mean is the parser's to say.
    fn fields(&self) -> impl Iterator<Item = (usize, String, usize)> {
        let mut section = String::new();
        let mut start = 0;
        self.text
            .split('\n')
            .enumerate()
            .filter_map(move |(number, line)| {
                let at = start;
                start += line.len() + 1;
                let code = line.trim();
                if let Some(heading) = code.strip_prefix('[') {
                    let name = heading
                        .trim_start_matches('[')
                        .split(']')
                        .next()
                        .unwrap_or_default();
                    section = format!("{}.", name.trim());
                    return None;
                }
                let (key, _) = code.split_once('=')?;
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
                let key = key.trim();
                key.bytes()
                    .all(plain)
                    .then(|| (number + 1, format!("{section}{key}"), at))
            })
    }
}
