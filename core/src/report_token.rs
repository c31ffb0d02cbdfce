//! Report tokens: sealed pointers to one message, for providers to give back.

use std::fmt;

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};

use crate::base64url;
use crate::destination::Channel;
use crate::keys::{KeyId, KeyRing, MasterKey};
use crate::record::{Posted, RecordKey};
use crate::session_id::Nonce;

const PREFIX: &str = "rep_";
const SYMBOLS: usize = 24;
/// A session has at most ten messages: four bits.
const MOST_MESSAGES: u8 = 0xf;

/// `rep_` and 24 characters of base64url.
///
/// Made as a session id is, under a key of its own label, so that whoever is given a token
/// has no session id, and the other way round. Which message it is stands outside the AES
/// block and, as its check value, inside: a token of one message cannot be made one of
/// another, and of made-up ones 65,535 of 65,536 are refused without asking the store.
pub(crate) struct ReportToken {
    key: KeyId,
    mark: u8,
    sealed: [u8; 16],
}

impl ReportToken {
    /// The token of a message; none of one beyond the fifteenth, which no policy allows.
    pub(crate) fn seal(key: &MasterKey, record: RecordKey, posted: Posted) -> Option<Self> {
        let channel = Channel::ALL
            .iter()
            .position(|channel| *channel == posted.channel)?;
        let mark = (posted.number <= MOST_MESSAGES)
            .then_some(u8::try_from(channel).ok()? << 4 | posted.number)?;
        let mut block = [0u8; 16];
        block[..8].copy_from_slice(&record.to_bytes());
        block[8..14].copy_from_slice(&posted.nonce.0);
        block[14] = mark;
        let mut sealed = block.into();
        key.report.encrypt_block(&mut sealed);
        Some(Self {
            key: key.id,
            mark,
            sealed: sealed.into(),
        })
    }

    /// The token that `text` is, if it could be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let symbols = text.strip_prefix(PREFIX)?;
        let bytes = base64url::decode::<18, 24>(symbols.as_bytes())?;
        let ([key, mark], sealed) = bytes.split_first_chunk::<2>()?;
        Some(Self {
            key: KeyId(*key),
            mark: *mark,
            sealed: sealed.try_into().ok()?,
        })
    }

    /// The message and its record, if this token was sealed by a key of the ring.
    pub(crate) fn open(&self, keys: &KeyRing) -> Option<(RecordKey, Posted)> {
        let mut opened = self.sealed.into();
        keys.find(self.key)?.report.decrypt_block(&mut opened);
        let block: [u8; 16] = opened.into();
        let (record, rest) = block.split_first_chunk::<8>()?;
        let (nonce, check) = rest.split_first_chunk::<6>()?;
        if check != [self.mark, 0] {
            return None;
        }
        let posted = Posted {
            nonce: Nonce(*nonce),
            number: self.mark & MOST_MESSAGES,
            channel: *Channel::ALL.get(usize::from(self.mark >> 4))?,
        };
        Some((RecordKey::from_bytes(*record), posted))
    }
}

