//! How a code is kept: as a keyed digest that is bound to all it is good for.

use std::fmt;

use hmac::Mac;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use crate::block_mac::MESSAGE;
use crate::keys::{Keyed, MasterKey, Tag, cut};
use crate::session_id::Pointer;

/// HMAC-SHA256 of a code and of all it is bound to, cut to 16 bytes.
///
/// Compared in constant time only; hence no `PartialEq`.
#[derive(Clone, Copy)]
pub struct Digest(pub(crate) [u8; 16]);

impl Digest {
    /// Whether both are the same, in time that does not depend on where they differ.
    pub(crate) fn same(&self, other: &Self) -> Choice {
        // As one number: byte by byte it takes five times as long.
        u128::from_be_bytes(self.0).ct_eq(&u128::from_be_bytes(other.0))
    }

    /// Itself; or, for a decoy, its complement, which is of no code and of the same looks:
    /// some code would have it once in 2^128. Noise would be as good, but to draw it takes
    /// time that tells a decoy's send from a real one.
    pub(crate) fn or_of_nobody(self, decoy: bool) -> Self {
        let every_bit = 0u128.wrapping_sub(u128::from(decoy));
        Self((u128::from_be_bytes(self.0) ^ every_bit).to_be_bytes())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(redacted)")
    }
}

/// What a code is good for, beside its session: who asked, why, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) tenant: Tag,
    pub(crate) purpose: Tag,
    pub(crate) binding: [u8; 16],
}

/// The binding's hash: no binding is a binding of its own.
#[inline]
pub(crate) fn hash_binding(binding: Option<&[u8]>) -> [u8; 16] {
    binding.map_or([0; 16], |bytes| cut(&Sha256::digest(bytes)))
}

/// The digest of a code (packed) in its session and context.
///
/// One message of exactly 55 bytes: with padding it fills a single block, where one
/// byte more would cost another compression, a quarter of the whole.
pub(crate) fn of_code(key: &MasterKey, at: Pointer, context: &Context, packed: u64) -> Digest {
    let mut message = [0; 64];
    message[0] = 1;
    message[1..9].copy_from_slice(&context.tenant.0);
    message[9..17].copy_from_slice(&context.purpose.0);
    message[17..25].copy_from_slice(&at.record.to_bytes());
    message[25..31].copy_from_slice(&at.nonce.0);
    message[31..47].copy_from_slice(&context.binding);
    message[47..MESSAGE].copy_from_slice(&packed.to_be_bytes());
    let digest = Digest(cut(&key.code.sign(&mut message)));
    // Of all that was hashed only this is secret.
    message[47..MESSAGE].zeroize();
    digest
}

/// What marks one attempt of one guess, so that repeating it is recognised: the same
/// attempt id with another code is another attempt.
pub(crate) fn of_attempt(key: &MasterKey, guess: &Digest, attempt_id: &str) -> [u8; 8] {
    let mut keyed = key.attempt.clone();
    keyed.update(b"attempt");
    keyed.update(&guess.0);
    keyed.update(attempt_id.as_bytes());
    cut(&keyed.finalize().into_bytes())
}

/// The seed of the code that `Reuse` sends again and again in one session.
pub(crate) fn reuse_seed(key: &MasterKey, at: Pointer) -> Zeroizing<[u8; 32]> {
    let mut message = [0u8; 14];
    message[..8].copy_from_slice(&at.record.to_bytes());
    message[8..].copy_from_slice(&at.nonce.0);
    Zeroizing::new(mac(&key.reuse, &message))
}

