//! Policy: code, lifetime, attempts, sends and limits, validated at construction.

mod money;

pub use self::money::{Conversion, Mode};

use crate::code::CodeForm;
use crate::destination::Channel;
use crate::error::PolicyError;
use crate::record::{MAX_RECORD_BYTES, worst_destination};

/// At most `max` events in any `seconds` seconds, exactly: the window slides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "two plain numbers that callers write down"
)]
pub struct Limit {
    /// How many events.
    pub max: u16,
    /// In how many seconds.
    pub seconds: u32,
}

impl Limit {
    /// At most `max` in any `seconds` seconds.
    #[must_use]
    pub const fn new(max: u16, seconds: u32) -> Self {
        Self { max, seconds }
    }
}

/// What a resend does to the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResendPolicy {
    /// A new code; the old one is dead.
    Rotate,
    /// A new code; the last 2 or 3 codes work, with one budget of attempts for all. A
    /// guess is as many times as likely to hit.
    KeepLast(u8),
    /// The same code again, derived from the key and the session. Whoever reads one
    /// message of a session has read them all; named `dangerous_reuse` in production.
    Reuse,
}

/// The limits of one lane of a destination's gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneLimits {
    /// Sends: the shorter window first.
    pub sends: [Limit; 2],
    /// Failed guesses: the shorter window first.
    pub failures: [Limit; 2],
    /// Live sessions at once.
    pub live_sessions: u8,
    /// Failed guesses in a row, without a success, that lock the lane until a reset.
    pub lock_after: u16,
}

/// The rules of one deployment. Every field has the design's default; `validate` (run
/// by the verifier) refuses nonsense by name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Form of the codes.
    pub code: CodeForm,
    /// Seconds for which a code is good.
    pub lifetime_seconds: u32,
    /// Longest life of a session on SMS and voice, resends included, in seconds.
    pub phone_ceiling_seconds: u32,
    /// The same for email.
    pub email_ceiling_seconds: u32,
    /// Guesses in one session, over all its codes.
    pub max_attempts: u8,
    /// Messages in one session.
    pub max_sends: u8,
    /// Seconds between two messages of one session.
    pub resend_cooldown_seconds: u32,
    /// What a resend does to the code.
    pub resend: ResendPolicy,
    /// Limits of a destination.
    pub destination: LaneLimits,
    /// Limits of the lane of a destination's known devices.
    pub known_device: LaneLimits,
    /// Sends of one source: an IPv4 address or an IPv6 /64.
    pub source_sends: Option<Limit>,
    /// Sends of one IPv6 /48.
    pub network_sends: Option<Limit>,
    /// Checks of one source, where the caller names one.
    pub source_checks: Option<Limit>,
    /// Sends of one tenant.
    pub tenant_sends: Option<Limit>,
    /// Sends to one prefix of phone numbers, over all tenants: what
    /// [`Served::prefix`](crate::Served::prefix) names.
    pub prefix_sends: Option<Limit>,
    /// Whether `prefix_sends` refuses.
    pub prefix_sends_mode: Mode,
    /// How many of the messages to one prefix must be answered by an approval.
    pub prefix_conversion: Option<Conversion>,
    /// Whether `prefix_conversion` refuses.
    pub prefix_conversion_mode: Mode,
    /// What one tenant may spend in a day of UTC, in millionths of the currency.
    pub tenant_daily_spend_micros: Option<u64>,
    /// What all tenants together may spend in a day of UTC, in millionths of the currency.
    pub total_daily_spend_micros: Option<u64>,
    /// Whether the caps on spend refuse.
    pub spend_mode: Mode,
}

/// More would not fit into a limit's record.
const MOST_EVENTS: u16 = 40_000;
const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

impl Default for Policy {
    fn default() -> Self {
        Self {
            code: CodeForm::SIX_DIGITS,
            lifetime_seconds: 300,
            phone_ceiling_seconds: 600,
            email_ceiling_seconds: 600,
            max_attempts: 5,
            max_sends: 3,
            resend_cooldown_seconds: 30,
            resend: ResendPolicy::Rotate,
            destination: LaneLimits {
                sends: [Limit::new(5, 600), Limit::new(10, DAY)],
                failures: [Limit::new(10, HOUR), Limit::new(20, DAY)],
                live_sessions: 3,
                lock_after: 100,
            },
            known_device: LaneLimits {
                sends: [Limit::new(1, 600); 2],
                failures: [Limit::new(5, HOUR); 2],
                live_sessions: 1,
                lock_after: 100,
            },
            source_sends: Some(Limit::new(20, HOUR)),
            network_sends: Some(Limit::new(200, HOUR)),
            source_checks: Some(Limit::new(60, 600)),
            tenant_sends: None,
            prefix_sends: None,
            prefix_sends_mode: Mode::Enforce,
            prefix_conversion: Some(Conversion::default()),
            prefix_conversion_mode: Mode::Enforce,
            tenant_daily_spend_micros: None,
            total_daily_spend_micros: None,
            spend_mode: Mode::Enforce,
        }
    }
}

