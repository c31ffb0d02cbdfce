//! The rules, by the names of the configuration.

mod money;

use countersign::{Alphabet, CodeForm, Limit, Policy, ResendPolicy};
use serde::Deserialize;

use self::money::{DryRun, RawConversion, RawSpend};
use super::ConfigError;

/// `[policy]` as it was written; what is not there keeps its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPolicy {
    code_length: Option<u8>,
    alphabet: Option<RawAlphabet>,
    lifetime_seconds: Option<u32>,
    phone_ceiling_seconds: Option<u32>,
    email_ceiling_seconds: Option<u32>,
    max_attempts: Option<u8>,
    max_sends: Option<u8>,
    resend_cooldown_seconds: Option<u32>,
    resend: Option<RawResend>,
    destination_sends: Option<RawWindows>,
    destination_failures: Option<RawWindows>,
    live_sessions: Option<u8>,
    lock_after: Option<u16>,
    known_device_sends: Option<RawWindows>,
    known_device_failures: Option<RawWindows>,
    known_device_live_sessions: Option<u8>,
    known_device_lock_after: Option<u16>,
    source_sends: Option<RawSwitch>,
    network_sends: Option<RawSwitch>,
    source_checks: Option<RawSwitch>,
    tenant_sends: Option<RawSwitch>,
    prefix_sends: Option<RawSwitch>,
    prefix_conversion: Option<RawConversion>,
    tenant_daily_spend: Option<RawSpend>,
    total_daily_spend: Option<RawSpend>,
    dry_run: Option<Vec<DryRun>>,
}

impl RawPolicy {
    /// `base` with what was written, found to make sense. The console's generous limits
    /// give way to rules that need their room in a record.
    pub(super) fn over(&self, base: Policy, production: bool) -> Result<Policy, ConfigError> {
        let policy = self.set_over(base, production)?;
        let error = match policy.validate() {
            Ok(()) => return Ok(policy),
            Err(error) if error.field != "record_bytes" => error,
            Err(_) => {
                let policy = self.set_over(Policy::default(), production)?;
                match policy.validate() {
                    Ok(()) => return Ok(policy),
                    Err(error) => error,
                }
            }
        };
        let problem = format!("{}: {}", error.value, error.problem);
        Err(ConfigError::new(key_of(error.field, &policy), problem))
    }

    fn set_over(&self, base: Policy, production: bool) -> Result<Policy, ConfigError> {
        let mut policy = base;
        policy.code = self.code_form(policy.code)?;
        set(&mut policy.lifetime_seconds, self.lifetime_seconds);
        set(
            &mut policy.phone_ceiling_seconds,
            self.phone_ceiling_seconds,
        );
        set(
            &mut policy.email_ceiling_seconds,
            self.email_ceiling_seconds,
        );
        set(&mut policy.max_attempts, self.max_attempts);
        set(&mut policy.max_sends, self.max_sends);
        set(
            &mut policy.resend_cooldown_seconds,
            self.resend_cooldown_seconds,
        );
        if let Some(resend) = self.resend {
            policy.resend = resend.permitted(production)?;
        }
        self.set_lanes(&mut policy);
        set(
            &mut policy.source_sends,
            self.source_sends.map(|limit| limit.0),
        );
        set(
            &mut policy.network_sends,
            self.network_sends.map(|limit| limit.0),
        );
        set(
            &mut policy.source_checks,
            self.source_checks.map(|limit| limit.0),
        );
        set(
            &mut policy.tenant_sends,
            self.tenant_sends.map(|limit| limit.0),
        );
        self.set_money(&mut policy);
        Ok(policy)
    }

    fn code_form(&self, base: CodeForm) -> Result<CodeForm, ConfigError> {
        let length = self.code_length.unwrap_or(base.length());
        let alphabet = match self.alphabet {
            Some(RawAlphabet::Digits) => Alphabet::Digits,
            Some(RawAlphabet::Alphanumeric) => Alphabet::Alphanumeric,
            None => base.alphabet(),
        };
        CodeForm::new(length, alphabet)
            .map_err(|error| ConfigError::new("policy.code_length", format!("{length}: {error}")))
    }

