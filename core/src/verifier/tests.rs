//! A verifier on the memory store, as its caller sees it.

mod delivery;
mod life;
mod limits;
mod operate;
mod repeated;
mod scene;
mod time;
mod words;
