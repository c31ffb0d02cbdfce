//! The text of an API key: `countersign_verify_<kid>_<secret><mark><checksum>`.
//!
//! The kid is 14 symbols of base 62: 11 for the key of the record that holds the
//! tenant's keys, 3 to tell them apart. The secret is 43 symbols, 256 bits. The mark is 11
//! symbols, 64 bits that only this deployment can make of what stands before them: a key
//! that was made up is refused by it, whether or not its kid is somebody's, so that no answer,
//! no time and no read of the store tells a guesser which kids there are. The checksum is 6
//! symbols: the first four bytes of SHA-256 over everything before it, so that a secret
//! scanner knows a key when it sees one.

use std::fmt;

use countersign::{KeyRing, RecordKey, StoreError};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::base62;
use crate::caller::Scopes;

const PREFIX: &str = "countersign_verify_";
const RECORD: usize = 11;
const NONCE: usize = 3;
const KID: usize = RECORD + NONCE;
const SECRET: usize = 43;
const MARK: usize = 11;
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
    /// Makes the key called `kid`, with a fresh secret and the mark of `ring`.
    pub(crate) fn draw(ring: &KeyRing, kid: Kid, scopes: Scopes) -> Result<Self, ApiKeyError> {
        let secret = Zeroizing::new(random::<32>()?);
        let kid = kid.to_string();
        let length = PREFIX.len() + KID + 1 + SECRET + MARK + CHECKSUM;
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.push_str(PREFIX);
        text.push_str(&kid);
        text.push('_');
        base62::push(&mut text, secret.as_ref(), SECRET);
        let mark = ring.mark(text.as_bytes());
        base62::push(&mut text, &mark, MARK);
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

/// The kid of a key that was issued with the mark of `ring`; none for what never was.
pub(crate) fn kid_of(ring: &KeyRing, key: &str) -> Option<Kid> {
    let (marked, sum) = split_end(key, CHECKSUM)?;
    if base62::read::<4>(sum.as_bytes())? != checksum(marked.as_bytes()) {
        return None;
    }
    let (signed, mark) = split_end(marked, MARK)?;
    let mark = base62::read::<8>(mark.as_bytes())?;
    if !bool::from(mark.ct_eq(&ring.mark(signed.as_bytes()))) {
        return None;
    }
    let (kid, secret) = signed.strip_prefix(PREFIX)?.split_once('_')?;
    (secret.len() == SECRET).then(|| Kid::parse(kid))?
}

/// A text and its last bytes.
fn split_end(text: &str, bytes: usize) -> Option<(&str, &str)> {
    text.split_at_checked(text.len().checked_sub(bytes)?)
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
        let ring = KeyRing::generate().unwrap();
        let key = NewKey::draw(&ring, kid(), Scopes::SEND_AND_CHECK).unwrap();
        assert_eq!(kid_of(&ring, key.reveal()), Some(kid()));
        assert_eq!(Kid::parse(key.kid()), Some(kid()));
        assert_eq!(key.reveal().len(), 94);
    }

    /// The key with this in place of its last symbols, and the checksum of that.
    fn ending_in(key: &NewKey, end: &str) -> String {
        let (marked, _) = split_end(key.reveal(), CHECKSUM).unwrap();
        let mut text = marked[..marked.len() - end.len()].to_owned() + end;
        let sum = checksum(text.as_bytes());
        base62::push(&mut text, &sum, CHECKSUM);
        text
    }

    #[test]
    fn a65_what_this_deployment_did_not_issue_is_refused_by_its_mark() {
        let ring = KeyRing::generate().unwrap();
        let key = NewKey::draw(&ring, kid(), Scopes::ALL).unwrap();
        assert_eq!(ending_in(&key, ""), key.reveal());
        // One mark in 62 ends in any given symbol.
        let other = if ending_in(&key, "x") == key.reveal() {
            "y"
        } else {
            "x"
        };
        for made_up in [other, "00000000000", "zzzzzzzzzzz", "000000000000000000000"] {
            let made_up = ending_in(&key, made_up);
            assert_ne!(made_up, key.reveal());
            assert_eq!(kid_of(&ring, &made_up), None, "{made_up}");
        }
        let elsewhere = KeyRing::generate().unwrap();
        let theirs = NewKey::draw(&elsewhere, kid(), Scopes::ALL).unwrap();
        assert_eq!(kid_of(&ring, theirs.reveal()), None);
    }

    #[test]
    fn every_single_slip_is_refused() {
        let ring = KeyRing::generate().unwrap();
        let key = NewKey::draw(&ring, kid(), Scopes::ALL).unwrap();
        for at in 0..key.reveal().len() {
            let mut bytes = key.reveal().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(
                kid_of(&ring, std::str::from_utf8(&bytes).unwrap()),
                None,
                "at {at}"
            );
        }
        for end in 0..key.reveal().len() {
            assert_eq!(kid_of(&ring, &key.reveal()[..end]), None);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let ring = KeyRing::generate().unwrap();
        let key = NewKey::draw(&ring, kid(), Scopes::ALL).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains(key.kid()));
        assert!(!shown.contains(&key.reveal()[40..]));
    }
}