    fn set_lanes(&self, policy: &mut Policy) {
        let lane = &mut policy.destination;
        set(
            &mut lane.sends,
            self.destination_sends.map(|windows| windows.0),
        );
        set(
            &mut lane.failures,
            self.destination_failures.map(|windows| windows.0),
        );
        set(&mut lane.live_sessions, self.live_sessions);
        set(&mut lane.lock_after, self.lock_after);
        let lane = &mut policy.known_device;
        set(
            &mut lane.sends,
            self.known_device_sends.map(|windows| windows.0),
        );
        set(
            &mut lane.failures,
            self.known_device_failures.map(|windows| windows.0),
        );
        set(&mut lane.live_sessions, self.known_device_live_sessions);
        set(&mut lane.lock_after, self.known_device_lock_after);
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawAlphabet {
    Digits,
    Alphanumeric,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum RawResend {
    #[serde(rename = "rotate")]
    Rotate,
    #[serde(rename = "keep-last-2")]
    KeepLast2,
    #[serde(rename = "keep-last-3")]
    KeepLast3,
    #[serde(rename = "reuse")]
    Reuse,
    #[serde(rename = "dangerous_reuse")]
    DangerousReuse,
}

impl RawResend {
    fn permitted(self, production: bool) -> Result<ResendPolicy, ConfigError> {
        Ok(match self {
            Self::Rotate => ResendPolicy::Rotate,
            Self::KeepLast2 => ResendPolicy::KeepLast(2),
            Self::KeepLast3 => ResendPolicy::KeepLast(3),
            Self::Reuse if production => {
                return Err(ConfigError::new(
                    "policy.resend",
                    "with production = true the same code is sent again only by its full name, \
                     \"dangerous_reuse\": whoever reads one message of a session has read them all",
                ));
            }
            Self::Reuse | Self::DangerousReuse => ResendPolicy::Reuse,
        })
    }
}

/// One or two limits as `COUNT/TIME`, for instance `5/10m`: the shorter window first.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct RawWindows([Limit; 2]);

impl TryFrom<Vec<String>> for RawWindows {
    type Error = &'static str;

    fn try_from(texts: Vec<String>) -> Result<Self, Self::Error> {
        let limits: Option<Vec<_>> = texts.iter().map(|text| limit(text)).collect();
        match limits.as_deref() {
            Some([one]) => Ok(Self([*one; 2])),
            Some([short, long]) => Ok(Self([*short, *long])),
            _ => Err("expected one or two of COUNT/TIME, for instance \"5/10m\" (s, m, h, d)"),
        }
    }
}

/// A limit, or `off`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RawSwitch(pub(super) Option<Limit>);

impl TryFrom<String> for RawSwitch {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "off" {
            return Ok(Self(None));
        }
        let limit =
            limit(&text).ok_or("expected COUNT/TIME, for instance \"20/1h\", or \"off\"")?;
        Ok(Self(Some(limit)))
    }
}

fn limit(text: &str) -> Option<Limit> {
    let (count, time) = text.split_once('/')?;
    let unit_at = time.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = time.split_at_checked(unit_at)?;
    let unit: u32 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    let seconds = number.parse::<u32>().ok()?.checked_mul(unit)?;
    let max: u16 = count.parse().ok()?;
    (max > 0 && seconds > 0).then(|| Limit::new(max, seconds))
}

fn set<T>(field: &mut T, written: Option<T>) {
    if let Some(value) = written {
        *field = value;
    }
}

/// The key under which a field of core's policy is written here. A lane is refused as a
/// whole, so its parts are looked at again.
fn key_of(field: &str, policy: &Policy) -> String {
    let (lane, prefix) = match field {
        "destination" => (&policy.destination, ""),
        "known_device" => (&policy.known_device, "known_device_"),
        "record_bytes" => return "policy".to_owned(),
        other => {
            let key = other.split('.').next().unwrap_or(other);
            return format!("policy.{}", key.trim_end_matches("_micros"));
        }
    };
    let out_of_order =
        |[short, long]: [Limit; 2]| short.seconds > long.seconds || long.seconds > LONGEST_WINDOW;
    let part = if out_of_order(lane.sends) {
        if prefix.is_empty() {
            "destination_sends"
        } else {
            "sends"
        }
    } else if out_of_order(lane.failures) {
        if prefix.is_empty() {
            "destination_failures"
        } else {
            "failures"
        }
    } else if lane.live_sessions == 0 {
        "live_sessions"
    } else {
        "lock_after"
    };
    format!("policy.{prefix}{part}")
}

const LONGEST_WINDOW: u32 = 31 * 24 * 3600;
