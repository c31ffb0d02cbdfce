//! An explicit-state model checker: breadth first, every state once, the shortest way to a
//! state that breaks a law.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use countersign::Stopwatch;

/// What can be checked to the end.
pub(crate) trait Model {
    type State: Clone + Hash;
    type Move: Copy;
    type Law: Copy;

    fn start(&self) -> Self::State;
    /// All that may happen next.
    fn moves(&self, state: &Self::State, moves: &mut Vec<Self::Move>);
    fn after(&self, state: &Self::State, one: Self::Move) -> Self::State;
    /// The law that does not hold in this state.
    fn broken(&self, state: &Self::State) -> Option<Self::Law>;
    /// What is to be seen in this state, a bit each: laws about what never comes hold in vain.
    fn sights(&self, state: &Self::State) -> u64;
    /// What a move means in this state, for whoever reads a trace.
    fn words(&self, state: &Self::State, one: Self::Move) -> String;
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct Search<Law> {
    pub(crate) states: usize,
    pub(crate) moves: usize,
    pub(crate) depth: usize,
    pub(crate) millis: u64,
    pub(crate) sights: u64,
    pub(crate) broken: Option<Counterexample<Law>>,
}

/// The shortest way to a state that breaks a law.
#[derive(Debug)]
pub(crate) struct Counterexample<Law> {
    pub(crate) law: Law,
    pub(crate) trace: Vec<String>,
}

/// How each state was first reached. A search keeps its states as fingerprints, and those of
/// the current depth whole.
struct Way<Move> {
    from: u32,
    by: Move,
}

/// Looks at every state that can be reached, or at all up to the first that breaks a law.
/// `progress` is told the depth and the number of states so far.
pub(crate) fn search<M: Model>(model: &M, progress: impl Fn(usize, usize)) -> Search<M::Law> {
    let since = Stopwatch::start();
    let mut seen = HashSet::<u128, BuildHasherDefault<AsItIs>>::default();
    let mut ways: Vec<Way<M::Move>> = Vec::new();
    let (mut moves, mut taken, mut depth, mut sights) = (Vec::new(), 0, 0, 0);
    let start = model.start();
    seen.insert(fingerprint(&start));
    let mut broken = model.broken(&start).map(|law| Counterexample {
        law,
        trace: Vec::new(),
    });
    let mut here = vec![(0, start)];
    while broken.is_none() && !here.is_empty() {
        let mut next = Vec::new();
        'depth: for (id, state) in &here {
            moves.clear();
            model.moves(state, &mut moves);
            for by in &moves {
                taken += 1;
                let after = model.after(state, *by);
                if !seen.insert(fingerprint(&after)) {
                    continue;
                }
                ways.push(Way { from: *id, by: *by });
                let reached = u32::try_from(ways.len()).expect("a space of 4 * 10^9 states");
                sights |= model.sights(&after);
                if let Some(law) = model.broken(&after) {
                    let trace = trace(model, &ways, reached);
                    broken = Some(Counterexample { law, trace });
                    break 'depth;
                }
                next.push((reached, after));
            }
        }
        if broken.is_some() || !next.is_empty() {
            depth += 1;
            progress(depth, seen.len());
        }
        here = next;
    }
    Search {
        states: seen.len(),
        moves: taken,
        depth,
        millis: since.elapsed_millis(),
        sights,
        broken,
    }
}

/// The moves that lead to a state, in words: they are taken once more from the start.
fn trace<M: Model>(model: &M, ways: &[Way<M::Move>], reached: u32) -> Vec<String> {
    let mut back = Vec::new();
    let mut at = reached;
    while let Some(way) = usize::try_from(at).ok().and_then(|at| at.checked_sub(1)) {
        back.push(ways[way].by);
        at = ways[way].from;
    }
    let mut state = model.start();
    let mut words = Vec::new();
    for by in back.into_iter().rev() {
        words.push(model.words(&state, by));
        state = model.after(&state, by);
    }
    words
}

/// 128 bits of a state. Two of ten million states would share them once in 10^24 searches.
fn fingerprint(state: &impl Hash) -> u128 {
    let mut two = TwoLanes {
        lanes: (0x9e37_79b9_7f4a_7c15, 0x6a09_e667_f3bc_c908),
        word: 0,
        bytes: 0,
    };
    state.hash(&mut two);
    two.mix();
    u128::from(spread(two.lanes.0)) << 64 | u128::from(spread(two.lanes.1))
}

/// Takes small numbers as single bytes, eight at a time: states are hardly anything else.
struct TwoLanes {
    lanes: (u64, u64),
    word: u64,
    bytes: u32,
}

impl TwoLanes {
    fn mix(&mut self) {
        let (one, other) = self.lanes;
        let turned = self.word.rotate_left(32);
        self.lanes.0 = folded(one ^ self.word, 0xbf58_476d_1ce4_e5b9);
        self.lanes.1 = folded(other ^ turned, 0x94d0_49bb_1331_11eb).rotate_left(23) ^ self.word;
        (self.word, self.bytes) = (0, 0);
    }
}

impl Hasher for TwoLanes {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.word |= u64::from(byte) << (8 * self.bytes);
        self.bytes += 1;
        if self.bytes == 8 {
            self.mix();
        }
    }

    /// The lengths of lists.
    #[inline]
    fn write_usize(&mut self, word: usize) {
        match u8::try_from(word) {
            Ok(byte) if byte < u8::MAX => self.write_u8(byte),
            _ => {
                self.write_u8(u8::MAX);
                self.write(&word.to_le_bytes());
            }
        }
    }

    /// The variants of enums.
    #[inline]
    fn write_isize(&mut self, word: isize) {
        self.write_usize(word.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        self.lanes.0
    }
}

/// Both halves of the product, so that every bit of it counts.
fn folded(word: u64, by: u64) -> u64 {
    let product = u128::from(word ^ by) * u128::from(by | 1);
    let (low, high) = (product & u128::from(u64::MAX), product >> 64);
    u64::try_from(low ^ high)
        .unwrap_or_default()
        .wrapping_add(word.rotate_left(17))
}

/// The finaliser of `SplitMix64`.
fn spread(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Fingerprints are spread already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks_exact(8) {
            self.0 ^= chunk
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
    }

    fn write_u128(&mut self, word: u128) {
        self.0 = u64::try_from(word >> 64).unwrap_or_default();
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
