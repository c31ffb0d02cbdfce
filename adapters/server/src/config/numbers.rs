//! Phone numbers: how they are written, which countries are served, and prices.

use std::collections::BTreeMap;

use countersign::Channel;
use countersign_numbers::NumbersConfig;
use serde::Deserialize;

use super::{ConfigError, Provider, Route};

/// `[numbers]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawNumbers {
    region: Option<String>,
    voip: Option<bool>,
    fixed_lines_by_sms: Option<bool>,
}

/// `[prices.CHANNEL.PROVIDER]`, a line for each country.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPrices {
    sms: Table,
    voice: Table,
}

type Table = BTreeMap<String, BTreeMap<String, String>>;

/// What a channel's own section says of countries.
pub(super) type Countries = [(Channel, Vec<String>); 2];

/// The plan of numbers. Where the console alone delivers, nothing costs and every number in
/// the form of E.164 is as good as another; `production` has no console.
pub(super) fn resolve(
    raw: &RawNumbers,
    prices: &RawPrices,
    listed: Countries,
    routes: &[Route],
) -> Result<NumbersConfig, ConfigError> {
    let mut config = NumbersConfig::new();
    if let Some(region) = &raw.region {
        country("numbers.region", region)?;
        config = config.region(region);
    }
    if raw.fixed_lines_by_sms.unwrap_or(false) {
        config = config.fixed_lines_by_sms();
    }
    for (channel, codes) in listed {
        let field = format!("{}.countries", channel.name());
        codes.iter().try_for_each(|code| country(&field, code))?;
        config = config.countries(channel, codes);
        if raw.voip.unwrap_or(false) {
            config = config.voip(channel);
        }
        let via = routes.iter().find(|route| route.channel == channel);
        let via = via.map_or(&[][..], |route| &route.via);
        if !via.is_empty() && via.iter().all(|one| *one == Provider::Console) {
            config = config.dangerous_any_number(channel);
        }
        let costly = via.iter().filter(|one| **one != Provider::Console);
        config = config.providers(channel, costly.map(|one| one.name()));
    }
    for (channel, table) in [(Channel::Sms, &prices.sms), (Channel::Voice, &prices.voice)] {
        for (provider, lines) in table {
            for (code, price) in lines {
                // The environment's names are in lower case.
                let code = code.to_ascii_uppercase();
                config = config.price(channel, code, provider, price);
            }
        }
    }
    Ok(config)
}

fn country(field: &str, code: &str) -> Result<(), ConfigError> {
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    let expected = "is no country: expected two capital letters, for instance \"NO\"";
    Err(ConfigError::new(field, format!("{code:?} {expected}")))
}
