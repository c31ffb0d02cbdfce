//! Secrets and the keys derived from them.

use std::fmt;

use aes::Aes128;
use aes::cipher::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::block_mac::BlockMac;
use crate::error::KeyError;
use crate::random::fill_random;
use crate::record::RecordKey;

pub(crate) type Keyed = Hmac<Sha256>;

/// A secret of at least 32 bytes, from which keys are derived by HKDF-SHA256 (RFC 5869).
///
/// Withheld on purpose: `Display`, `Serialize`, `PartialEq` and `Clone`. It is wiped on
/// drop, and its `Debug` is redacted.
///
/// ```
/// use countersign::{KeyRing, Secret};
/// let keys = KeyRing::new(&Secret::generate()?, &[Secret::generate()?])?;
/// assert!(Secret::new(b"too short".to_vec()).is_err());
/// # Ok::<(), countersign::KeyError>(())
/// ```
///
/// None of these compiles:
///
/// ```compile_fail
/// # use countersign::Secret;
/// # let secret = Secret::generate().unwrap();
/// let copy = secret.clone();
/// ```
/// ```compile_fail
/// # use countersign::Secret;
/// # let secret = Secret::generate().unwrap();
/// println!("{secret}");
/// ```
/// ```compile_fail
/// # use countersign::Secret;
/// # let secret = Secret::generate().unwrap();
/// # let other = Secret::generate().unwrap();
/// let equal = secret == other;
/// ```
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes `bytes` as a secret.
    ///
    /// # Errors
    /// [`KeyError::TooShort`] below 32 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, KeyError> {
        let secret = Self(bytes);
        if secret.0.len() < 32 {
            return Err(KeyError::TooShort {
                bytes: secret.0.len(),
            });
        }
        Ok(secret)
    }

    /// Draws a secret of 32 bytes from the operating system.
    ///
    /// # Errors
    /// [`KeyError::Random`] when there is no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = vec![0; 32];
        fill_random(&mut bytes)?;
        Self::new(bytes)
    }

    /// The bytes, to be written to the secret file and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Which master key a session was opened with: derived from the key, never its position.
///
/// The first byte alone is written in a session id, so no two keys of a ring may share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub(crate) u8);

/// What kind of thing a record is about; part of its key and of its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// A destination's gate and sessions.
    Destination = 1,
    /// Sends (or checks) of one source or one tenant.
    Limit = 2,
    /// The answer to one idempotency key.
    Idempotency = 3,
    /// API keys of one tenant; the bytes belong to the HTTP adapter.
    ApiKeys = 4,
    /// Facts about the store itself, such as the fingerprint of the pseudonym key.
    Meta = 5,
    /// What one tenant, or all of them, spent in a day.
    Spend = 6,
    /// How many of the last messages to one prefix were approved.
    Conversion = 7,
}

/// The keys of one deployment: the pseudonym key, and master keys of which the first
/// opens new sessions while the others still finish theirs.
pub struct KeyRing {
    pseudonym: Keyed,
    masters: Vec<MasterKey>,
}

pub(crate) struct MasterKey {
    pub(crate) id: KeyId,
    pub(crate) seal: Aes128,
    pub(crate) report: Aes128,
    pub(crate) code: BlockMac,
    /// The same key, for attempt ids of any length.
    pub(crate) attempt: Keyed,
    pub(crate) reuse: Keyed,
}

impl KeyRing {
    /// Derives all keys from the pseudonym secret and the master secrets, the one for
    /// new sessions first.
    ///
    /// # Errors
    /// [`KeyError::NoMaster`] without a master secret, [`KeyError::Alike`] when two of
    /// them have the same id: then make a fresh one.
    pub fn new(pseudonym: &Secret, masters: &[Secret]) -> Result<Self, KeyError> {
        let masters: Vec<_> = masters.iter().map(MasterKey::derive).collect();
        if masters.is_empty() {
            return Err(KeyError::NoMaster);
        }
        for (n, key) in masters.iter().enumerate() {
            if masters.iter().skip(n + 1).any(|other| other.id == key.id) {
                return Err(KeyError::Alike);
            }
        }
        Ok(Self {
            pseudonym: derive_keyed(pseudonym, b"countersign pseudonym 1"),
            masters,
        })
    }

