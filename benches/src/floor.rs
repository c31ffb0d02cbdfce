//! The floor: what a check cannot do without, and nothing more.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher as StdHasher};
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use countersign::{Clock as _, SystemClock};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::contender::Contender;
use crate::people::People;

/// One HMAC-SHA256 with kept state: the part of the floor that the processor has
/// instructions for, which valgrind hides.
#[derive(Debug)]
pub struct Hasher(Hmac<Sha256>);

impl Hasher {
    /// A hasher with a key of its own.
    #[must_use]
    pub fn new() -> Self {
        // HMAC takes a key of any length: the error cannot occur.
        let key = [7; 32];
        Self(Hmac::new_from_slice(&key).unwrap_or_else(|_| Hmac::new(&[0; 64].into())))
    }

    /// The digest of 55 bytes, which fill a block: a session and a code.
    #[must_use]
    pub fn digest(&self, session: u64, code: &str) -> [u8; 16] {
        let mut message = [0; 55];
        message[..8].copy_from_slice(&session.to_be_bytes());
        message[47..47 + code.len()].copy_from_slice(code.as_bytes());
        let mut mac = self.0.clone();
        mac.update(&message);
        let mut digest = [0; 16];
        digest.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        digest
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

/// One hash, one lookup and mutation in a sharded map, one compare in constant time. It
/// parses nothing, expires nothing, limits nothing.
#[derive(Debug)]
pub struct Floor {
    hasher: Hasher,
    shards: Vec<Mutex<Shard>>,
}

type Shard = HashMap<u64, Entry, BuildHasherDefault<AsItIs>>;

#[derive(Debug)]
struct Entry {
    digest: [u8; 16],
    attempts: u8,
    used: bool,
}

const SHARDS: u64 = 64;

impl Floor {
    fn check(&self, session: u64, code: &str) -> bool {
        let digest = self.hasher.digest(session, code);
        let mut shard = self.shard(session);
        let Some(entry) = shard.get_mut(&session) else {
            return false;
        };
        entry.attempts = entry.attempts.wrapping_add(1);
        let hit = bool::from(entry.digest.ct_eq(&digest)) && !entry.used;
        entry.used |= hit;
        hit
    }

    fn open_one(&self, session: u64, code: &str) -> bool {
        let entry = Entry {
            digest: self.hasher.digest(session, code),
            attempts: 0,
            used: false,
        };
        self.shard(session).insert(session, entry).is_none()
    }

    fn shard(&self, session: u64) -> std::sync::MutexGuard<'_, Shard> {
        let shard = usize::try_from((session >> 32) % SHARDS).unwrap_or_default();
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contender for Floor {
    const NAME: &'static str = "floor";

    fn open(people: &People) -> Self {
        let floor = Self {
            hasher: Hasher::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        };
        for person in people.order() {
            floor.open_one(session_of(person), people.code(person));
        }
        floor
    }

    fn right(&mut self, people: &People, person: usize) -> bool {
        self.check(session_of(person), people.code(person))
    }

    fn wrong(&mut self, people: &People, person: usize) -> bool {
        !self.check(session_of(person), people.wrong_code(person))
    }

    fn send(&mut self, people: &People, n: usize) -> bool {
        self.open_one(session_of(people.count() + n), black_box("123456"))
    }
}

/// The floor, and one read of the system's clock: what has an end must know the time.
#[derive(Debug)]
pub struct FloorAndClock(Floor);

impl Contender for FloorAndClock {
    const NAME: &'static str = "floor and a clock";

    fn open(people: &People) -> Self {
        Self(Floor::open(people))
    }

    fn right(&mut self, people: &People, person: usize) -> bool {
        black_box(SystemClock::default().now());
        self.0.right(people, person)
    }

    fn wrong(&mut self, people: &People, person: usize) -> bool {
        black_box(SystemClock::default().now());
        self.0.wrong(people, person)
    }

    fn send(&mut self, people: &People, n: usize) -> bool {
        black_box(SystemClock::default().now());
        self.0.send(people, n)
    }
}

/// A session's key, scattered as a pseudorandom one would be.
const fn session_of(person: usize) -> u64 {
    (person as u64 + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
}

/// Keys are pseudorandom already.
#[derive(Debug, Default)]
pub(crate) struct AsItIs(u64);

impl StdHasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
