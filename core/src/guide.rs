//! The guide: longer reading for those who run it.

#[doc = include_str!("guide/attacks.md")]
pub mod attacks {}

#[doc = include_str!("guide/growth.md")]
pub mod growth {}
