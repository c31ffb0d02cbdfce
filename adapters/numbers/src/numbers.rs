//! The public face: a plan of numbers.

use std::fmt;

use countersign::{Channel, DestinationError, NumberPlan, PhoneNumber, Served, Unserved};
use rlibphonenumber::{PhoneNumberUtil, Region};

use crate::config::NumbersConfig;
use crate::error::NumbersConfigError;
use crate::reading::{self, Home};
use crate::rules::{self, Rules};
use crate::sort::Sort;

/// How many of the last digits are left out of a prefix: it stands for 100,000 numbers.
///
/// That is the block in which most regulators give mobile numbers to operators, and who
/// pumps messages holds some of one operator's numbers in sequence. The national
/// destination code was rejected as a measure: in France it is one digit for all mobiles,
/// in the United States an area of all operators, so that one attack would stop everybody.
/// Four digits would let an attacker with one operator's range begin anew ten times as often.
const HIDDEN_DIGITS: usize = 5;

/// Knows how phone numbers are written, which are served, and what a message costs.
pub struct Numbers {
    library: PhoneNumberUtil,
    home: Option<Home>,
    sms: Rules,
    voice: Rules,
}

/// What the digits of a number tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// ISO 3166 alpha-2; `001` for numbers of no country, as satellite phones; none where
    /// the digits do not tell.
    pub country: Option<String>,
    /// The sort of line.
    pub sort: Sort,
    /// Whether a subscriber can have this number.
    pub valid: bool,
}

impl Numbers {
    /// Checks a configuration and loads the compiled-in metadata. There is no I/O.
    ///
    /// # Errors
    /// [`NumbersConfigError`], which names the field that is wrong.
    pub fn new(config: &NumbersConfig) -> Result<Self, NumbersConfigError> {
        refuse_other_channels(config)?;
        let library = PhoneNumberUtil::new().map_err(|_| NumbersConfigError::Metadata)?;
        let home = match config.region.as_deref() {
            Some(region) => Some(home(&library, region)?),
            None => None,
        };
        Ok(Self {
            home,
            sms: Rules::new(&library, config, Channel::Sms)?,
            voice: Rules::new(&library, config, Channel::Voice)?,
            library,
        })
    }

    /// What the digits of a number tell about it.
    #[must_use]
    pub fn facts(&self, number: &PhoneNumber) -> Facts {
        let Ok(number) = self.library.parse(number.as_str(), None) else {
            return Facts {
                country: None,
                sort: Sort::Unknown,
                valid: false,
            };
        };
        let region = self.library.get_region_for_number(&number);
        Facts {
            country: region.map(|region| region.to_string()),
            sort: Sort::of(self.library.get_number_type(&number)),
            valid: self.library.is_valid_number(&number),
        }
    }

    /// Countries that a channel lists and refuses all the same, because one of its
    /// providers has no price for them: worth a warning at start.
    #[must_use]
    pub fn unpriced(&self, channel: Channel) -> Vec<&str> {
        let rules = self.rules(channel);
        rules.map_or(Vec::new(), |rules| rules.unpriced().collect())
    }

    const fn rules(&self, channel: Channel) -> Option<&Rules> {
        match channel {
            Channel::Sms => Some(&self.sms),
            Channel::Voice => Some(&self.voice),
            _ => None,
        }
    }

    /// The calling code at least, and all digits but the last [`HIDDEN_DIGITS`].
    fn prefix(&self, number: &PhoneNumber) -> String {
        let e164 = number.as_str();
        let parsed = self.library.parse(e164, None);
        let code = parsed.map_or(0, |number| number.country_code.to_string().len());
        let length = e164.len().saturating_sub(HIDDEN_DIGITS).max(1 + code);
        e164.chars().take(length).collect()
    }
}

impl NumberPlan for Numbers {
    fn read(&self, text: &str) -> Result<PhoneNumber, DestinationError> {
        reading::read(&self.library, self.home.as_ref(), text)
    }

    fn serve(&self, channel: Channel, number: &PhoneNumber) -> Result<Served, Unserved> {
        let rules = self.rules(channel).ok_or(Unserved::Invalid)?;
        let price_micros = rules.price_micros(&self.facts(number))?;
        Ok(Served::new(self.prefix(number), price_micros))
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Numbers")
            .field("home", &self.home)
            .field("sms", &self.sms)
            .field("voice", &self.voice)
            .finish_non_exhaustive()
    }
}

fn home(library: &PhoneNumberUtil, region: &str) -> Result<Home, NumbersConfigError> {
    let name = rules::country(library, "numbers.region", region)?;
    let region = Region::from_code(&name).ok();
    let code = region.and_then(|region| library.get_country_code_for_region(region));
    match (region, code) {
        (Some(region), Some(code)) => Ok(Home {
            region,
            code: code.to_string(),
        }),
        _ => Err(NumbersConfigError::Metadata),
    }
}

fn refuse_other_channels(config: &NumbersConfig) -> Result<(), NumbersConfigError> {
    let named = |given: &[(Channel, String)]| given.iter().map(|(c, _)| *c).collect();
    let fields: [(&'static str, Vec<Channel>); 5] = [
        ("countries", named(&config.countries)),
        ("via", named(&config.providers)),
        ("prices", config.prices.iter().map(|p| p.channel).collect()),
        ("voip", config.voip.clone()),
        ("dangerous_any_number", config.any_number.clone()),
    ];
    for (field, channels) in fields {
        let other = |c: &Channel| !matches!(c, Channel::Sms | Channel::Voice);
        if let Some(channel) = channels.into_iter().find(other) {
            let channel = channel.name();
            return Err(NumbersConfigError::Channel { field, channel });
        }
    }
    Ok(())
}
