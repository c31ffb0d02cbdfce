//! The canonical encoding of records: version 1, kind, tag, then fields of fixed width
//! in a fixed order, big-endian. One value has one encoding, and reading is strict.

mod layout;
mod read;
mod write;

use crate::error::CorruptRecord;
use crate::keys::Kind;
use crate::policy::{LaneLimits, Policy, ResendPolicy};
use crate::record::Body;
use crate::record::window::most_events;

pub(crate) use self::write::destination_bytes;

/// The most that a record takes, in bytes.
pub const MAX_RECORD_BYTES: usize = 1024;

const VERSION: u8 = 1;
const HEADER: usize = 10;
const INCARNATION: usize = 8;
/// With the counts of its two windows.
const LANE: usize = layout::lane::BYTES + 2;
const EVENT: usize = 5;
/// With the count of its memos.
const SESSION: usize = layout::session::BYTES + 1;
/// At the end of a session that has a prefix; a bit of its flags says so.
const PREFIX: usize = 8;
const CODE: usize = 16;
const MEMO: usize = 11;

/// Appends the encoding to `out`.
pub(crate) fn encode(body: &Body, out: &mut Vec<u8>) {
    match body {
        Body::Destination(record) => write::destination(out, record),
        Body::Limit(record) => write::limit(out, record),
        Body::Idempotency(record) => write::idempotency(out, record),
        Body::Spend(record) => write::spend(out, record),
        Body::Conversion(record) => write::conversion(out, record),
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Body, CorruptRecord> {
    let mut reader = read::Reader::new(bytes)?;
    let body = match reader.kind {
        kind if kind == Kind::Destination as u8 => Body::Destination(reader.destination()?),
        kind if kind == Kind::Limit as u8 => Body::Limit(reader.limit()?),
        kind if kind == Kind::Idempotency as u8 => Body::Idempotency(reader.idempotency()?),
        kind if kind == Kind::Spend as u8 => Body::Spend(reader.spend()?),
        kind if kind == Kind::Conversion as u8 => Body::Conversion(reader.conversion()?),
        _ => return Err(CorruptRecord::Foreign),
    };
    reader.finish()?;
    Ok(body)
}

/// The largest record that a policy can lead to, in bytes, when every ended session has
/// given way.
pub(crate) fn worst_destination(policy: &Policy) -> usize {
    let lane = |limits: &LaneLimits| {
        LANE + EVENT * (most_events(&limits.sends) + most_events(&limits.failures))
    };
    let codes = match policy.resend {
        ResendPolicy::KeepLast(n) => usize::from(n.max(1)),
        ResendPolicy::Rotate | ResendPolicy::Reuse => 1,
    };
    let prefix = policy.prefix_conversion.map_or(0, |_| PREFIX);
    let session = SESSION + CODE * codes + MEMO * usize::from(policy.max_attempts) + prefix;
    let live = usize::from(policy.destination.live_sessions)
        + usize::from(policy.known_device.live_sessions);
    HEADER
        + INCARNATION
        + lane(&policy.destination)
        + lane(&policy.known_device)
        + 1
        + live * session
}
