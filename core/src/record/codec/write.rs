//! Writing records.

use crate::keys::{Kind, Tag};
use crate::record::codec::VERSION;
use crate::record::conversion::ConversionRecord;
use crate::record::idempotency::IdempotencyRecord;
use crate::record::layout::six_bytes;
use crate::record::limit::LimitRecord;
use crate::record::spend::SpendRecord;

pub(crate) fn limit(out: &mut Vec<u8>, record: &LimitRecord) {
    header(out, Kind::Limit, record.tag);
    put(out, record.keep_until.to_be_bytes());
    out.extend_from_slice(&record.events);
    count(out, record.operations.len());
    for (operation, time) in &record.operations {
        put(out, operation.to_be_bytes());
        put(out, time.to_be_bytes());
    }
}

pub(crate) fn idempotency(out: &mut Vec<u8>, record: &IdempotencyRecord) {
    header(out, Kind::Idempotency, record.tag);
    if let Some(request) = &record.request {
        out.extend(request.fingerprint);
        out.extend(request.nonce.0);
        put(out, six_bytes(request.begun));
        put(out, six_bytes(request.leased_until));
        out.push(u8::from(request.answer.is_some()));
        out.extend(request.answer.iter().flatten());
    }
}

pub(crate) fn spend(out: &mut Vec<u8>, record: &SpendRecord) {
    header(out, Kind::Spend, record.tag);
    put(out, record.day.to_be_bytes());
    put(out, record.spent_micros.to_be_bytes());
    count(out, record.operations.len());
    for (operation, micros) in &record.operations {
        put(out, operation.to_be_bytes());
        put(out, micros.to_be_bytes());
    }
}

pub(crate) fn conversion(out: &mut Vec<u8>, record: &ConversionRecord) {
    header(out, Kind::Conversion, record.tag);
    put(out, record.decoy.to_be_bytes());
    put(out, record.keep_until.to_be_bytes());
    count(out, record.places.len());
    for place in &record.places {
        put(out, place.operation.to_be_bytes());
        put(out, place.at.to_be_bytes());
        out.push(place.approvals);
    }
}

fn header(out: &mut Vec<u8>, kind: Kind, tag: Tag) {
    put(out, [VERSION, kind as u8]);
    put(out, tag.0);
}

fn put<const N: usize>(out: &mut Vec<u8>, field: [u8; N]) {
    out.extend_from_slice(&field);
}

/// Every count is bounded far below 256 by the size of a record.
fn count(out: &mut Vec<u8>, n: usize) {
    out.push(u8::try_from(n).unwrap_or(u8::MAX));
}