impl fmt::Display for ReportToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0u8; 18];
        (bytes[0], bytes[1]) = (self.key.0, self.mark);
        bytes[2..].copy_from_slice(&self.sealed);
        let text: [u8; SYMBOLS] = base64url::encode(&bytes);
        f.write_str(PREFIX)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;
    use crate::SessionId;
    use crate::keys::Secret;
    use crate::session_id::Pointer;

    /// One ring for secrets of 32 bytes that count up from each of `firsts`.
    fn ring(firsts: &[u8]) -> KeyRing {
        let secret = |first: u8| Secret::new((first..first + 32).collect()).unwrap();
        let masters: Vec<_> = firsts.iter().map(|first| secret(*first)).collect();
        KeyRing::new(&secret(0), &masters).unwrap()
    }

    fn record() -> RecordKey {
        RecordKey::from_bytes([0x2f, 0x09, 0x6b, 0xe1, 0x14, 0xab, 0x6c, 0x0e])
    }

    fn posted(number: u8, channel: Channel) -> Posted {
        Posted {
            nonce: Nonce([0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6]),
            number,
            channel,
        }
    }

    fn token(keys: &KeyRing, posted: Posted) -> String {
        let token = ReportToken::seal(keys.newest(), record(), posted);
        token.unwrap().to_string()
    }

    fn open(keys: &KeyRing, text: &str) -> Option<(RecordKey, Posted)> {
        ReportToken::parse(text)?.open(keys)
    }

    /// Computed with Python's `hmac` (HKDF) and `cryptography` (AES-128 in ECB mode).
    #[test]
    fn a_token_is_known_and_comes_back() {
        let keys = ring(&[100]);
        let second = posted(2, Channel::Voice);
        assert_eq!(token(&keys, second), "rep_yBKyhEwzN4uzdsSYHiFDMYau");
        for channel in Channel::ALL {
            for number in 1..=15 {
                let one = posted(number, channel);
                let text = token(&keys, one);
                assert_eq!(open(&keys, &text), Some((record(), one)));
                assert!(text.len() <= 64);
                let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                assert!(text.bytes().all(plain), "{text}");
            }
        }
        let beyond = posted(16, Channel::Sms);
        assert!(ReportToken::seal(keys.newest(), record(), beyond).is_none());
    }

    #[test]
    fn a64_a_token_is_opened_by_the_key_that_sealed_it_and_no_other() {
        let text = token(&ring(&[100]), posted(1, Channel::Sms));
        assert!(open(&ring(&[33, 100]), &text).is_some());
        assert!(open(&ring(&[33]), &text).is_none());
    }

    #[test]
    fn a70_a_session_id_is_no_token_and_a_token_no_session_id() {
        let keys = ring(&[100]);
        for n in 0..=255 {
            let nonce = Nonce([n, 1, 2, 3, 4, 5]);
            let place = Pointer {
                record: record(),
                nonce,
            };
            let id = SessionId::seal(keys.newest(), place).to_string();
            let sealed = base64url::decode::<17, 23>(&id.as_bytes()[5..]).unwrap();
            for mark in 0..=255 {
                let as_token = ReportToken {
                    key: KeyId(sealed[0]),
                    mark,
                    sealed: sealed[1..].try_into().unwrap(),
                };
                assert_eq!(as_token.open(&keys), None, "the block of a session id");
            }
            let one = Posted {
                nonce,
                ..posted(1, Channel::Sms)
            };
            let token = ReportToken::seal(keys.newest(), record(), one).unwrap();
            let mut bytes = [0; 17];
            bytes[0] = token.key.0;
            bytes[1..].copy_from_slice(&token.sealed);
            let symbols: [u8; 23] = base64url::encode(&bytes);
            let as_id = format!("sess_{}", std::str::from_utf8(&symbols).unwrap());
            let opened = as_id.parse::<SessionId>().unwrap().open(&keys);
            assert!(opened.is_none(), "the block of a token");
        }
    }

    #[test]
    fn a70_of_forged_tokens_one_in_65536_reaches_the_store() {
        let keys = ring(&[100]);
        let mut random = ChaCha20Rng::from_seed([70; 32]);
        let mut opened = 0;
        for n in 0..1u32 << 20 {
            let mut sealed = [0; 16];
            random.fill_bytes(&mut sealed);
            let forged = ReportToken {
                key: keys.newest().id,
                mark: 1 + (n % 3) as u8,
                sealed,
            };
            opened += u32::from(forged.open(&keys).is_some());
        }
        // 2^20 / 2^16 = 16 are expected; the seed is fixed, so this is no lottery.
        assert!((4..=36).contains(&opened), "{opened}");
    }

    #[test]
    fn a70_a_token_of_one_message_cannot_be_made_one_of_another() {
        let keys = ring(&[100]);
        let genuine = ReportToken::seal(keys.newest(), record(), posted(1, Channel::Sms)).unwrap();
        let opened = (0..=255)
            .filter(|mark| {
                let changed = ReportToken {
                    mark: *mark,
                    ..ReportToken::parse(&genuine.to_string()).unwrap()
                };
                changed.open(&keys).is_some()
            })
            .count();
        assert_eq!(opened, 1);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let keys = ring(&[100]);
        let text = token(&keys, posted(1, Channel::Sms));
        let symbols = &text[4..];
        for garbled in [
            String::new(),
            symbols.to_owned(),
            format!("REP_{symbols}"),
            format!("sess_{symbols}"),
            format!("{text} "),
            format!("{text}="),
            text[..27].to_owned(),
            format!("{text}AAAA"),
            format!("rep_{}", "é".repeat(12)),
            "rep_".repeat(1 << 16),
        ] {
            assert_eq!(open(&keys, &garbled), None, "{garbled:.40?}");
        }
    }
}
