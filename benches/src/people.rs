//! The people whose codes are checked: the same for every contender.

/// People with a number, a code and a place in a random order.
///
/// Texts lie behind each other in the order in which they are checked, as requests come:
/// what is measured is the engine's memory, not the bench's.
#[derive(Debug)]
pub struct People {
    count: usize,
    numbers: String,
    codes: String,
    order: Vec<u32>,
}

const NUMBER: usize = "+491000000000".len();
const CODE: usize = 6;

impl People {
    /// So many people, and as many newcomers.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut order: Vec<u32> = (0..).take(count).collect();
        // Fisher and Yates, by splitmix64: the same order in every run.
        for last in (1..count).rev() {
            let other = scatter(last as u64) % (last as u64 + 1);
            order.swap(last, usize::try_from(other).unwrap_or(last));
        }
        let number = |n: usize| format!("+49{}", 1_000_000_000 + n);
        let code = |n: usize| format!("{:06}", scatter(n as u64) % 1_000_000);
        Self {
            count,
            numbers: (0..2 * count).map(number).collect::<Vec<_>>().concat(),
            codes: (0..count).map(code).collect::<Vec<_>>().concat(),
            order,
        }
    }

    /// As many as `COUNTERSIGN_PEOPLE` says, or 100,000.
    #[must_use]
    pub fn asked_for() -> Self {
        let named = std::env::var("COUNTERSIGN_PEOPLE").ok();
        Self::new(named.and_then(|n| n.parse().ok()).unwrap_or(100_000))
    }

    /// How many they are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// In which order their sessions are opened, while they are checked by number.
    pub fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().map(|person| *person as usize)
    }

    /// A person's telephone number; beyond `count`, a newcomer's.
    #[must_use]
    pub fn number(&self, person: usize) -> &str {
        &self.numbers[person * NUMBER..][..NUMBER]
    }

    /// A person's code.
    #[must_use]
    pub fn code(&self, person: usize) -> &str {
        &self.codes[person * CODE..][..CODE]
    }

    /// Another person's code, which is another but for one person in a million.
    #[must_use]
    pub fn wrong_code(&self, person: usize) -> &str {
        let other = (person + 1) % self.count;
        if self.code(other) == self.code(person) {
            return another_code(self.code(person));
        }
        self.code(other)
    }
}

/// A code that is not this one.
#[must_use]
pub fn another_code(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}

/// A pseudorandom number by splitmix64.
const fn scatter(n: u64) -> u64 {
    mix(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The end of splitmix64: what its counter becomes.
#[must_use]
pub const fn mix(counter: u64) -> u64 {
    let z = (counter ^ (counter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
