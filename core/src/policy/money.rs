//! What messages may cost: caps on spend, and what stops pumping.

use crate::error::PolicyError;
use crate::policy::{DAY, Policy, refuse};

/// Whether a limit refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// It refuses.
    #[default]
    Enforce,
    /// A dry run: nothing is refused, and what would have been is told to the
    /// [`Observer`](crate::Observer).
    Report,
}

/// Of the last so many messages to one prefix, over all tenants, enough must have been
/// answered by an approval; else that prefix is refused, but for a trial now and then.
///
/// Who pumps messages to numbers of his own, to be paid for them, verifies none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conversion {
    /// So many of the last messages are judged: 10 to 100. Fewer are never judged, so this
    /// is also how many an unknown prefix gets before its first approvals.
    pub messages: u8,
    /// The least percentage of them that is approved: 1 to 90.
    pub percent: u8,
    /// Older messages do not count any more, in seconds.
    pub window_seconds: u32,
    /// While the prefix is refused, one message may leave in so many seconds; and another
    /// for each approval that comes meanwhile.
    pub trial_seconds: u32,
}

impl Conversion {
    /// The most messages that can be judged together, so that their record fits.
    pub const MOST_MESSAGES: u8 = 100;
}

impl Default for Conversion {
    /// 10 % of the last 50 messages of a day, and a trial every 10 minutes.
    fn default() -> Self {
        Self {
            messages: 50,
            percent: 10,
            window_seconds: DAY,
            trial_seconds: 600,
        }
    }
}

impl Policy {
    pub(super) fn validate_money(&self) -> Result<(), PolicyError> {
        for (field, cap) in self.spend_caps() {
            if cap == Some(0) {
                let problem = "a cap is at least 1 millionth of the currency; without a value \
                               there is none";
                return Err(refuse(field, 0, problem));
            }
        }
        self.prefix_conversion.map_or(Ok(()), Conversion::validate)
    }

    /// Caps that mean nothing without prices, by name.
    pub(crate) const fn spend_caps(&self) -> [(&'static str, Option<u64>); 2] {
        [
            ("tenant_daily_spend_micros", self.tenant_daily_spend_micros),
            ("total_daily_spend_micros", self.total_daily_spend_micros),
        ]
    }
}

impl Conversion {
    fn validate(self) -> Result<(), PolicyError> {
        let fields = [
            (
                "prefix_conversion.messages",
                self.messages.into(),
                10..=Self::MOST_MESSAGES.into(),
                "the last 10 to 100 messages are judged",
            ),
            (
                "prefix_conversion.percent",
                self.percent.into(),
                1..=90,
                "1 to 90 percent of the messages are to be approved",
            ),
            (
                "prefix_conversion.window_seconds",
                self.window_seconds,
                60..=31 * DAY,
                "messages count for 60 s to 31 days",
            ),
            (
                "prefix_conversion.trial_seconds",
                self.trial_seconds,
                1..=DAY,
                "a trial may leave every 1 s to 24 h",
            ),
        ];
        for (field, value, range, problem) in fields {
            if !range.contains(&value) {
                return Err(refuse(field, value.into(), problem));
            }
        }
        Ok(())
    }
}
