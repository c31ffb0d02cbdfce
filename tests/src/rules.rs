//! The rules, each a function that tries it on a store.

pub mod applying;
pub mod disaster;
pub mod listing;
pub mod outage;
pub mod swapping;
pub mod sweeping;
pub mod time;
pub mod values;
