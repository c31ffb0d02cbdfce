//! The canonical encoding of records: version 1, kind, tag, then fields of fixed width
//! in a fixed order, big-endian. One value has one encoding, and reading is strict.

mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::error::CorruptRecord;
use crate::keys::Kind;
use crate::policy::{LaneLimits, Policy, ResendPolicy};
use crate::record::Body;
use crate::record::destination::DestinationRecord;
use crate::record::layout::{CODE, EVENT, MEMO, PREFIX, lane, record, session};
use crate::record::window::most_events;

/// The most that a record takes, in bytes.
pub const MAX_RECORD_BYTES: usize = 1024;

pub(crate) const VERSION: u8 = 1;

/// The encoding.
pub(crate) fn encode(body: Body) -> Vec<u8> {
    let mut out = Vec::new();
    match body {
        Body::Destination(record) => return record.into_bytes(),
        Body::Limit(record) => write::limit(&mut out, &record),
        Body::Idempotency(record) => write::idempotency(&mut out, &record),
        Body::Spend(record) => write::spend(&mut out, &record),
        Body::Conversion(record) => write::conversion(&mut out, &record),
    }
    out
}

pub(crate) fn decode(bytes: Vec<u8>) -> Result<Body, CorruptRecord> {
    let mut reader = read::Reader::new(&bytes)?;
    let body = match reader.kind {
        kind if kind == Kind::Destination as u8 => {
            let places = reader.destination()?;
            let record = DestinationRecord::from_canonical(bytes, places);
            return Ok(Body::Destination(record));
        }
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
        lane::EMPTY + EVENT * (most_events(&limits.sends) + most_events(&limits.failures))
    };
    let codes = match policy.resend {
        ResendPolicy::KeepLast(n) => usize::from(n.max(1)),
        ResendPolicy::Rotate | ResendPolicy::Reuse => 1,
    };
    let prefix = policy.prefix_conversion.map_or(0, |_| PREFIX);
    let session = session::EMPTY + CODE * codes + MEMO * usize::from(policy.max_attempts) + prefix;
    let live = usize::from(policy.destination.live_sessions)
        + usize::from(policy.known_device.live_sessions);
    record::BYTES + lane(&policy.destination) + lane(&policy.known_device) + 1 + live * session
}
