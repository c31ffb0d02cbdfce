//! Names that callers choose: tenants and purposes.

use std::fmt;

use thiserror::Error;

use crate::keys::Tag;

/// Which bytes a name may have.
const IN_NAMES: [bool; 256] = {
    let (mut known, mut rest) = ([false; 256], NAME_CHARACTERS);
    while let [byte, others @ ..] = rest {
        known[*byte as usize] = true;
        rest = others;
    }
    known
};

const NAME_CHARACTERS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@/+=-";

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a name has 1 to 64 characters of A–Z a–z 0–9 . _ : @ / + = -")]
#[non_exhaustive]
pub struct InvalidName;

/// The owner of an API key. Nothing crosses from one tenant to another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tenant {
    name: String,
    tag: Tag,
}

/// Why a session was opened: a code is good for its own purpose only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Purpose {
    name: String,
    tag: Tag,
}

impl Tenant {
    /// The tenant called `name`.
    ///
    /// # Errors
    /// [`InvalidName`] unless it has 1 to 64 of the allowed characters.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let tag = Tag::of("tenant", valid(name)?);
        Ok(Self {
            name: name.to_owned(),
            tag,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The eight bytes that stand for it in records.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.tag
    }
}

impl Purpose {
    /// The purpose called `name`.
    ///
    /// # Errors
    /// [`InvalidName`] unless it has 1 to 64 of the allowed characters.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let tag = Tag::of("purpose", valid(name)?);
        Ok(Self {
            name: name.to_owned(),
            tag,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The eight bytes that stand for it in records.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.tag
    }
}

impl Default for Purpose {
    /// `verify`.
    fn default() -> Self {
        Self {
            name: "verify".to_owned(),
            tag: Tag::of("purpose", "verify"),
        }
    }
}

fn valid(name: &str) -> Result<&str, InvalidName> {
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(|b| IN_NAMES[usize::from(b)]);
    if fits { Ok(name) } else { Err(InvalidName) }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({})", self.name)
    }
}

impl fmt::Debug for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Purpose({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_1_to_64_plain_characters() {
        let longest = "n".repeat(64);
        for name in [
            "a",
            "acme",
            "Acme.Shop_1",
            "user:42@eu/west+x=y-z",
            longest.as_str(),
        ] {
            assert_eq!(Tenant::new(name).unwrap().name(), name);
            assert_eq!(Purpose::new(name).unwrap().name(), name);
        }
        let too_long = "n".repeat(65);
        for name in [
            "",
            " ",
            "a b",
            "a\n",
            "a\r\nX: y",
            "a\0",
            "naïve",
            "a\"b",
            "{{code}}",
            "<b>",
            "a%0d",
            "\u{202e}a",
            too_long.as_str(),
        ] {
            assert_eq!(Tenant::new(name), Err(InvalidName), "{name:?}");
            assert_eq!(Purpose::new(name), Err(InvalidName), "{name:?}");
        }
    }

    #[test]
    fn names_show_in_debug() {
        let (tenant, purpose) = (Tenant::new("acme").unwrap(), Purpose::default());
        assert_eq!(
            format!("{tenant:?} {purpose:?}"),
            "Tenant(acme) Purpose(verify)"
        );
    }

    #[test]
    fn a08_a09_names_of_different_sorts_or_spellings_have_different_tags() {
        let tenant = |name| Tenant::new(name).unwrap().tag();
        let purpose = |name| Purpose::new(name).unwrap().tag();
        assert_eq!(tenant("acme"), tenant("acme"));
        assert_ne!(tenant("acme"), tenant("Acme"));
        assert_ne!(tenant("acme"), purpose("acme"));
        assert_ne!(purpose("login"), purpose("reset"));
        assert_eq!(Purpose::default(), Purpose::new("verify").unwrap());
    }
}