impl Policy {
    /// The default with the send limits of a console that costs nothing: 100 sends in
    /// 10 minutes, and 5 live sessions, as many as a record holds. Guess limits stay.
    #[must_use]
    pub fn for_console() -> Self {
        let mut policy = Self::default();
        policy.destination.sends = [Limit::new(100, 600); 2];
        policy.destination.live_sessions = 5;
        policy.source_sends = None;
        policy.network_sends = None;
        policy.prefix_conversion = None;
        policy
    }

    /// Longest life of a session on `channel`, in seconds.
    #[must_use]
    pub const fn ceiling_seconds(&self, channel: Channel) -> u32 {
        match channel {
            Channel::Sms | Channel::Voice => self.phone_ceiling_seconds,
            Channel::Email => self.email_ceiling_seconds,
        }
    }

    /// Refuses what makes no sense, by name.
    ///
    /// # Errors
    /// [`PolicyError`] with the field, its value and what would be right: no attempts,
    /// no lifetime, a ceiling above 600 s (email: 24 h) or below the lifetime, windows
    /// in the wrong order, a cap on spend of nothing, or a worst record above 1 KiB.
    pub fn validate(&self) -> Result<(), PolicyError> {
        self.validate_session()?;
        self.destination.validate("destination")?;
        self.known_device.validate("known_device")?;
        for (field, limit) in [
            ("source_sends", self.source_sends),
            ("network_sends", self.network_sends),
            ("source_checks", self.source_checks),
            ("tenant_sends", self.tenant_sends),
            ("prefix_sends", self.prefix_sends),
        ] {
            let Some(limit) = limit else { continue };
            if limit.max == 0 || limit.max > MOST_EVENTS || limit.seconds == 0 {
                let problem = "a limit allows 1 to 40000, in at least 1 s";
                return Err(refuse(field, limit.max.into(), problem));
            }
        }
        self.validate_money()?;
        let worst = worst_destination(self);
        if worst > MAX_RECORD_BYTES {
            let problem = "attempts, live sessions and windows together make a record of more \
                           than 1024 bytes: lower one of them";
            return Err(refuse("record_bytes", worst as u64, problem));
        }
        Ok(())
    }

    fn validate_session(&self) -> Result<(), PolicyError> {
        let life = self.lifetime_seconds;
        let in_range = |field, value: u32, range: std::ops::RangeInclusive<u32>, problem| {
            if range.contains(&value) {
                Ok(())
            } else {
                Err(refuse(field, value.into(), problem))
            }
        };
        in_range(
            "lifetime_seconds",
            life,
            10..=DAY,
            "a code is good for 10 s to 24 h",
        )?;
        let problem = "a session on SMS and voice lives for lifetime_seconds to 600 s";
        in_range(
            "phone_ceiling_seconds",
            self.phone_ceiling_seconds,
            life.min(600)..=600,
            problem,
        )?;
        let problem = "a session on email lives for lifetime_seconds to 24 h";
        in_range(
            "email_ceiling_seconds",
            self.email_ceiling_seconds,
            life..=DAY,
            problem,
        )?;
        let problem = "a session has 1 to 10 attempts";
        in_range("max_attempts", self.max_attempts.into(), 1..=10, problem)?;
        in_range(
            "max_sends",
            self.max_sends.into(),
            1..=10,
            "a session has 1 to 10 messages",
        )?;
        let problem = "the pause between two messages is at most an hour";
        in_range(
            "resend_cooldown_seconds",
            self.resend_cooldown_seconds,
            0..=HOUR,
            problem,
        )?;
        if let ResendPolicy::KeepLast(n) = self.resend {
            in_range(
                "resend",
                n.into(),
                2..=3,
                "the last 2 or 3 codes can be kept",
            )?;
        }
        Ok(())
    }
}

impl LaneLimits {
    fn validate(&self, lane: &'static str) -> Result<(), PolicyError> {
        for [short, long] in [self.sends, self.failures] {
            for limit in [short, long] {
                if limit.max == 0 || limit.seconds == 0 || limit.seconds > 31 * DAY {
                    let problem = "a limit allows at least 1, in 1 s to 31 days";
                    return Err(refuse(lane, limit.max.into(), problem));
                }
            }
            if short.seconds > long.seconds {
                let problem = "the shorter window comes first";
                return Err(refuse(lane, short.seconds.into(), problem));
            }
        }
        if self.live_sessions == 0 {
            return Err(refuse(lane, 0, "at least one live session is needed"));
        }
        if !(1..=1000).contains(&self.lock_after) {
            let problem = "a lane locks after 1 to 1000 failures in a row";
            return Err(refuse(lane, self.lock_after.into(), problem));
        }
        Ok(())
    }
}

fn refuse(field: &'static str, value: u64, problem: &'static str) -> PolicyError {
    PolicyError {
        field,
        value,
        problem,
    }
}

#[cfg(test)]
mod tests;
