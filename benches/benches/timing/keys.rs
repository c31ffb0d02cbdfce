//! API keys that were never issued: of a tenant that is unknown, and of one that is not.

use std::sync::Arc;

use countersign_benches::ready;
use countersign_http::{ApiKeys, Scopes};
use sha2::{Digest as _, Sha256};

use crate::scene::Scene;

const PREFIX: &str = "countersign_verify_";
const KID: usize = 14;
const SECRET: usize = 43;
const MARK: usize = 11;

/// The keys of a deployment with one tenant, and that tenant's one key.
pub(crate) struct Keys {
    keys: ApiKeys,
    kid: String,
}

impl Keys {
    #[expect(clippy::expect_used, reason = "a bench without keys cannot go on")]
    pub(crate) fn over(scene: &Scene) -> Self {
        let clock = Arc::clone(&scene.clock);
        let keys = ApiKeys::builder(scene.verifier.clone())
            .clock(clock)
            .build();
        let key = ready(keys.create(&scene.tenant, Scopes::ALL)).expect("a key is made");
        // It is in use: what was read is remembered.
        let known = ready(keys.authenticate(key.reveal()));
        assert!(known.is_ok_and(|caller| caller.is_some()), "it is good");
        let kid = key.kid().to_owned();
        Self { keys, kid }
    }

    /// The n-th key that was never issued: of the id that is known, or of one that names
    /// nothing. Both are made of the same pieces, so that they lie alike in memory.
    pub(crate) fn never_issued(&self, n: usize, known: bool) -> String {
        // The largest record key begins with an L; the last three name one of its keys.
        let nobodys = format!("7{}00z", symbols(n, KID - 4));
        made_up(if known { &self.kid } else { &nobodys }, n)
    }

    pub(crate) fn refuses(&self, key: &str) -> bool {
        matches!(ready(self.keys.authenticate(key)), Ok(None))
    }
}

/// A key with a secret of its own, a mark as it could be, and the right checksum.
fn made_up(kid: &str, n: usize) -> String {
    // The largest mark begins with an L as well.
    let signed = format!(
        "{PREFIX}{kid}_{}7{}",
        symbols(n, SECRET),
        symbols(!n, MARK - 1)
    );
    let hash = Sha256::digest(&signed);
    let sum = hash[..4]
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{signed}{}", base62(sum, 6))
}

/// So many symbols that look like noise.
fn symbols(n: usize, many: usize) -> String {
    let hash = Sha256::digest(n.to_be_bytes());
    let symbol = |at: usize| base62(u64::from(hash[at % hash.len()] % 62), 1);
    (0..many).map(symbol).collect()
}

fn base62(mut number: u64, width: usize) -> String {
    const SYMBOLS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut symbols = vec!['0'; width];
    for symbol in symbols.iter_mut().rev() {
        let at = usize::try_from(number % 62).unwrap_or(0);
        *symbol = char::from(SYMBOLS[at]);
        number /= 62;
    }
    symbols.into_iter().collect()
}
