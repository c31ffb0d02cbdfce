//! Which deliverers a channel goes through, by name.

use countersign::Channel;
use countersign_provider::AfterLostAnswers;

use super::ConfigError;

/// A deliverer that this release has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The terminal.
    Console,
    /// A mail server.
    Smtp,
    /// Twilio: SMS and calls.
    Twilio,
    /// Vonage: SMS and calls.
    Vonage,
    /// AWS SNS: SMS.
    Sns,
    /// A message centre: SMS.
    Smpp,
    /// A server of the operator's own: any channel.
    Webhook,
}

impl Provider {
    const ALL: [Self; 7] = [
        Self::Twilio,
        Self::Vonage,
        Self::Sns,
        Self::Smpp,
        Self::Smtp,
        Self::Webhook,
        Self::Console,
    ];

    /// Its name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Smtp => "smtp",
            Self::Twilio => "twilio",
            Self::Vonage => "vonage",
            Self::Sns => "sns",
            Self::Smpp => "smpp",
            Self::Webhook => "webhook",
        }
    }

    const fn carries(self, channel: Channel) -> bool {
        match self {
            Self::Console | Self::Webhook => true,
            Self::Smtp => matches!(channel, Channel::Email),
            Self::Twilio | Self::Vonage => matches!(channel, Channel::Sms | Channel::Voice),
            Self::Sns | Self::Smpp => matches!(channel, Channel::Sms),
        }
    }
}

/// The way of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) channel: Channel,
    /// In order; none if nothing was configured for the channel.
    pub(crate) via: Vec<Provider>,
    /// Whether the next is tried where a message may have left.
    pub(crate) after_lost_answers: AfterLostAnswers,
}

/// A channel's section, as far as it is about deliverers.
pub(super) struct Written {
    pub(super) channel: Channel,
    pub(super) via: Option<Vec<String>>,
    pub(super) dangerous_retry_lost: Option<bool>,
}

/// Reads the `via` of every channel. While none has any, the console takes them all.
pub(super) fn routes(written: [Written; 3]) -> Result<Vec<Route>, ConfigError> {
    let mut routes = Vec::with_capacity(written.len());
    for one in written {
        let names = one.via.unwrap_or_default();
        let via = names
            .iter()
            .map(|name| provider(one.channel, name))
            .collect::<Result<_, _>>()?;
        routes.push(Route {
            channel: one.channel,
            via,
            after_lost_answers: if one.dangerous_retry_lost.unwrap_or(false) {
                AfterLostAnswers::DangerousRetryLost
            } else {
                AfterLostAnswers::Stop
            },
        });
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
    let known = Provider::ALL.into_iter().find(|one| one.name() == name);
    let problem = match known {
        Some(provider) if provider.carries(channel) => return Ok(provider),
        Some(_) => format!("{name} carries no {}", channel.name()),
        None => format!("there is no deliverer {name:?}"),
    };
    let able = Provider::ALL.into_iter().filter(|one| one.carries(channel));
    let able: Vec<_> = able.map(Provider::name).collect();
    Err(ConfigError::new(
        format!("{}.via", channel.name()),
        format!("{problem}: set some of {}", able.join(", ")),
    ))
}
