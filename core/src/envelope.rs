//! The first ten bytes of every stored value: version, kind and tag.
//!
//! Records carry them too. Whatever else is kept in a store (API keys, facts about the
//! store itself) is sealed here, so that a value found under a key which is not its own
//! is refused and never used.
//!
//! ```
//! use countersign::{Kind, Tag, envelope};
//! let owner = Tag::of("tenant", "acme");
//! let value = envelope::seal(Kind::Meta, owner, b"a fact");
//! assert_eq!(envelope::open(Kind::Meta, owner, &value)?, b"a fact");
//! assert!(envelope::open(Kind::Meta, Tag::of("tenant", "other"), &value).is_err());
//! # Ok::<(), countersign::CorruptRecord>(())
//! ```

use crate::error::CorruptRecord;
use crate::keys::{Kind, Tag};

/// The version of every value that this release writes.
pub const VERSION: u8 = 1;

/// Bytes in front of the payload: version, kind and tag.
pub const HEADER_BYTES: usize = 10;

/// The most that a whole value takes, in bytes.
pub const MAX_BYTES: usize = 1024;

/// The value that holds `payload` for the owner tagged `tag`.
///
/// A payload above [`MAX_BYTES`] − [`HEADER_BYTES`] bytes is not cut: the value is
/// refused by [`open`], so check the length before you store it.
#[must_use]
pub fn seal(kind: Kind, tag: Tag, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER_BYTES + payload.len());
    value.extend_from_slice(&[VERSION, kind as u8]);
    value.extend_from_slice(&tag.to_bytes());
    value.extend_from_slice(payload);
    value
}

/// The payload of a value that must be of `kind` and owned by `tag`.
///
/// # Errors
/// [`CorruptRecord::Version`] for a version that this release does not know,
/// [`CorruptRecord::Foreign`] for another kind or owner, [`CorruptRecord::Encoding`] for
/// a value that is cut short or longer than [`MAX_BYTES`].
pub fn open(kind: Kind, tag: Tag, bytes: &[u8]) -> Result<&[u8], CorruptRecord> {
    if bytes.len() > MAX_BYTES {
        return Err(CorruptRecord::Encoding);
    }
    let (version, rest) = bytes.split_first().ok_or(CorruptRecord::Encoding)?;
    if *version != VERSION {
        return Err(CorruptRecord::Version(*version));
    }
    let (found, rest) = rest.split_first().ok_or(CorruptRecord::Encoding)?;
    let (owner, payload) = rest
        .split_first_chunk::<8>()
        .ok_or(CorruptRecord::Encoding)?;
    if *found != kind as u8 || *owner != tag.to_bytes() {
        return Err(CorruptRecord::Foreign);
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_by_its_owner_alone() {
        let (mine, other) = (Tag::of("tenant", "mine"), Tag::of("tenant", "other"));
        let value = seal(Kind::ApiKeys, mine, b"payload");
        assert_eq!(open(Kind::ApiKeys, mine, &value), Ok(b"payload".as_slice()));
        assert_eq!(
            open(Kind::ApiKeys, other, &value),
            Err(CorruptRecord::Foreign)
        );
        assert_eq!(open(Kind::Meta, mine, &value), Err(CorruptRecord::Foreign));
    }

    #[test]
    fn short_long_and_newer_values_are_refused() {
        let tag = Tag::default();
        let mut value = seal(Kind::Meta, tag, &[]);
        assert_eq!(open(Kind::Meta, tag, &value), Ok([].as_slice()));
        for short in 0..HEADER_BYTES {
            assert_eq!(
                open(Kind::Meta, tag, &value[..short]),
                Err(CorruptRecord::Encoding)
            );
        }
        let full = seal(Kind::Meta, tag, &[7; MAX_BYTES - HEADER_BYTES]);
        assert!(open(Kind::Meta, tag, &full).is_ok());
        let over = seal(Kind::Meta, tag, &[7; MAX_BYTES - HEADER_BYTES + 1]);
        assert_eq!(open(Kind::Meta, tag, &over), Err(CorruptRecord::Encoding));
        value[0] = 2;
        assert_eq!(
            open(Kind::Meta, tag, &value),
            Err(CorruptRecord::Version(2))
        );
    }
}
