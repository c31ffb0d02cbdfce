//! The library of functions that runs inside Redis.

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// All libraries of ours begin with this, whatever release they are of.
pub(crate) const PREFIX: &str = "countersign_";

const PARTS: [&str; 8] = [
    include_str!("lua/moment.lua"),
    include_str!("lua/bytes.lua"),
    include_str!("lua/window.lua"),
    include_str!("lua/record.lua"),
    include_str!("lua/memo.lua"),
    include_str!("lua/guess.lua"),
    include_str!("lua/check.lua"),
    include_str!("lua/register.lua"),
];
const NAME: &str = "@NAME@";
const GENERATION: &str = "\nlocal GENERATION = '";

/// The generation of a store that no operator has ever fenced.
pub(crate) const FIRST: &str = "00000000000000000000000000000000";

/// The library of this release. Its name is made from its code, so that two releases that
/// differ never use each other's, and run side by side.
pub(crate) struct Library {
    pub(crate) name: String,
    body: String,
}

/// The library, made once.
pub(crate) static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let body = PARTS.concat();
    let mut name = PREFIX.to_owned();
    for byte in Sha256::digest(&body).iter().take(4) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    let body = body.replace(NAME, &name);
    Library { name, body }
});

impl Library {
    /// The full name of one of its functions.
    pub(crate) fn function(&self, function: &str) -> String {
        format!("{}_{function}", self.name)
    }

    /// The code to load, with the operator's generation in it.
    pub(crate) fn code(&self, generation: &str) -> String {
        format!(
            "#!lua name={}{GENERATION}{generation}'\n{}",
            self.name, self.body
        )
    }
}

/// The generation in a library's code, of whatever release.
pub(crate) fn generation_of(code: &str) -> Option<&str> {
    let (_, rest) = code.split_once(GENERATION)?;
    let generation = rest.split('\'').next()?;
    let is_one =
        generation.len() == FIRST.len() && generation.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then_some(generation)
}

/// The same code with another generation.
pub(crate) fn renewed(code: &str, generation: &str) -> Option<String> {
    let old = format!("{GENERATION}{}'", generation_of(code)?);
    Some(code.replacen(&old, &format!("{GENERATION}{generation}'"), 1))
}

/// A generation that never was.
pub(crate) fn fresh_generation() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_found_and_replaced() {
        let code = LIBRARY.code(FIRST);
        assert_eq!(generation_of(&code), Some(FIRST));
        let fresh = fresh_generation().unwrap();
        let other = renewed(&code, &fresh).unwrap();
        assert_eq!(generation_of(&other), Some(fresh.as_str()));
        assert_eq!(other, LIBRARY.code(&fresh));
        assert_eq!(renewed("#!lua name=countersign_x\n", &fresh), None);
    }

    #[test]
    fn no_placeholder_is_left() {
        let code = LIBRARY.code(FIRST);
        assert!(!code.contains(NAME));
        assert!(code.starts_with("#!lua name=countersign_"));
        assert_eq!(LIBRARY.name.len(), PREFIX.len() + 8);
    }
}
