//! A number plan of two countries with a price for each channel, and somebody who counts dry runs.

use std::sync::Mutex;

use countersign::{
    Channel, DestinationError, LimitName, NumberPlan, Observer, PhoneNumber, Served, Unserved,
};

/// What a short message costs.
pub(crate) const PRICE: u64 = 50_000;
/// What a call costs.
pub(crate) const CALL_PRICE: u64 = 2 * PRICE;

/// Serves Norway and Sweden by the first two digits of the subscriber's number, and by voice
/// Norway only; reads the national form of Norway too.
#[derive(Debug)]
pub(crate) struct Nordic;

impl NumberPlan for Nordic {
    fn read(&self, text: &str) -> Result<PhoneNumber, DestinationError> {
        let dense: String = text.chars().filter(|c| *c != ' ').collect();
        match dense.len() {
            8 => PhoneNumber::parse(&format!("+47{dense}")),
            _ => PhoneNumber::parse(&dense),
        }
    }

    fn serve(&self, channel: Channel, number: &PhoneNumber) -> Result<Served, Unserved> {
        let number = number.as_str();
        let country = if number.starts_with("+47") {
            "NO"
        } else if number.starts_with("+46") {
            "SE"
        } else {
            return Err(Unserved::Country("other".to_owned()));
        };
        if number.starts_with("+47829") {
            return Err(Unserved::Sort("premium"));
        }
        if channel == Channel::Voice && country != "NO" {
            return Err(Unserved::NoPrice(country.to_owned()));
        }
        let price = match channel {
            Channel::Voice => CALL_PRICE,
            _ => PRICE,
        };
        Ok(Served::new(&number[..5], price))
    }
}

/// Notes all that a dry run would have refused.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Vec<(LimitName, Option<String>)>>);

impl Notes {
    pub(crate) fn take(&self) -> Vec<(LimitName, Option<String>)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn would_refuse(&self, limit: LimitName, prefix: Option<&str>) {
        let note = (limit, prefix.map(str::to_owned));
        self.0.lock().unwrap().push(note);
    }
}
