//! Every channel's deliverers, in their order, each behind a breaker where there is another.

use std::sync::Arc;

use countersign::{Channel, Deliverer, SystemClock, Verifier};
use countersign_http::Api;
use countersign_messages::Messages;
use countersign_provider::{Breaker, BreakerConfig, InOrder};

use super::part::Part;
use super::question::Question;
use crate::config::{Config, Route};
use crate::failure::Failure;

/// Deliverers by channel, and what hangs on them.
#[derive(Default)]
pub(crate) struct Deliverers {
    channels: Vec<(Channel, Arc<dyn Deliverer>)>,
    parts: Vec<(Channel, Part)>,
}

impl Deliverers {
    /// All that the configuration names.
    pub(crate) fn of(config: &Config, messages: &Arc<Messages>) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        for (channel, provider) in Self::named(config) {
            parts.push((channel, Part::build(provider, channel, config, messages)?));
        }
        Ok(Self::over(config, parts))
    }

    /// Each provider of each channel, in their order.
    pub(crate) fn named(
        config: &Config,
    ) -> impl Iterator<Item = (Channel, crate::config::Provider)> + '_ {
        let of = |route: &'_ Route| {
            let channel = route.channel;
            let via = route.via.clone();
            via.into_iter().map(move |provider| (channel, provider))
        };
        config.routes.iter().flat_map(of)
    }

    /// Those that could be built.
    pub(crate) fn over(config: &Config, parts: Vec<(Channel, Part)>) -> Self {
        let channel = |route: &Route| {
            let own = parts
                .iter()
                .filter(|(channel, _)| *channel == route.channel);
            let several = route.via.len() > 1;
            let guarded = own.map(|(_, part)| guarded(part, several)).collect();
            let all = InOrder::of(guarded, route.after_lost_answers)?;
            Some((route.channel, all))
        };
        let channels = config.routes.iter().filter_map(channel).collect();
        Self { channels, parts }
    }

    /// Hands them to a verifier that is being built.
    pub(super) fn install(&self, mut builder: countersign::Builder) -> countersign::Builder {
        for (channel, deliverer) in &self.channels {
            builder = builder.deliverer(*channel, Arc::clone(deliverer));
        }
        builder
    }

    /// Lets their providers report at the API.
    pub(crate) fn reported_to(&self, api: Api, public_url: &str) -> Api {
        let readers = self
            .parts
            .iter()
            .filter_map(|(_, part)| part.reader.as_ref());
        let api = api.public_url(public_url);
        readers.fold(api, |api, (name, reader)| {
            api.report_reader(*name, Arc::clone(reader))
        })
    }

    /// Notes what message centres report on their own connections, for as long as they do.
    pub(crate) fn listen(&self, verifier: &Verifier) {
        for (_, part) in &self.parts {
            let Question::Smpp(smpp) = &part.question else {
                continue;
            };
            let (Some(mut reports), verifier) = (smpp.reports(), verifier.clone()) else {
                continue;
            };
            tokio::spawn(async move {
                while let Some(report) = reports.recv().await {
                    if let Err(error) = verifier.report(&report).await {
                        tracing::warn!(%error, "a delivery report was not noted");
                    }
                }
            });
        }
    }

    /// The channels that have some.
    #[cfg(test)]
    pub(crate) fn channels(&self) -> Vec<Channel> {
        self.channels.iter().map(|(channel, _)| *channel).collect()
    }
}

/// One provider alone is asked however often it fails: there is nobody else.
fn guarded(part: &Part, several: bool) -> Arc<dyn Deliverer> {
    let deliverer = Arc::clone(&part.deliverer);
    if !several {
        return deliverer;
    }
    let clock = Arc::new(SystemClock::default());
    Arc::new(Breaker::new(deliverer, clock, BreakerConfig::default()))
}
