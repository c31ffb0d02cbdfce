//! The command line.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use countersign::Tenant;

use crate::commands;
use crate::config::Config;
use crate::failure::Failure;
use crate::{logging, serve};

/// Sends one-time codes and says whether the code that came back is right.
///
/// Without a configuration `serve` keeps everything in ./data and shows codes in the
/// terminal.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Configuration file [default: ./countersign.toml where there is one]
    #[arg(long, global = true, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Connect to everything the configuration names and say what is wrong
    CheckConfig {
        /// Send one real code there, over SMS or email
        #[arg(long, value_name = "ADDRESS")]
        send_to: Option<Unread>,
        /// Prints what a message to this phone number would cost, and sends none.
        #[arg(long, value_name = "NUMBER")]
        cost_of: Option<Unread>,
    },
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(Key),
    /// Print a dashboard token with which a tenant can be activated
    Token {
        /// Whom it is for
        #[arg(long, value_name = "NAME", value_parser = tenant)]
        tenant: Tenant,
        /// How long it is good
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        lifetime_seconds: u32,
    },
    /// Show all that is known of a destination: limits, lock, sessions
    Inspect(Whose),
    /// Forget a destination's failures, sends and lock; its sessions stay
    Reset(Reset),
    /// End every open session: after restoring a backup or a disk snapshot
    Fence,
    /// Make secrets
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Print the OpenAPI 3.1 document
    Openapi,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key and print it, alone, on standard output
    Create(OfKey),
    /// Make a key that needs no store: print it, alone, on standard output, and what the
    /// configuration of each server must have for it on standard error
    Static(OfKey),
    /// List the keys of a tenant
    List {
        /// Whose keys
        #[arg(long, value_name = "NAME", value_parser = tenant)]
        tenant: Tenant,
    },
    /// Revoke a key, within a second on every server
    Revoke {
        /// The key's name, as `key list` shows it
        kid: String,
    },
}

/// What a fresh key is to be.
#[derive(Debug, Args)]
pub(crate) struct OfKey {
    /// Whose key it is
    #[arg(long, value_name = "NAME", value_parser = tenant)]
    pub(crate) tenant: Tenant,
    /// What it may do: send, check or admin, several times [default: send and check]
    #[arg(long = "scope", value_name = "SCOPE", value_parser = ["send", "check", "admin"])]
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// The tenant that sends there
    #[arg(long, value_name = "NAME", value_parser = tenant)]
    pub(crate) tenant: Tenant,
    /// A phone number (+47…) or an email address
    pub(crate) destination: Unread,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) whose: Option<Whose>,
    /// Instead: forget what all tenants sent to the numbers that share this one's prefix, so
    /// that its cap and its breaker on falling conversion begin anew
    #[arg(
        long,
        value_name = "NUMBER",
        conflicts_with = "Whose",
        required_unless_present = "Whose"
    )]
    pub(crate) prefix_of: Option<Unread>,
}

/// A destination as it was typed: how to read it is told by the configuration. Its `Debug`
/// does not show it.
#[derive(Clone)]
pub(crate) struct Unread(String);

impl Unread {
    /// What was typed. Never log it.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Unread {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unread(redacted)")
    }
}

#[derive(Debug, Subcommand)]
enum SecretCommand {
    /// Print the content of a fresh secret file
    New,
}

/// What a command logs unless `COUNTERSIGN_LOG` says otherwise; a server says more.
const QUIET: &str = "warn,audit=info";
const SERVING: &str = "info";

impl Cli {
    /// Does what was asked for.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match &self.command {
            Command::Secret(SecretCommand::New) => return commands::secret::new(),
            Command::Openapi => return commands::openapi::print(),
            Command::Key(Key::Static(of)) => return commands::key::make_static(of),
            _ => {}
        }
        if matches!(self.command, Command::CheckConfig { .. }) {
            logging::start(crate::config::LogFormat::Text, QUIET)?;
        }
        let config = Config::load(self.config.as_deref());
        if let Command::CheckConfig { send_to, cost_of } = self.command {
            let (to, number) = (send_to.as_ref(), cost_of.as_ref());
            return commands::check_config::run(config, to, number).await;
        }
        let config = config?;
        let serving = matches!(self.command, Command::Serve);
        logging::start(config.log_format, if serving { SERVING } else { QUIET })?;
        match self.command {
            Command::Serve => serve::run(config).await,
            Command::Key(key) => commands::key::run(&config, key).await,
            Command::Token {
                tenant,
                lifetime_seconds,
            } => commands::token::print(&config, &tenant, lifetime_seconds),
            Command::Inspect(whose) => commands::inspect::run(&config, &whose).await,
            Command::Reset(what) => commands::reset::run(&config, &what).await,
            Command::Fence => commands::fence::run(&config).await,
            // Answered above, where no configuration is needed.
            Command::Secret(_) | Command::Openapi | Command::CheckConfig { .. } => Ok(()),
        }
    }
}

fn tenant(name: &str) -> Result<Tenant, String> {
    Tenant::new(name).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
