//! A guess and its verdict, as they travel to the library's `check` and back.

use countersign::record::{Check, Effect, Step};
use countersign::{Channel, LaneLimits, Limit, RecordKey, Timestamp, Verdict};
use redis::Value;

use crate::digest;

/// Lua counts in doubles: up to here every millisecond is a number of its own.
const LATEST: Timestamp = Timestamp::from_millis((1 << 48) - 1);

const DIGITS: u8 = 1;
const ALPHANUMERIC: u8 = 2;
const HAS_MARK: u8 = 4;
const HAS_TIME: u8 = 8;
const FENCED: u8 = 16;
const WAITS: u8 = 32;

/// What the library needs beside the guess.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) fence: bool,
    pub(crate) waits: bool,
    pub(crate) open_limits: LaneLimits,
}

/// How a record of a destination begins: its version and its kind.
const HEAD: [u8; 2] = [1, 1];
const GUESS: usize = 84;

/// The guess as `guess.lua` unpacks it; none if the library cannot judge it.
pub(crate) fn pack(step: &Step, check: &Check, manner: &Manner) -> Option<Vec<u8>> {
    if step.at.is_some_and(|at| at > LATEST) {
        return None;
    }
    let mut flags = 0;
    for (flag, on) in [
        (DIGITS, check.fit.digits),
        (ALPHANUMERIC, check.fit.alphanumeric),
        (HAS_MARK, check.attempt.is_some()),
        (HAS_TIME, step.at.is_some()),
        (FENCED, manner.fence),
        (WAITS, manner.waits),
    ] {
        flags |= if on { flag } else { 0 };
    }
    let mut packed = Vec::with_capacity(GUESS);
    packed.extend(HEAD);
    packed.extend(step.tag.to_bytes());
    packed.extend(check.nonce.to_bytes());
    packed.extend(check.purpose.to_bytes());
    packed.extend(digest::bytes(check.digest, &manner.open_limits)?);
    packed.extend([check.fit.length, flags]);
    for lane in [&check.limits, &check.device_limits] {
        for Limit { max, seconds } in lane.failures {
            packed.extend(max.to_be_bytes());
            packed.extend(seconds.to_be_bytes());
        }
        packed.extend(lane.lock_after.to_be_bytes());
    }
    // Records keep six bytes of a mark.
    packed.extend(&check.attempt.unwrap_or_default()[..6]);
    packed.extend(step.at.unwrap_or_default().as_millis().to_be_bytes());
    Some(packed)
}

/// What a packed guess was found to be.
#[derive(Debug)]
pub(crate) enum Found {
    Judged(Effect),
    /// The value is no record of a destination, or full of live sessions: the core can tell
    /// what is wrong with it, or make do.
    Odd,
}

/// Reads the answer of `check.lua`; none if it is no such answer.
pub(crate) fn read(answer: &Value) -> Option<Found> {
    match answer {
        Value::Int(told) => read_told(u64::try_from(*told).ok()?),
        Value::BulkString(bytes) => {
            let (number, prefix) = bytes.split_first()?;
            let channel = channel(u64::from(*number))?;
            let prefix = RecordKey::from_bytes(prefix.try_into().ok()?);
            Some(Found::Judged(Effect::Approved { channel, prefix }))
        }
        _ => None,
    }
}

/// Which verdict in four bits, attempts left or the channel in eight, then seconds.
fn read_told(told: u64) -> Option<Found> {
    let (verdict, left, retry_after) = (told & 0xf, told >> 4 & 0xff, told >> 12);
    let attempts_remaining = u8::try_from(left).ok()?;
    Some(Found::Judged(Effect::Verdict(match verdict {
        0 => return Some(Found::Odd),
        1 => Verdict::Verified {
            channel: channel(left)?,
        },
        2 => Verdict::WrongCode { attempts_remaining },
        3 => Verdict::Exhausted,
        4 => Verdict::Malformed { attempts_remaining },
        5 => Verdict::Expired,
        6 => Verdict::AlreadyUsed,
        7 => Verdict::Cancelled,
        8 => Verdict::Undeliverable,
        9 => Verdict::Throttled {
            retry_after,
            attempts_remaining,
        },
        10 => Verdict::Locked { attempts_remaining },
        11 => Verdict::Unknown,
        _ => return None,
    })))
}

fn channel(number: u64) -> Option<Channel> {
    match number {
        0 => Some(Channel::Sms),
        1 => Some(Channel::Voice),
        2 => Some(Channel::Email),
        _ => None,
    }
}
