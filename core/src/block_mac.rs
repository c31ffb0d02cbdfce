//! HMAC-SHA256 of one block: what a check spends most of its time on.

use sha2::block_api::compress256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a message that fills a block, with the padding that SHA-256 adds.
pub(crate) const MESSAGE: usize = 55;

const BLOCK: usize = 64;

/// The first eight words of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// HMAC-SHA256 (RFC 2104) for messages of exactly 55 bytes: both halves of the key are
/// hashed beforehand, so that a digest costs two compressions and no more. The general
/// HMAC takes a quarter longer to keep account of lengths that never change here.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct BlockMac {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl BlockMac {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self {
            inner: keyed(key, 0x36),
            outer: keyed(key, 0x5c),
        }
    }

    /// The MAC of the first 55 bytes of `block`, behind which zeros stand.
    pub(crate) fn sign(&self, block: &mut [u8; BLOCK]) -> [u8; 32] {
        let inside = hash::<MESSAGE>(self.inner, block);
        let mut around = [0; BLOCK];
        around[..32].copy_from_slice(&inside);
        hash::<32>(self.outer, &mut around)
    }
}

/// The state after the key's own block.
fn keyed(key: &[u8; 32], pad: u8) -> [u32; 8] {
    let mut block = [pad; BLOCK];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    block.zeroize();
    state
}

/// Goes on from `state`, the key's block, over the last block: `LENGTH` bytes and zeros.
#[inline]
fn hash<const LENGTH: usize>(mut state: [u32; 8], block: &mut [u8; BLOCK]) -> [u8; 32] {
    const { assert!(LENGTH <= MESSAGE) };
    block[LENGTH] = 0x80;
    let bits = (BLOCK + LENGTH) as u64 * 8;
    block[BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut state, std::slice::from_ref(block));
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;

    proptest! {
        #[test]
        fn it_is_hmac_sha256(key: [u8; 32], message: [u8; 32], rest: [u8; MESSAGE - 32]) {
            let mut block = [0; BLOCK];
            block[..32].copy_from_slice(&message);
            block[32..MESSAGE].copy_from_slice(&rest);
            let mut reference = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            reference.update(&block[..MESSAGE]);
            let expected: [u8; 32] = reference.finalize().into_bytes().into();
            prop_assert_eq!(BlockMac::new(&key).sign(&mut block), expected);
        }
    }
}
