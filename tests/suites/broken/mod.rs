//! Stores that are broken on purpose: each is a map with one fault.

mod bench;
mod disaster;
mod fault;
mod operations;
mod rows;
mod steps;
mod table;
mod waiting;

pub(crate) use bench::{Bench, Memory, Sqlite};
pub(crate) use fault::Fault;
pub(crate) use rows::Broken;
pub(crate) use table::TABLE;
