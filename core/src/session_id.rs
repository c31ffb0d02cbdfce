//! Session ids: sealed pointers to a session inside a record.

use std::fmt;
use std::str::FromStr;

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};

use crate::base64url;
use crate::error::InvalidSessionId;
use crate::keys::{KeyId, KeyRing, MasterKey};
use crate::record::RecordKey;

const PREFIX: &str = "sess_";
const SYMBOLS: usize = 23;

/// Tells the sessions of one record apart: six random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub(crate) [u8; 6]);

impl Nonce {
    /// The nonce of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The nonce's bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 6] {
        self.0
    }
}

/// Where a session is: its record and its nonce there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) record: RecordKey,
    pub(crate) nonce: Nonce,
}

/// The public id of a session: `sess_` and 23 characters of base64url.
///
/// One AES block over record key, nonce and two bytes of check value, behind the id of
/// the key: whoever holds it learns nothing about the destination, and a made-up one is
/// refused without asking the store, but for one in 65,536.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId {
    key: KeyId,
    sealed: [u8; 16],
}

impl SessionId {
    pub(crate) fn seal(key: &MasterKey, at: Pointer) -> Self {
        let mut block = [0u8; 16];
        block[..8].copy_from_slice(&at.record.to_bytes());
        block[8..14].copy_from_slice(&at.nonce.0);
        // The check value is two zero bytes: after decryption of noise, any two bytes
        // are as good as others.
        let mut sealed = block.into();
        key.seal.encrypt_block(&mut sealed);
        Self {
            key: key.id,
            sealed: sealed.into(),
        }
    }

