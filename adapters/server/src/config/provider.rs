//! Which deliverers a channel goes through, by name.

use countersign::Channel;

use super::ConfigError;

/// A deliverer that this release has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The terminal.
    Console,
    /// A mail server.
    Smtp,
}

/// The way of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) channel: Channel,
    /// In order; none if nothing was configured for the channel.
    pub(crate) via: Vec<Provider>,
}

/// Names that the configuration knows and later releases deliver by.
const PLANNED: [&str; 5] = ["twilio", "vonage", "sns", "smpp", "webhook"];

/// Reads the `via` of every channel. While none has any, the console takes them all.
pub(super) fn routes(
    written: [(Channel, Option<Vec<String>>); 3],
) -> Result<Vec<Route>, ConfigError> {
    let mut routes = Vec::with_capacity(written.len());
    for (channel, names) in written {
        let names = names.unwrap_or_default();
        let via = names
            .iter()
            .map(|name| provider(channel, name))
            .collect::<Result<_, _>>()?;
        routes.push(Route { channel, via });
    }
    if routes.iter().all(|route| route.via.is_empty()) {
        for route in &mut routes {
            route.via.push(Provider::Console);
        }
    }
    Ok(routes)
}

/// Whether nothing but the console delivers.
pub(super) fn only_console(routes: &[Route]) -> bool {
    routes
        .iter()
        .flat_map(|route| &route.via)
        .all(|provider| *provider == Provider::Console)
}

fn provider(channel: Channel, name: &str) -> Result<Provider, ConfigError> {
    let works = if channel == Channel::Email {
        "smtp or console"
    } else {
        "console"
    };
    let problem = match (name, channel) {
        ("console", _) => return Ok(Provider::Console),
        ("smtp", Channel::Email) => return Ok(Provider::Smtp),
        ("smtp", _) => format!("smtp carries email alone: set {works}"),
        (name, _) if PLANNED.contains(&name) => {
            format!("this release has no {name} deliverer yet: set {works}")
        }
        (name, _) => format!("there is no deliverer {name:?}: set {works}"),
    };
    Err(ConfigError::new(format!("{}.via", channel.name()), problem))
}
