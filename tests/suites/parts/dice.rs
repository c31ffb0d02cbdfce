//! Pseudorandom numbers that a seed repeats.

/// Splitmix64 from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Of the seed that `COUNTERSIGN_SEED` names, 1 without it, and of what it is for: so
    /// that a failed run can be repeated. Prints the seed.
    pub(crate) fn seeded(what: u64) -> Self {
        let named = std::env::var("COUNTERSIGN_SEED");
        let seed: u64 = named.map_or(1, |seed| {
            seed.parse().expect("COUNTERSIGN_SEED is a number")
        });
        println!("seed {seed} (COUNTERSIGN_SEED)");
        Self(seed.wrapping_add(what.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Those of the n-th round, whatever the others draw.
    pub(crate) fn of_round(&self, n: u64) -> Self {
        Self(self.0.wrapping_add(n)).fork()
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("64 bits are enough");
        usize::try_from(self.draw() % bound).expect("it is below one")
    }

    /// Others, which these decide.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.draw())
    }

    /// Heads or tails.
    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// So many bytes of noise.
    pub(crate) fn noise(&mut self, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|_| self.draw().to_le_bytes()[0]).collect()
    }
}
