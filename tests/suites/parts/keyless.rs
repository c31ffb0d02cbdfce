//! What a code would be kept as by whoever keeps hashes without a key, or with one that is kept
//! beside them.

use std::collections::HashSet;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::needles::packed;

/// Eight bytes of a hash are enough to know it by.
type Start = [u8; 8];

/// What may be the start of a hash, wherever it begins.
pub(crate) struct Kept(HashSet<Start>);

impl Kept {
    pub(crate) fn of<'b>(values: impl IntoIterator<Item = &'b [u8]>) -> Self {
        let starts = values.into_iter().flat_map(|value| value.windows(8));
        Self(starts.map(start).collect())
    }

    /// How many hashes of a code were looked for, and whether one is there. For a salt is taken
    /// what whoever has the copy would take: nothing, zeros, and what is known of the person.
    pub(crate) fn find(&self, code: &str, known: [&str; 2]) -> (usize, bool) {
        let [one, other] = known.map(str::as_bytes);
        let (mut tried, mut found) = (0, false);
        keyless(code, &[&[], &[0; 32], one, other], |hash| {
            tried += 1;
            found |= self.0.contains(&hash);
        });
        (tried, found)
    }
}

/// Hands over the starts of all hashes of a code of digits.
pub(crate) fn keyless(code: &str, salts: &[&[u8]], mut judge: impl FnMut(Start)) {
    let number: u64 = code.parse().expect("digits");
    let mut spelt = vec![
        code.as_bytes().to_vec(),
        number.to_be_bytes().to_vec(),
        number.to_le_bytes().to_vec(),
        packed(code).to_be_bytes().to_vec(),
    ];
    spelt.extend(u32::try_from(number).map(|short| short.to_be_bytes().to_vec()));
    for bytes in &spelt {
        judge(start(&Sha256::digest(bytes)));
    }
    for salt in salts {
        judge(start(&Sha256::digest([salt, code.as_bytes()].concat())));
        judge(start(&Sha256::digest([code.as_bytes(), salt].concat())));
        let mut keyed = Hmac::<Sha256>::new_from_slice(salt).expect("any key");
        keyed.update(code.as_bytes());
        judge(start(&keyed.finalize().into_bytes()));
    }
}

fn start(hash: &[u8]) -> Start {
    *hash.first_chunk().expect("eight bytes")
}
