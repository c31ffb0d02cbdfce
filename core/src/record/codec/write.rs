//! Writing records.

use crate::clock::Timestamp;
use crate::code::Alphabet;
use crate::destination::Channel;
use crate::keys::{Kind, Tag};
use crate::record::codec::{
    CODE, EVENT, HEADER, INCARNATION, LANE, MEMO, PREFIX, SESSION, VERSION,
};
use crate::record::conversion::ConversionRecord;
use crate::record::destination::DestinationRecord;
use crate::record::gate::Lane;
use crate::record::idempotency::IdempotencyRecord;
use crate::record::limit::LimitRecord;
use crate::record::session::{Outcome, Session};
use crate::record::spend::SpendRecord;
use crate::record::view::{DeliveryState, SessionState};
use crate::record::window::Window;

/// The length of the encoding, without making it.
pub(crate) fn destination_bytes(record: &DestinationRecord) -> usize {
    let lane = |lane: &Lane| LANE + EVENT * (lane.sends.events.len() + lane.failures.events.len());
    let session = |session: &Session| {
        let prefix = session.prefix.map_or(0, |_| PREFIX);
        SESSION + CODE * session.codes.len() + MEMO * session.memos.len() + prefix
    };
    HEADER
        + INCARNATION
        + lane(&record.gate.open)
        + lane(&record.gate.known_device)
        + 1
        + record.sessions.iter().map(session).sum::<usize>()
}

pub(crate) fn destination(record: &DestinationRecord) -> Vec<u8> {
    let mut out = header(Kind::Destination, record.tag, destination_bytes(record));
    out.extend(record.incarnation.number().to_be_bytes());
    lane(&mut out, &record.gate.open);
    lane(&mut out, &record.gate.known_device);
    count(&mut out, record.sessions.len());
    for one in &record.sessions {
        session(&mut out, one);
    }
    out
}

pub(crate) fn limit(record: &LimitRecord) -> Vec<u8> {
    let mut out = header(Kind::Limit, record.tag, 256);
    out.extend(record.keep_until.to_be_bytes());
    window(&mut out, &record.events);
    count(&mut out, record.operations.len());
    for (operation, time) in &record.operations {
        out.extend(operation.to_be_bytes());
        out.extend(time.to_be_bytes());
    }
    out
}

pub(crate) fn idempotency(record: &IdempotencyRecord) -> Vec<u8> {
    let mut out = header(Kind::Idempotency, record.tag, 128);
    if let Some(request) = &record.request {
        out.extend(request.fingerprint);
        out.extend(request.nonce.0);
        millis(&mut out, request.begun);
        millis(&mut out, request.leased_until);
        out.push(u8::from(request.answer.is_some()));
        out.extend(request.answer.iter().flatten());
    }
    out
}

pub(crate) fn spend(record: &SpendRecord) -> Vec<u8> {
    let mut out = header(Kind::Spend, record.tag, 256);
    out.extend(record.day.to_be_bytes());
    out.extend(record.spent_micros.to_be_bytes());
    count(&mut out, record.operations.len());
    for (operation, micros) in &record.operations {
        out.extend(operation.to_be_bytes());
        out.extend(micros.to_be_bytes());
    }
    out
}

pub(crate) fn conversion(record: &ConversionRecord) -> Vec<u8> {
    let mut out = header(Kind::Conversion, record.tag, 512);
    out.extend(record.decoy.to_be_bytes());
    out.extend(record.keep_until.to_be_bytes());
    count(&mut out, record.places.len());
    for place in &record.places {
        out.extend(place.operation.to_be_bytes());
        out.extend(place.at.to_be_bytes());
        out.push(place.approvals);
    }
    out
}

fn header(kind: Kind, tag: Tag, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    out.extend([VERSION, kind as u8]);
    out.extend(tag.0);
    out
}

fn lane(out: &mut Vec<u8>, lane: &Lane) {
    out.push(u8::from(lane.locked));
    out.extend(lane.streak.to_be_bytes());
    out.extend(lane.last_failure.to_be_bytes());
    out.extend(lane.keep_until.to_be_bytes());
    window(out, &lane.sends);
    window(out, &lane.failures);
}

fn window(out: &mut Vec<u8>, window: &Window) {
    count(out, window.events.len());
    for (time, n) in &window.events {
        out.extend(time.to_be_bytes());
        out.push(*n);
    }
}

fn session(out: &mut Vec<u8>, session: &Session) {
    out.extend(session.nonce.0);
    out.extend([session.key.0, state(session.state)]);
    out.extend(session.purpose.0);
    out.extend(session.exact.0);
    millis(out, session.opened);
    millis(out, session.expires);
    out.extend(session.ended.to_be_bytes());
    // 24 bits of seconds: a ceiling is at most a day.
    out.extend(&session.lifetime_seconds.to_be_bytes()[1..]);
    out.push(channel(session.channel) << 4 | delivery(session.delivery));
    out.push(alphabet(session.form.alphabet()) << 4 | session.form.length());
    out.extend([session.attempts, session.max_attempts, session.sends]);
    out.extend(session.last_send.to_be_bytes());
    let flags = session.flags;
    out.push(
        u8::from(flags.known_device)
            | u8::from(flags.decoy) << 1
            | u8::from(flags.custom) << 2
            | u8::from(session.prefix.is_some()) << 3,
    );
    count(out, session.codes.len());
    for code in &session.codes {
        out.extend(code.0);
    }
    count(out, session.memos.len());
    for memo in &session.memos {
        out.extend(memo.mark);
        out.extend(memo.at.to_be_bytes());
        out.push(match memo.outcome {
            Outcome::Verified => u8::MAX,
            Outcome::Wrong(left) => left,
        });
    }
    out.extend(session.prefix.iter().flat_map(|prefix| prefix.to_bytes()));
}

/// Every count is bounded far below 256 by the size of a record.
fn count(out: &mut Vec<u8>, n: usize) {
    out.push(u8::try_from(n).unwrap_or(u8::MAX));
}

/// 48 bits of milliseconds: until the year 10889.
fn millis(out: &mut Vec<u8>, at: Timestamp) {
    let most = (1 << 48) - 1;
    out.extend(&at.as_millis().min(most).to_be_bytes()[2..]);
}

const fn state(state: SessionState) -> u8 {
    match state {
        SessionState::Live => 0,
        SessionState::Verified => 1,
        SessionState::Exhausted => 2,
        SessionState::Expired => 3,
        SessionState::Cancelled => 4,
        SessionState::Undeliverable => 5,
    }
}

const fn channel(channel: Channel) -> u8 {
    match channel {
        Channel::Sms => 0,
        Channel::Voice => 1,
        Channel::Email => 2,
    }
}

const fn delivery(delivery: DeliveryState) -> u8 {
    match delivery {
        DeliveryState::Unknown => 0,
        DeliveryState::Accepted => 1,
        DeliveryState::Failed => 2,
        DeliveryState::Delivered => 3,
    }
}

const fn alphabet(alphabet: Alphabet) -> u8 {
    match alphabet {
        Alphabet::Digits => 0,
        Alphabet::Alphanumeric => 1,
    }
}