    /// The pointer and its key, if this id was sealed by a key of the ring.
    #[inline]
    pub(crate) fn open<'k>(&self, keys: &'k KeyRing) -> Option<(&'k MasterKey, Pointer)> {
        let key = keys.find(self.key)?;
        let mut opened = self.sealed.into();
        key.seal.decrypt_block(&mut opened);
        let block: [u8; 16] = opened.into();
        let (record, rest) = block.split_first_chunk::<8>()?;
        let (nonce, check) = rest.split_first_chunk::<6>()?;
        (check == [0, 0]).then_some((
            key,
            Pointer {
                record: RecordKey::from_bytes(*record),
                nonce: Nonce(*nonce),
            },
        ))
    }

    fn to_text(self) -> [u8; SYMBOLS] {
        let mut bytes = [0u8; 17];
        bytes[0] = self.key.0;
        bytes[1..].copy_from_slice(&self.sealed);
        base64url::encode(&bytes)
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    /// Reads an id; strictly one text for each id.
    #[inline]
    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        let symbols = text
            .as_bytes()
            .strip_prefix(PREFIX.as_bytes())
            .ok_or(InvalidSessionId)?;
        let bytes = base64url::decode::<17, SYMBOLS>(symbols).ok_or(InvalidSessionId)?;
        let (key, sealed) = bytes.split_first_chunk::<1>().ok_or(InvalidSessionId)?;
        Ok(Self {
            key: KeyId(key[0]),
            sealed: sealed.try_into().map_err(|_| InvalidSessionId)?,
        })
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        f.write_str(std::str::from_utf8(&self.to_text()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;
    use crate::keys::Secret;

    /// One ring for secrets of 32 bytes that count up from each of `firsts`.
    fn ring(firsts: &[u8]) -> KeyRing {
        let secret = |first: u8| Secret::new((first..first + 32).collect()).unwrap();
        let masters: Vec<_> = firsts.iter().map(|first| secret(*first)).collect();
        KeyRing::new(&secret(0), &masters).unwrap()
    }

    fn pointer(record: [u8; 8], nonce: [u8; 6]) -> Pointer {
        Pointer {
            record: RecordKey::from_bytes(record),
            nonce: Nonce(nonce),
        }
    }

    fn text_of(bytes: &[u8; 17]) -> String {
        let (key, sealed) = bytes.split_first_chunk::<1>().unwrap();
        SessionId {
            key: KeyId(key[0]),
            sealed: sealed.try_into().unwrap(),
        }
        .to_string()
    }

    /// Computed with Python's `hmac` (HKDF) and `cryptography` (AES-128 in ECB mode).
    #[test]
    fn an_id_is_one_aes_block_behind_the_id_of_its_key() {
        let keys = ring(&[100]);
        let at = pointer(
            [0x2f, 0x09, 0x6b, 0xe1, 0x14, 0xab, 0x6c, 0x0e],
            [0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6],
        );
        let id = SessionId::seal(keys.newest(), at);
        assert_eq!(id.to_string(), "sess_yAIdg1mVe1Jzhy-Ch2elwhg");
        assert_eq!(id.open(&keys).unwrap().1, at);
    }

    #[test]
    fn an_id_is_opened_by_the_key_that_sealed_it_and_no_other() {
        let (old, both, new) = (ring(&[100]), ring(&[33, 100]), ring(&[33]));
        let at = pointer([7; 8], [9; 6]);
        let id = SessionId::seal(old.newest(), at);
        let (key, opened) = id.open(&both).unwrap();
        assert_eq!((key.id, opened), (old.newest().id, at));
        assert_ne!(both.newest().id, key.id);
        assert!(id.open(&new).is_none());
    }

    #[test]
    fn a32_a34_of_forged_ids_one_in_65536_reaches_the_store() {
        let keys = ring(&[100]);
        let mut random = ChaCha20Rng::from_seed([32; 32]);
        let mut opened = 0;
        for _ in 0..1 << 20 {
            let mut sealed = [0; 16];
            random.fill_bytes(&mut sealed);
            // The id of the key is no secret: whoever has seen one id knows it.
            let forged = SessionId {
                key: keys.newest().id,
                sealed,
            };
            opened += u32::from(forged.open(&keys).is_some());
        }
        // 2^20 / 2^16 = 16 are expected; the seed is fixed, so this is no lottery.
        assert!((4..=36).contains(&opened), "{opened}");
    }

    #[test]
    fn a34_ids_of_one_record_look_unrelated() {
        let keys = ring(&[100]);
        let texts: HashSet<_> = (0..=255)
            .map(|n| SessionId::seal(keys.newest(), pointer([5; 8], [n, 0, 0, 0, 0, 0])).sealed)
            .collect();
        assert_eq!(texts.len(), 256);
        for place in 0..16 {
            let values: HashSet<_> = texts.iter().map(|sealed| sealed[place]).collect();
            // 256 random bytes have 162 values on average; a counter in clear has 256 or 1.
            assert!((130..=195).contains(&values.len()), "{}", values.len());
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let id = text_of(&[0x5a; 17]);
        assert!(id.parse::<SessionId>().is_ok());
        let symbols = &id[5..];
        for text in [
            String::new(),
            "sess_".to_owned(),
            symbols.to_owned(),
            format!("SESS_{symbols}"),
            format!("{id} "),
            format!(" {id}"),
            format!("{id}="),
            format!("{id}A"),
            id[..27].to_owned(),
            format!("sess-{symbols}"),
            format!("sess_ {}", &symbols[1..]),
            format!("sess_+{}", &symbols[1..]),
            format!("sess_/{}", &symbols[1..]),
            format!("sess_é{}", &symbols[2..]),
            format!("sess_\0{}", &symbols[1..]),
            "sess_".repeat(1 << 20),
        ] {
            assert_eq!(
                text.parse::<SessionId>(),
                Err(InvalidSessionId),
                "{text:.40?}"
            );
        }
    }

    #[test]
    fn one_id_has_one_text() {
        // The last symbol carries four bits: the other two must be zero.
        let id = text_of(&[0; 17]);
        let mut accepted = 0;
        for symbol in (0..=255).map(char::from).filter(char::is_ascii_graphic) {
            let text = format!("{}{symbol}", &id[..27]);
            if let Ok(read) = text.parse::<SessionId>() {
                assert_eq!(read.to_string(), text);
                accepted += 1;
            }
        }
        assert_eq!(accepted, 16);
    }

    proptest! {
        #[test]
        fn sealed_pointers_come_back(record: [u8; 8], nonce: [u8; 6]) {
            let keys = ring(&[100, 33]);
            let at = pointer(record, nonce);
            let id: SessionId = SessionId::seal(keys.newest(), at).to_string().parse().unwrap();
            prop_assert_eq!(id.open(&keys).map(|(key, at)| (key.id, at)), Some((keys.newest().id, at)));
        }

        #[test]
        fn texts_come_back(bytes: [u8; 17]) {
            let text = text_of(&bytes);
            prop_assert_eq!(text.len(), 28);
            let id: SessionId = text.parse().unwrap();
            prop_assert_eq!((id.key.0, &id.sealed[..]), (bytes[0], &bytes[1..]));
            prop_assert_eq!(id.to_string(), text);
        }

        #[test]
        fn a34_an_id_with_a_bit_flipped_never_leads_to_the_same_session(
            record: [u8; 8], nonce: [u8; 6]
        ) {
            let keys = ring(&[100, 33]);
            let at = pointer(record, nonce);
            let id = SessionId::seal(keys.newest(), at);
            for bit in 0..136 {
                let mut flipped = id;
                match bit / 8 {
                    0 => flipped.key.0 ^= 1 << (bit % 8),
                    byte => flipped.sealed[byte - 1] ^= 1 << (bit % 8),
                }
                prop_assert_ne!(flipped.open(&keys).map(|(_, at)| at), Some(at));
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(sess_)?\\PC{0,40}") {
            if let Ok(id) = text.parse::<SessionId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
