//! Nothing: see `Cargo.toml`, which turns features on for a build of the whole workspace.
