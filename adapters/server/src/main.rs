//! The server and its command line: one binary, `countersign`.

mod banner;
mod bounds;
mod cli;
mod commands;
mod config;
mod console;
mod failure;
mod http_server;
mod logging;
mod private_file;
mod secrets;
mod serve;
mod shutdown;
mod stack;
mod wiring;

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use zeroizing_alloc::ZeroAlloc;

use crate::cli::Cli;
use crate::failure::Failure;

/// Wipes whatever is freed: a code passes through templates, forms, JSON and buffers of
/// libraries, none of which wipe what they had of it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("countersign: {failure}");
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    // Fails only where one is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_park(stack::wipe)
        .build()
        .map_err(|error| Failure::runtime("cannot start", &error))?;
    let outcome = runtime.block_on(cli.run());
    // What is still under way has had its time; dropping it closes the store.
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome
}