    /// A ring of secrets drawn now: for tests, and for programs whose memory store
    /// dies with them.
    ///
    /// # Errors
    /// [`KeyError::Random`] when there is no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        // Two fresh secrets, one master: they cannot be alike.
        Self::new(&Secret::generate()?, &[Secret::generate()?])
    }

    /// Where the record of `kind` about `name` (of the tenant tagged so) is kept.
    #[must_use]
    pub fn record_key(&self, kind: Kind, tenant: Tag, name: &[u8]) -> RecordKey {
        let mut mac = self.pseudonym.clone();
        mac.update(&[kind as u8]);
        mac.update(&tenant.0);
        mac.update(name);
        RecordKey::from_bytes(cut(&mac.finalize().into_bytes()))
    }

    /// Eight bytes by which a shared store recognises the pseudonym key.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 8] {
        let mut mac = self.pseudonym.clone();
        mac.update(b"fingerprint");
        cut(&mac.finalize().into_bytes())
    }

    /// Eight bytes that only holders of the pseudonym secret can make of `text`. What was
    /// issued with its mark is told from what was made up without a look at the store; in
    /// place of a secret of its own it is too short.
    #[must_use]
    pub fn mark(&self, text: &[u8]) -> [u8; 8] {
        let mut mac = self.pseudonym.clone();
        mac.update(b"mark");
        mac.update(text);
        cut(&mac.finalize().into_bytes())
    }

    /// Eight bytes that tell whether destination (in its exact form) and binding are
    /// the same as before, without showing either.
    pub(crate) fn exact_tag(&self, exact: &str, binding: &[u8; 16]) -> Tag {
        let mut mac = self.pseudonym.clone();
        mac.update(b"exact");
        mac.update(binding);
        mac.update(exact.as_bytes());
        Tag(cut(&mac.finalize().into_bytes()))
    }

    pub(crate) fn newest(&self) -> &MasterKey {
        &self.masters[0]
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&MasterKey> {
        self.masters.iter().find(|key| key.id == id)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.masters.iter().map(|key| key.id).collect();
        f.debug_struct("KeyRing")
            .field("master_ids", &ids)
            .finish_non_exhaustive()
    }
}

impl MasterKey {
    fn derive(secret: &Secret) -> Self {
        let id = derive::<1>(secret, b"countersign key id 1");
        let seal = derive::<16>(secret, b"countersign session id 1");
        let code = derive::<32>(secret, b"countersign code 1");
        let report = derive::<16>(secret, b"countersign report token 1");
        Self {
            id: KeyId(id[0]),
            seal: Aes128::new((&*seal).into()),
            report: Aes128::new((&*report).into()),
            code: BlockMac::new(&code),
            attempt: keyed(code.as_ref()),
            reuse: derive_keyed(secret, b"countersign reuse 1"),
        }
    }
}

/// Eight bytes that stand for a name: the first of its SHA-256.
///
/// Not secret, and no protection of a short name; it makes records small and of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Tag(pub(crate) [u8; 8]);

impl Tag {
    /// The tag of `name`; `label` keeps names of different sorts apart.
    #[must_use]
    pub fn of(label: &str, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(label.as_bytes());
        hash.update([0]);
        hash.update(name.as_bytes());
        Self(cut(&hash.finalize()))
    }

    /// The tag's bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }

