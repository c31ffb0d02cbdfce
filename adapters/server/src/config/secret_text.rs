//! Text that must not be shown.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use zeroize::Zeroizing;

use super::ConfigError;

/// A secret of the configuration.
///
/// Withheld on purpose: `Display`, `Serialize`, `PartialEq`, `Deref` and `Clone`. It is
/// wiped on drop, its `Debug` is redacted, and a value of another type than text is
/// refused without being quoted.
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes `text` as a secret.
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, to be handed to what needs it and nowhere else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The secret that `path` holds, without the newline at its end.
    pub(crate) fn read(field: &str, path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| {
                ConfigError::new(field, format!("cannot read {}: {error}", called(path)))
            })?;
        let trimmed = text.strip_suffix('\n').unwrap_or(&text);
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        if trimmed.is_empty() {
            return Err(ConfigError::new(
                field,
                format!("{} is empty", called(path)),
            ));
        }
        Ok(Self::new(trimmed.to_owned()))
    }

    /// The secret of a field that has two forms, the text and the name of a file.
    pub(crate) fn either(
        field: &str,
        text: Option<Self>,
        file: Option<PathBuf>,
    ) -> Result<Option<Self>, ConfigError> {
        match (text, file) {
            (Some(_), Some(_)) => Err(ConfigError::new(
                field,
                "is set, and so is its `_file` form: set one of them",
            )),
            (text, None) => Ok(text),
            (None, Some(path)) => Self::read(&format!("{field}_file"), &path).map(Some),
        }
    }
}

/// How a message calls the file of a `…_file` key: by its path once there is something at it.
/// Until then what was written may be no path, but the secret that belongs into the file, and
/// no look at the text tells one from the other; whose key it is says where to look.
pub(crate) fn called(path: &Path) -> String {
    if path.exists() {
        path.display().to_string()
    } else {
        "the file that it names".to_owned()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOnly)
    }
}

struct TextOnly;

impl Visitor<'_> for TextOnly {
    type Value = SecretText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in quotes")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretText, E> {
        Ok(SecretText::new(text.to_owned()))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<SecretText, E> {
        Err(E::custom("invalid type: a number, expected text in quotes"))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<SecretText, E> {
        Err(E::custom("invalid type: a number, expected text in quotes"))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<SecretText, E> {
        Err(E::custom(
            "invalid type: true or false, expected text in quotes",
        ))
    }
}
