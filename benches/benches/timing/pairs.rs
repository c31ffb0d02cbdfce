//! Which acts nobody may tell apart.

use crate::acts::Act;

/// Two acts that are to cost the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) row: &'static str,
    pub(crate) one: Act,
    pub(crate) other: Act,
    /// How many instructions they may be apart, and what those are.
    pub(crate) apart: (u64, &'static str),
}

const fn same(row: &'static str, one: Act, other: Act) -> Pair {
    apart(row, one, other, (0, ""))
}

const fn apart(row: &'static str, one: Act, other: Act, apart: (u64, &'static str)) -> Pair {
    Pair {
        row,
        one,
        other,
        apart,
    }
}

/// How many instructions a send to nobody may be apart from one to somebody.
const DECOY_APART: u64 = 5;

const DECOY: (u64, &str) = (
    DECOY_APART,
    "two were seen, where both draw and store the same; nobody knows of what",
);

pub(crate) const PAIRS: [Pair; 6] = [
    same("a31", Act::WrongThroughout, Act::WrongAtTheEnd),
    same("a32", Act::WrongThroughout, Act::WrongAtDecoy),
    same("a32", Act::Exhausted, Act::ExhaustedDecoy),
    same("a32", Act::Expired, Act::ExpiredDecoy),
    apart("a33", Act::Send, Act::SendDecoy, DECOY),
    same("a65", Act::UnknownKey, Act::WrongSecret),
];