fn mac(key: &Keyed, message: &[u8]) -> [u8; 32] {
    let mut keyed = key.clone();
    keyed.update(message);
    keyed.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Guess;
    use crate::keys::{KeyRing, Secret};
    use crate::record::RecordKey;
    use crate::session_id::Nonce;
    use crate::tenant::{Purpose, Tenant};

    fn keys() -> KeyRing {
        let secret = |first: u8| Secret::new((first..first + 32).collect()).unwrap();
        KeyRing::new(&secret(0), &[secret(100)]).unwrap()
    }

    fn at() -> Pointer {
        let record = [0x2f, 0x09, 0x6b, 0xe1, 0x14, 0xab, 0x6c, 0x0e];
        let nonce = Nonce([0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6]);
        Pointer {
            record: RecordKey::from_bytes(record),
            nonce,
        }
    }

    fn context(binding: Option<&[u8]>) -> Context {
        Context {
            tenant: Tenant::new("acme").unwrap().tag(),
            purpose: Purpose::default().tag(),
            binding: hash_binding(binding),
        }
    }

    fn digest(binding: Option<&[u8]>, code: &str) -> Digest {
        of_code(
            keys().newest(),
            at(),
            &context(binding),
            Guess::parse(code).unwrap().packed(),
        )
    }

    fn hex(bytes: &[u8]) -> String {
        bytes
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// All expected values were computed with Python's `hmac` and `hashlib`.
    #[test]
    fn digests_are_known() {
        assert_eq!(
            hex(&digest(None, "012345").0),
            "d8eade2de9428ec7feb14da587257e6d"
        );
        let bound = digest(Some(b"EUR 12.50 to NO93"), "012345");
        assert_eq!(hex(&bound.0), "e1676b940d1a1ec5ad4986655a09df49");
        let letters = digest(None, "acdef-ghj34");
        assert_eq!(hex(&letters.0), "fe2c3e601e36904213b55d0537c604ea");
    }

    #[test]
    fn attempts_and_seeds_are_known() {
        let keys = keys();
        let attempt = of_attempt(keys.newest(), &digest(None, "012345"), "try-1");
        assert_eq!(hex(&attempt), "8ff7baa082b360bd");
        assert_eq!(
            hex(reuse_seed(keys.newest(), at()).as_ref()),
            "db7b31ba0ed21f3bb6e2496caa175a89ee9a02cbec817e94688cf34c1a297780"
        );
    }

    #[test]
    fn the_same_attempt_id_with_another_code_is_another_attempt() {
        let keys = keys();
        let mark = |code, id| of_attempt(keys.newest(), &digest(None, code), id);
        assert_eq!(mark("012345", "a"), mark("012345", "a"));
        assert_ne!(mark("012345", "a"), mark("012346", "a"));
        assert_ne!(mark("012345", "a"), mark("012345", "b"));
    }

    #[test]
    fn a07_a08_a09_a10_a_digest_is_bound_to_all_that_its_code_is_good_for() {
        let keys = keys();
        let packed = Guess::parse("012345").unwrap().packed();
        let (here, plain) = (at(), context(None));
        let own = of_code(keys.newest(), here, &plain, packed);
        let same = |at, context: &Context, packed| {
            bool::from(of_code(keys.newest(), at, context, packed).same(&own))
        };
        assert!(same(here, &plain, packed));

        let elsewhere = Pointer {
            record: RecordKey::from_bytes([1; 8]),
            ..here
        };
        let another = Pointer {
            nonce: Nonce([0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa7]),
            ..here
        };
        assert!(!same(elsewhere, &plain, packed) && !same(another, &plain, packed));

        let tenant = Tenant::new("other").unwrap().tag();
        let purpose = Purpose::new("reset").unwrap().tag();
        assert!(!same(here, &Context { tenant, ..plain }, packed));
        assert!(!same(here, &Context { purpose, ..plain }, packed));
        let swapped = Context {
            tenant: plain.purpose,
            purpose: plain.tenant,
            ..plain
        };
        assert!(!same(here, &swapped, packed));

        let payee = *b"EUR 12.50 to NO93";
        let bound = context(Some(&payee));
        let signed = of_code(keys.newest(), here, &bound, packed);
        assert!(!same(here, &bound, packed));
        for bit in 0..payee.len() * 8 {
            let mut altered = payee;
            altered[bit / 8] ^= 1 << (bit % 8);
            let other = of_code(keys.newest(), here, &context(Some(&altered)), packed);
            assert!(!bool::from(other.same(&signed)), "bit {bit}");
        }
        // An empty binding is one, too: not the same as none.
        assert!(!same(here, &context(Some(b"")), packed));
        assert!(!same(here, &plain, packed ^ 1));
    }

    #[test]
    fn a36_another_key_gives_another_digest() {
        let other = KeyRing::generate().unwrap();
        let packed = Guess::parse("012345").unwrap().packed();
        let foreign = of_code(other.newest(), at(), &context(None), packed);
        assert!(!bool::from(foreign.same(&digest(None, "012345"))));
    }

    #[test]
    fn a_difference_of_one_bit_anywhere_is_a_difference() {
        let one = Digest([0x5a; 16]);
        assert!(bool::from(one.same(&Digest([0x5a; 16]))));
        for bit in 0..128 {
            let mut bytes = [0x5a; 16];
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!bool::from(one.same(&Digest(bytes))));
        }
    }

    #[test]
    fn a69_the_digest_of_a_decoy_is_of_no_code() {
        let keys = keys();
        let of = |packed| of_code(keys.newest(), at(), &context(None), packed);
        let packed = |code: u32| Guess::parse(&format!("{code:04}")).unwrap().packed();
        let nobodys = of(packed(1234)).or_of_nobody(true);
        for code in 0..10_000 {
            assert!(!bool::from(of(packed(code)).same(&nobodys)), "{code:04}");
        }
        // Each decoy's is another one, so that a reader of the store sees no pattern.
        let others = of(packed(1235)).or_of_nobody(true);
        assert_eq!(nobodys.0.map(|byte| !byte), of(packed(1234)).0);
        assert!(!bool::from(nobodys.same(&others)));
        let own = of(packed(1234)).or_of_nobody(false);
        assert!(bool::from(own.same(&of(packed(1234)))));
    }

    #[test]
    fn a37_a_digest_does_not_show_in_debug() {
        assert_eq!(format!("{:?}", digest(None, "012345")), "Digest(redacted)");
    }
}
