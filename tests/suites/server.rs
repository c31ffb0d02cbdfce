//! End to end: the real `countersign` binary, over HTTP and from the shell, as its users
//! drive it, with the codes read from a real SMTP server or the terminal.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "server/api.rs"]
mod api;
#[path = "server/commands.rs"]
mod commands;
#[path = "server/configuration.rs"]
mod configuration;
#[path = "server/contract.rs"]
mod contract;
#[path = "server/echoed.rs"]
mod echoed;
#[path = "server/forgetful.rs"]
mod forgetful;
#[path = "server/hostile.rs"]
mod hostile;
#[path = "server/in_process.rs"]
mod in_process;
#[path = "server/keys.rs"]
mod keys;
#[path = "server/life.rs"]
mod life;
#[path = "server/literal.rs"]
mod literal;
#[path = "server/mail.rs"]
mod mail;
#[path = "server/money.rs"]
mod money;
#[path = "server/observability.rs"]
mod observability;
#[path = "server/page.rs"]
mod page;
#[path = "parts/mod.rs"]
#[expect(dead_code, reason = "each suite starts some of the counterparts")]
mod parts;
#[path = "server/phones.rs"]
mod phones;
#[path = "server/races.rs"]
mod races;
#[path = "server/recipients.rs"]
mod recipients;
#[path = "server/restart.rs"]
mod restart;
#[path = "server/secrecy.rs"]
mod secrecy;
#[path = "server/smuggled.rs"]
mod smuggled;
#[path = "server/stage.rs"]
mod stage;
#[path = "server/terminal.rs"]
mod terminal;
#[path = "server/traces.rs"]
mod traces;
#[path = "server/wiped.rs"]
mod wiped;
#[path = "server/witness.rs"]
mod witness;
#[path = "server/zero_configuration.rs"]
mod zero_configuration;
