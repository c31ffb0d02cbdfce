//! Which acts nobody may tell apart.

use crate::acts::Act;

/// Two acts that cost the same, to the instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) row: &'static str,
    pub(crate) one: Act,
    pub(crate) other: Act,
}

const fn same(row: &'static str, one: Act, other: Act) -> Pair {
    Pair { row, one, other }
}

pub(crate) const PAIRS: [Pair; 6] = [
    same("a31", Act::WrongThroughout, Act::WrongAtTheEnd),
    same("a32", Act::WrongThroughout, Act::WrongAtDecoy),
    same("a32", Act::Exhausted, Act::ExhaustedDecoy),
    same("a32", Act::Expired, Act::ExpiredDecoy),
    same("a33", Act::Send, Act::SendDecoy),
    same("a65", Act::UnknownKey, Act::WrongSecret),
];
