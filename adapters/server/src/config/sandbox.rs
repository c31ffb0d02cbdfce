//! Test destinations: a fixed code, and no message.

use countersign::{Code, Destination};
use serde::Deserialize;

use super::{ConfigError, SecretText};

/// `[[test_destination]]`: a number or an address, and the code that it always gets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTestDestination {
    to: SecretText,
    code: SecretText,
}

/// Test destinations; none in production, where whoever knows a code would pass.
pub(super) fn resolve(
    raw: &[RawTestDestination],
    production: bool,
) -> Result<Vec<(Destination, Code)>, ConfigError> {
    if production && !raw.is_empty() {
        return Err(ConfigError::new(
            "test_destination",
            "with production = true there are none: whoever knows the fixed code passes as its \
             destination",
        ));
    }
    raw.iter().map(one).collect()
}

fn one(raw: &RawTestDestination) -> Result<(Destination, Code), ConfigError> {
    let to = Destination::parse_any(raw.to.reveal())
        .map_err(|error| ConfigError::new("test_destination.to", error.to_string()))?;
    let code = Code::from_custom(raw.code.reveal())
        .map_err(|error| ConfigError::new("test_destination.code", error.to_string()))?;
    Ok((to, code))
}
