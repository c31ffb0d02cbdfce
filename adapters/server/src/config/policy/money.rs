//! Caps on what messages cost, and the limits of prefixes, as they are written.

use countersign::{Conversion, Mode, Policy};
use serde::Deserialize;

use super::{RawPolicy, set};

/// A sum in the currency of the price table, or `off`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RawSpend(Option<u64>);

impl TryFrom<String> for RawSpend {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "off" {
            return Ok(Self(None));
        }
        let micros = countersign_numbers::micros(&text);
        let micros = micros.map_err(|_| {
            "expected a sum such as \"25.00\", with at most six decimals, or \"off\"".to_owned()
        });
        micros.map(|micros| Self(Some(micros)))
    }
}

/// `PERCENT%/MESSAGES`: at least so many of the last messages to a prefix are approved.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RawConversion(Option<Conversion>);

impl TryFrom<String> for RawConversion {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "off" {
            return Ok(Self(None));
        }
        let expected = "expected PERCENT%/MESSAGES, for instance \"10%/50\", or \"off\"";
        let (percent, messages) = text.split_once("%/").ok_or(expected)?;
        let mut conversion = Conversion::default();
        conversion.percent = percent.parse().map_err(|_| expected)?;
        conversion.messages = messages.parse().map_err(|_| expected)?;
        Ok(Self(Some(conversion)))
    }
}

/// A limit that only tells what it would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DryRun {
    Spend,
    PrefixSends,
    PrefixConversion,
}

impl RawPolicy {
    pub(super) fn set_money(&self, policy: &mut Policy) {
        let spend = |written: Option<RawSpend>| written.map(|spend| spend.0);
        set(
            &mut policy.tenant_daily_spend_micros,
            spend(self.tenant_daily_spend),
        );
        set(
            &mut policy.total_daily_spend_micros,
            spend(self.total_daily_spend),
        );
        set(
            &mut policy.prefix_sends,
            self.prefix_sends.map(|limit| limit.0),
        );
        set(
            &mut policy.prefix_conversion,
            self.prefix_conversion.map(|rule| rule.0),
        );
        let dry = self.dry_run.as_deref().unwrap_or_default();
        for (limit, mode) in [
            (DryRun::Spend, &mut policy.spend_mode),
            (DryRun::PrefixSends, &mut policy.prefix_sends_mode),
            (DryRun::PrefixConversion, &mut policy.prefix_conversion_mode),
        ] {
            if dry.contains(&limit) {
                *mode = Mode::Report;
            }
        }
    }
}