    /// The tag of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

/// HKDF-SHA256 (RFC 5869) for outputs of at most one block, with no salt: the secret
/// is uniformly random, and the label tells the uses apart.
fn derive<const N: usize>(secret: &Secret, label: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 32) };
    let mut extract = keyed(&[0; 32]);
    extract.update(&secret.0);
    let pseudorandom = Zeroizing::new(<[u8; 32]>::from(extract.finalize().into_bytes()));
    let mut expand = keyed(pseudorandom.as_ref());
    expand.update(label);
    expand.update(&[1]);
    let block = Zeroizing::new(<[u8; 32]>::from(expand.finalize().into_bytes()));
    Zeroizing::new(cut(block.as_ref()))
}

fn derive_keyed(secret: &Secret, label: &[u8]) -> Keyed {
    keyed(derive::<32>(secret, label).as_ref())
}

fn keyed(key: &[u8]) -> Keyed {
    // HMAC takes a key of any length: the error cannot occur, and an unkeyed MAC would
    // only refuse what was sealed before.
    Keyed::new_from_slice(key).unwrap_or_else(|_| Keyed::new(&[0; 64].into()))
}

/// The first `N` of `bytes`, which are at least as many.
pub(crate) fn cut<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A secret of 32 bytes that count up from `first`.
    fn counting(first: u8) -> Secret {
        Secret::new((first..first + 32).collect()).unwrap()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    #[test]
    fn derivation_agrees_with_rfc_5869() {
        // Test case 3: no salt, no info; the first block of its output.
        let secret = Secret(vec![0x0b; 22]);
        assert_eq!(
            hex(derive::<32>(&secret, b"").as_ref()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
    }

    /// All expected values were computed with Python's `hmac` and `hashlib`.
    #[test]
    fn keys_are_known() {
        let keys = KeyRing::new(&counting(0), &[counting(100)]).unwrap();
        let tenant = Tag::of("tenant", "acme");
        assert_eq!(hex(&tenant.to_bytes()), "d2e79529ba2c46b2");
        assert_eq!(
            hex(&Tag::of("purpose", "verify").to_bytes()),
            "1f20728d16efb109"
        );
        let record = keys.record_key(Kind::Destination, tenant, b"+4712345678");
        assert_eq!(hex(&record.to_bytes()), "2f096be114ab6c0e");
        assert_eq!(format!("{record:?}"), "RecordKey(2f096be114ab6c0e)");
        let mark = keys.mark(b"countersign_verify_kid_secret");
        assert_eq!(hex(&mark), "61c87acfd6b28578");
        let limit = keys.record_key(Kind::Limit, tenant, b"192.0.2.1");
        assert_eq!(hex(&limit.to_bytes()), "18187d2284732fa2");
        assert_eq!(hex(&keys.fingerprint()), "0ed53cd3662164a3");
        assert_eq!(
            hex(&keys.exact_tag("User@example.com", &[0; 16]).to_bytes()),
            "dedf8c1e1b968d53"
        );
        assert_eq!(keys.newest().id, KeyId(0xc8));
    }

    #[test]
    fn a43_a_record_belongs_to_one_kind_tenant_name_and_pseudonym_key() {
        let keys = KeyRing::new(&counting(0), &[counting(100)]).unwrap();
        let (acme, other) = (Tag::of("tenant", "acme"), Tag::of("tenant", "other"));
        let own = keys.record_key(Kind::Destination, acme, b"name");
        assert_eq!(keys.record_key(Kind::Destination, acme, b"name"), own);
        assert_ne!(keys.record_key(Kind::Limit, acme, b"name"), own);
        assert_ne!(keys.record_key(Kind::Destination, other, b"name"), own);
        assert_ne!(keys.record_key(Kind::Destination, acme, b"nam"), own);
        let foreign = KeyRing::new(&counting(1), &[counting(100)]).unwrap();
        assert_ne!(foreign.record_key(Kind::Destination, acme, b"name"), own);
        assert_ne!(foreign.fingerprint(), keys.fingerprint());
        assert_ne!(foreign.mark(b"issued"), keys.mark(b"issued"));
        assert_ne!(Tag::of("tenant", "verify"), Tag::of("purpose", "verify"));
        assert_ne!(Tag::of("ab", "c"), Tag::of("a", "bc"));
    }

    #[test]
    fn a64_records_stay_where_they_are_when_masters_rotate() {
        let name = |keys: &KeyRing| keys.record_key(Kind::Destination, Tag::default(), b"name");
        let old = KeyRing::new(&counting(0), &[counting(100)]).unwrap();
        let appended = KeyRing::new(&counting(0), &[counting(100), counting(33)]).unwrap();
        let promoted = KeyRing::new(&counting(0), &[counting(33), counting(100)]).unwrap();
        let retired = KeyRing::new(&counting(0), &[counting(33)]).unwrap();
        for keys in [&appended, &promoted, &retired] {
            assert_eq!(name(keys), name(&old));
            assert_eq!(keys.fingerprint(), old.fingerprint());
            assert_eq!(keys.mark(b"issued"), old.mark(b"issued"));
        }
        // A key is known by itself, wherever it stands.
        let id = old.newest().id;
        assert_eq!(appended.newest().id, id);
        assert_ne!(promoted.newest().id, id);
        assert_eq!(promoted.find(id).map(|key| key.id), Some(id));
        assert!(retired.find(id).is_none());
    }

    #[test]
    fn a71_a_secret_below_32_bytes_is_refused() {
        for bytes in 0..32 {
            assert_eq!(
                Secret::new(vec![1; bytes]).err(),
                Some(KeyError::TooShort { bytes })
            );
        }
        assert!(Secret::new(vec![1; 32]).is_ok());
        assert_eq!(Secret::generate().unwrap().reveal().len(), 32);
        assert_ne!(
            Secret::generate().unwrap().reveal(),
            Secret::generate().unwrap().reveal()
        );
    }

    #[test]
    fn a71_a_ring_without_a_master_is_refused() {
        assert_eq!(
            KeyRing::new(&counting(0), &[]).err(),
            Some(KeyError::NoMaster)
        );
    }

    #[test]
    fn a71_masters_with_one_id_are_refused_wherever_they_stand() {
        // Ids have one byte, so two of at most 257 secrets share theirs.
        let mut seen = HashMap::new();
        let (first, second) = (0u16..=256)
            .find_map(|n| {
                let bytes: Vec<_> = n.to_be_bytes().repeat(16);
                let id = MasterKey::derive(&Secret::new(bytes.clone()).unwrap()).id;
                seen.insert(id, bytes.clone())
                    .map(|earlier| (earlier, bytes))
            })
            .unwrap();
        let pseudonym = counting(0);
        let secrets = |order: &[&Vec<u8>]| -> Vec<_> {
            order
                .iter()
                .map(|bytes| Secret::new((*bytes).clone()).unwrap())
                .collect()
        };
        let between = (0..32).collect();
        for order in [
            vec![&first, &second],
            vec![&second, &first],
            vec![&first, &first],
            vec![&first, &between, &second],
        ] {
            assert_eq!(
                KeyRing::new(&pseudonym, &secrets(&order)).err(),
                Some(KeyError::Alike)
            );
        }
        for alone in [&first, &second] {
            assert!(KeyRing::new(&pseudonym, &secrets(&[alone])).is_ok());
        }
    }

    #[test]
    fn a37_no_secret_shows_in_debug_or_in_an_error() {
        let secret = Secret::new(b"correct horse battery staple 32!".to_vec()).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
        let keys = KeyRing::new(&counting(0), &[counting(100)]).unwrap();
        assert_eq!(
            format!("{keys:?}"),
            "KeyRing { master_ids: [KeyId(200)], .. }"
        );
        let error = Secret::new(b"hunter2".to_vec()).unwrap_err();
        assert!(!error.to_string().contains("hunter2") && error.to_string().contains("32"));
    }

    #[test]
    fn a_secret_is_wiped() {
        let mut secret = counting(1);
        secret.zeroize();
        assert!(secret.0.is_empty());
    }
}
