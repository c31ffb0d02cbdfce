//! What a tenant's record of API keys holds, and its one encoding.
//!
//! Payload: whether the tenant was activated (1 byte), its name (length, bytes), the
//! keys (count, then 40 bytes each: nonce 2, scopes 1, state 1, seconds of creation 4,
//! SHA-256 32). At most 387 bytes.

use countersign::{CorruptRecord, KeyRing, Kind, RecordKey, Tag, Tenant, Timestamp, envelope};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::caller::Scopes;

/// The most keys that one tenant may have.
pub(crate) const MAX_KEYS: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) tenant: Tenant,
    pub(crate) activated: bool,
    pub(crate) keys: Vec<StoredKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) nonce: [u8; 2],
    pub(crate) scopes: Scopes,
    pub(crate) revoked: bool,
    pub(crate) created: u32,
    pub(crate) sha256: [u8; 32],
}

impl KeyRecord {
    pub(crate) fn new(tenant: Tenant) -> Self {
        Self {
            tenant,
            activated: false,
            keys: Vec::new(),
        }
    }

    /// Adds a key, in the place of the oldest revoked one if there is no other; says
    /// whether there was room.
    pub(crate) fn add(&mut self, key: StoredKey) -> bool {
        if self.keys.len() >= MAX_KEYS {
            let Some(oldest) = self.keys.iter().position(|key| key.revoked) else {
                return false;
            };
            self.keys.remove(oldest);
        }
        self.keys.push(key);
        true
    }

    /// What the key with this name and hash may do. Every stored key is compared, the
    /// same work whether the name, the hash or nothing matches.
    pub(crate) fn scopes_of(&self, nonce: [u8; 2], sha256: &[u8; 32]) -> Option<Scopes> {
        let (mut found, mut bits) = (Choice::from(0), 0u8);
        for key in &self.keys {
            let live = Choice::from(u8::from(!key.revoked));
            let fits = key.nonce.ct_eq(&nonce) & key.sha256.ct_eq(sha256) & live;
            found |= fits;
            bits = u8::conditional_select(&bits, &key.scopes.bits(), fits);
        }
        if found.into() {
            Scopes::from_bits(bits)
        } else {
            None
        }
    }

    /// Whether the key with this name and hash is known to be revoked.
    pub(crate) fn has_revoked(&self, nonce: [u8; 2], sha256: &[u8; 32]) -> bool {
        let is_it = |key: &&StoredKey| key.nonce == nonce && bool::from(key.sha256.ct_eq(sha256));
        self.keys.iter().find(is_it).is_some_and(|key| key.revoked)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let name = self.tenant.name().as_bytes();
        // Names have at most 64 bytes and there are at most 8 keys: both fit a byte.
        let count = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        let mut payload = vec![u8::from(self.activated), count(name.len())];
        payload.extend_from_slice(name);
        payload.push(count(self.keys.len()));
        for key in &self.keys {
            payload.extend_from_slice(&key.nonce);
            payload.extend_from_slice(&[key.scopes.bits(), u8::from(key.revoked)]);
            payload.extend_from_slice(&key.created.to_be_bytes());
            payload.extend_from_slice(&key.sha256);
        }
        envelope::seal(Kind::ApiKeys, self.tenant.tag(), &payload)
    }

    /// Reads the value under `at`. It must be of the tenant whose record is kept there.
    pub(crate) fn decode(
        ring: &KeyRing,
        at: RecordKey,
        value: &[u8],
    ) -> Result<Self, CorruptRecord> {
        let tag = value
            .get(2..envelope::HEADER_BYTES)
            .and_then(|tag| tag.try_into().ok());
        let tag = Tag::from_bytes(tag.ok_or(CorruptRecord::Encoding)?);
        let payload = envelope::open(Kind::ApiKeys, tag, value)?;
        let record = Reader(payload).record().ok_or(CorruptRecord::Encoding)?;
        let own = record.tenant.tag() == tag && record_key(ring, &record.tenant) == at;
        if own {
            Ok(record)
        } else {
            Err(CorruptRecord::Foreign)
        }
    }
}

/// Where the keys of `tenant` are kept.
pub(crate) fn record_key(ring: &KeyRing, tenant: &Tenant) -> RecordKey {
    ring.record_key(Kind::ApiKeys, tenant.tag(), b"")
}

impl StoredKey {
    pub(crate) fn created_at(&self) -> Timestamp {
        Timestamp::from_secs(u64::from(self.created))
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn record(mut self) -> Option<KeyRecord> {
        let activated = self.flag()?;
        let length = usize::from(self.byte()?);
        let name = self.take(length)?;
        let tenant = Tenant::new(std::str::from_utf8(name).ok()?).ok()?;
        let count = usize::from(self.byte()?);
        if count > MAX_KEYS {
            return None;
        }
        let keys = (0..count).map(|_| self.key()).collect::<Option<Vec<_>>>()?;
        self.0.is_empty().then_some(KeyRecord {
            tenant,
            activated,
            keys,
        })
    }

    fn key(&mut self) -> Option<StoredKey> {
        Some(StoredKey {
            nonce: self.array()?,
            scopes: Scopes::from_bits(self.byte()?)?,
            revoked: self.flag()?,
            created: u32::from_be_bytes(self.array()?),
            sha256: self.array()?,
        })
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> KeyRecord {
        let mut record = KeyRecord::new(Tenant::new(&"t".repeat(64)).unwrap());
        for n in 0..8 {
            let (scopes, revoked) = (Scopes::SEND_AND_CHECK, n == 3);
            let key = StoredKey {
                nonce: [0, n],
                scopes,
                revoked,
                created: 9,
                sha256: [n; 32],
            };
            assert!(record.add(key));
        }
        record
    }

    #[test]
    fn a_full_record_survives_its_encoding_and_fits() {
        let (ring, record) = (KeyRing::generate().unwrap(), full());
        let value = record.encode();
        assert!(value.len() <= 400, "{}", value.len());
        let at = record_key(&ring, &record.tenant);
        assert_eq!(KeyRecord::decode(&ring, at, &value), Ok(record));
    }

    #[test]
    fn cut_or_moved_values_are_refused() {
        let (ring, record) = (KeyRing::generate().unwrap(), full());
        let (at, value) = (record_key(&ring, &record.tenant), record.encode());
        for end in 0..value.len() {
            assert!(
                KeyRecord::decode(&ring, at, &value[..end]).is_err(),
                "cut at {end}"
            );
        }
        let elsewhere = RecordKey::from_bytes([1; 8]);
        let moved = KeyRecord::decode(&ring, elsewhere, &value);
        assert_eq!(moved, Err(CorruptRecord::Foreign));
    }

    #[test]
    fn a_revoked_key_gives_way_and_a_live_one_never_does() {
        let mut record = full();
        let key = StoredKey {
            nonce: [9, 9],
            ..record.keys[0].clone()
        };
        assert!(record.add(key.clone()));
        assert_eq!(record.keys.len(), MAX_KEYS);
        assert!(!record.add(key));
    }

    #[test]
    fn name_and_hash_must_both_fit_a_live_key() {
        let record = full();
        assert_eq!(
            record.scopes_of([0, 1], &[1; 32]),
            Some(Scopes::SEND_AND_CHECK)
        );
        assert_eq!(record.scopes_of([0, 1], &[2; 32]), None);
        assert_eq!(record.scopes_of([0, 3], &[3; 32]), None);
    }
}
