//! The text of an API key: `countersign_verify_<kid>_<secret><checksum>`.
//!
//! The kid is 14 symbols of base 62: 11 for the key of the record that holds the
//! tenant's keys, 3 to tell them apart. The secret is 43 symbols, 256 bits. The
//! checksum is 6 symbols: the first four bytes of SHA-256 over everything before it, so
//! that a secret scanner knows a key when it sees one, and a mistyped key is refused
//! without asking the store.

use std::fmt;

use countersign::{RecordKey, StoreError};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::base62;
use crate::caller::Scopes;

const PREFIX: &str = "countersign_verify_";
const RECORD: usize = 11;
const NONCE: usize = 3;
const KID: usize = RECORD + NONCE;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;

/// Where a key is kept: the record of its tenant's keys, and which of them it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kid {
    pub(crate) record: RecordKey,
    pub(crate) nonce: [u8; 2],
}

impl Kid {
    pub(crate) fn new(record: RecordKey, nonce: [u8; 2]) -> Self {
        Self { record, nonce }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != KID {
            return None;
        }
        let (record, nonce) = bytes.split_at_checked(RECORD)?;
        let record = RecordKey::from_bytes(base62::read(record)?);
        Some(Self {
            record,
            nonce: base62::read(nonce)?,
        })
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(KID);
        base62::push(&mut text, &self.record.to_bytes(), RECORD);
        base62::push(&mut text, &self.nonce, NONCE);
        f.write_str(&text)
    }
}

/// A key that was made just now: the only time that its text can be seen.
///
/// Withheld on purpose: `Display`, `Serialize`, `PartialEq` and `Clone`. It is wiped on
/// drop, and its `Debug` is redacted.
pub struct NewKey {
    kid: String,
    scopes: Scopes,
    text: Zeroizing<String>,
}

impl NewKey {
    /// Makes the key called `kid`, with a fresh secret.
    pub(crate) fn draw(kid: Kid, scopes: Scopes) -> Result<Self, ApiKeyError> {
        let secret = Zeroizing::new(random::<32>()?);
        let kid = kid.to_string();
        let length = PREFIX.len() + KID + 1 + SECRET + CHECKSUM;
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.push_str(PREFIX);
        text.push_str(&kid);
        text.push('_');
        base62::push(&mut text, secret.as_ref(), SECRET);
        let sum = checksum(text.as_bytes());
        base62::push(&mut text, &sum, CHECKSUM);
        Ok(Self { kid, scopes, text })
    }

    /// The key's name, by which it can be revoked. Not secret.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the key may do.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// The whole key, to be shown once to its owner and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is kept of it: its SHA-256.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        hash(&self.text)
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Why a key was not made or changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The tenant was activated before; its key was shown then.
    #[error("the tenant was activated before: create another key, then revoke the old one")]
    AlreadyActivated,
    /// The tenant has as many live keys as it may.
    #[error("the tenant has 8 live keys: revoke one first")]
    TooMany,
    /// No randomness for a secret.
    #[error("the operating system gives no randomness")]
    Random,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The kid of a well-formed key; none for what was never issued.
pub(crate) fn kid_of(key: &str) -> Option<Kid> {
    let body = key.len().checked_sub(CHECKSUM)?;
    let (signed, sum) = key.as_bytes().split_at_checked(body)?;
    if base62::read::<4>(sum)? != checksum(signed) {
        return None;
    }
    let (kid, secret) = key.get(..body)?.strip_prefix(PREFIX)?.split_once('_')?;
    if secret.len() != SECRET {
        return None;
    }
    Kid::parse(kid)
}

pub(crate) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], ApiKeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ApiKeyError::Random)?;
    Ok(bytes)
}

fn checksum(signed: &[u8]) -> [u8; 4] {
    let hash: [u8; 32] = Sha256::digest(signed).into();
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kid() -> Kid {
        Kid::new(RecordKey::from_bytes([7; 8]), [1, 2])
    }

    #[test]
    fn a_key_names_its_record() {
        let key = NewKey::draw(kid(), Scopes::SEND_AND_CHECK).unwrap();
        assert_eq!(kid_of(key.reveal()), Some(kid()));
        assert_eq!(Kid::parse(key.kid()), Some(kid()));
        assert_eq!(key.reveal().len(), 83);
    }

    #[test]
    fn every_single_slip_is_refused() {
        let key = NewKey::draw(kid(), Scopes::ALL).unwrap();
        for at in 0..key.reveal().len() {
            let mut bytes = key.reveal().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(
                kid_of(std::str::from_utf8(&bytes).unwrap()),
                None,
                "at {at}"
            );
        }
        for end in 0..key.reveal().len() {
            assert_eq!(kid_of(&key.reveal()[..end]), None);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = NewKey::draw(kid(), Scopes::ALL).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains(key.kid()));
        assert!(!shown.contains(&key.reveal()[40..]));
    }
}
