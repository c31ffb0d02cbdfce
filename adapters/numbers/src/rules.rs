//! What one channel serves.

use std::collections::{BTreeMap, BTreeSet};

use countersign::{Channel, Unserved};
use rlibphonenumber::{PhoneNumberUtil, Region};

use crate::config::NumbersConfig;
use crate::error::NumbersConfigError;
use crate::numbers::Facts;
use crate::price;
use crate::sort::Sort;

/// A channel's countries, sorts and prices.
#[derive(Debug)]
pub(crate) struct Rules {
    countries: BTreeSet<String>,
    sorts: Vec<Sort>,
    any_number: bool,
    /// The dearest price by country, in millionths; none where prices are not kept.
    prices: Option<BTreeMap<String, u64>>,
}

impl Rules {
    pub(crate) fn new(
        library: &PhoneNumberUtil,
        config: &NumbersConfig,
        channel: Channel,
    ) -> Result<Self, NumbersConfigError> {
        let field = format!("{}.countries", channel.name());
        let countries = of(&config.countries, channel)
            .map(|country| self::country(library, &field, country))
            .collect::<Result<_, _>>()?;
        let mut sorts = vec![Sort::Mobile, Sort::FixedOrMobile];
        if channel == Channel::Voice || config.fixed_lines_by_sms {
            sorts.push(Sort::Fixed);
        }
        if config.voip.contains(&channel) {
            sorts.push(Sort::Voip);
        }
        Ok(Self {
            countries,
            sorts,
            any_number: config.any_number.contains(&channel),
            prices: dearest(library, config, channel)?,
        })
    }

    /// The price of a message to a number of these facts, in millionths.
    pub(crate) fn price_micros(&self, facts: &Facts) -> Result<u64, Unserved> {
        let country = facts.country.as_deref().unwrap_or_default();
        let price = match &self.prices {
            None => Some(0),
            Some(prices) => prices.get(country).copied(),
        };
        if self.any_number {
            return Ok(price.unwrap_or(0));
        }
        if !facts.valid {
            return Err(Unserved::Invalid);
        }
        if !self.countries.contains(country) {
            return Err(Unserved::Country(country.to_owned()));
        }
        if !self.sorts.contains(&facts.sort) {
            return Err(Unserved::Sort(facts.sort.name()));
        }
        price.ok_or_else(|| Unserved::NoPrice(country.to_owned()))
    }

    /// Countries that are listed and refused all the same, for want of a price.
    pub(crate) fn unpriced(&self) -> impl Iterator<Item = &str> {
        self.countries
            .iter()
            .filter(|country| {
                let prices = self.prices.as_ref();
                prices.is_some_and(|prices| !prices.contains_key(*country))
            })
            .map(String::as_str)
    }
}

/// A country that has phone numbers.
pub(crate) fn country(
    library: &PhoneNumberUtil,
    field: &str,
    country: &str,
) -> Result<String, NumbersConfigError> {
    let is_code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    let region = Region::from_code(country).ok().filter(|_| is_code);
    region
        .and_then(|region| library.get_country_code_for_region(region))
        .map(|_| country.to_owned())
        .ok_or_else(|| NumbersConfigError::Country {
            field: field.to_owned(),
            country: country.to_owned(),
        })
}

/// By country the dearest of the channel's providers, where all of them have a price.
fn dearest(
    library: &PhoneNumberUtil,
    config: &NumbersConfig,
    channel: Channel,
) -> Result<Option<BTreeMap<String, u64>>, NumbersConfigError> {
    let mut given: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
    for entry in config.prices.iter().filter(|e| e.channel == channel) {
        let (name, country, provider) = (channel.name(), &entry.country, &entry.provider);
        let field = format!("prices.{name}.{country}.{provider}");
        let country = self::country(library, &field, country)?;
        let micros = price::price(&entry.text).map_err(|problem| NumbersConfigError::Price {
            field: field.clone(),
            problem,
        })?;
        let by_provider = given.entry(country).or_default();
        if by_provider.insert(provider, micros).is_some() {
            return Err(NumbersConfigError::PriceTwice { field });
        }
    }
    if given.is_empty() {
        return Ok(None);
    }
    let mut providers: BTreeSet<&str> = of(&config.providers, channel).collect();
    if providers.is_empty() {
        providers = given.values().flat_map(BTreeMap::keys).copied().collect();
    }
    let dearest = given.into_iter().filter_map(|(country, prices)| {
        let each: Option<Vec<u64>> = providers.iter().map(|p| prices.get(p).copied()).collect();
        Some((country, each?.into_iter().max()?))
    });
    Ok(Some(dearest.collect()))
}

fn of(given: &[(Channel, String)], channel: Channel) -> impl Iterator<Item = &str> {
    let of_channel = given.iter().filter(move |(of, _)| *of == channel);
    of_channel.map(|(_, name)| name.as_str())
}
