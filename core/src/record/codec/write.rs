//! Writing records.

use crate::clock::Timestamp;
use crate::code::Alphabet;
use crate::destination::Channel;
use crate::keys::{Kind, Tag};
use crate::record::codec::{
    CODE, EVENT, HEADER, INCARNATION, LANE, MEMO, PREFIX, SESSION, VERSION, layout,
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

pub(crate) fn destination(out: &mut Vec<u8>, record: &DestinationRecord) {
    header(out, Kind::Destination, record.tag);
    put(out, record.incarnation.number().to_be_bytes());
    lane(out, &record.gate.open);
    lane(out, &record.gate.known_device);
    count(out, record.sessions.len());
    for one in &record.sessions {
        session(out, one);
    }
}

pub(crate) fn limit(out: &mut Vec<u8>, record: &LimitRecord) {
    header(out, Kind::Limit, record.tag);
    put(out, record.keep_until.to_be_bytes());
    window(out, &record.events);
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

fn lane(out: &mut Vec<u8>, lane: &Lane) {
    use super::layout::lane::{BYTES, KEEP_UNTIL, LAST_FAILURE, LOCKED, STREAK};
    let mut fields = [0; BYTES];
    LOCKED.set(&mut fields, [u8::from(lane.locked)]);
    STREAK.set(&mut fields, lane.streak.to_be_bytes());
    LAST_FAILURE.set(&mut fields, lane.last_failure.to_be_bytes());
    KEEP_UNTIL.set(&mut fields, lane.keep_until.to_be_bytes());
    put(out, fields);
    window(out, &lane.sends);
    window(out, &lane.failures);
}

fn window(out: &mut Vec<u8>, window: &Window) {
    count(out, window.events.len());
    for (time, n) in &window.events {
        put(out, time.to_be_bytes());
        out.push(*n);
    }
}

fn session(out: &mut Vec<u8>, session: &Session) {
    put(out, fields(session));
    for code in &session.codes {
        put(out, code.0);
    }
    count(out, session.memos.len());
    for memo in &session.memos {
        put(out, memo.mark);
        put(out, memo.at.to_be_bytes());
        out.push(match memo.outcome {
            Outcome::Verified => u8::MAX,
            Outcome::Wrong(left) => left,
        });
    }
    if let Some(prefix) = session.prefix {
        put(out, prefix.to_bytes());
    }
}

fn fields(session: &Session) -> [u8; layout::session::BYTES] {
    use super::layout::session::{
        ATTEMPTS, BYTES, CHANNEL_AND_DELIVERY, CODES, ENDED, EXACT, EXPIRES, FLAGS, FORM, KEY,
        LAST_SEND, LIFETIME, MAX_ATTEMPTS, NONCE, OPENED, PURPOSE, SENDS, STATE,
    };
    let mut fields = [0; BYTES];
    let all = &mut fields;
    NONCE.set(all, session.nonce.0);
    KEY.set(all, [session.key.0]);
    STATE.set(all, [state(session.state)]);
    PURPOSE.set(all, session.purpose.0);
    EXACT.set(all, session.exact.0);
    OPENED.set(all, six_bytes(session.opened));
    EXPIRES.set(all, six_bytes(session.expires));
    ENDED.set(all, session.ended.to_be_bytes());
    let [_, lifetime @ ..] = session.lifetime_seconds.to_be_bytes();
    LIFETIME.set(all, lifetime);
    let travels = channel(session.channel) << 4 | delivery(session.delivery);
    CHANNEL_AND_DELIVERY.set(all, [travels]);
    let form = alphabet(session.form.alphabet()) << 4 | session.form.length();
    FORM.set(all, [form]);
    ATTEMPTS.set(all, [session.attempts]);
    MAX_ATTEMPTS.set(all, [session.max_attempts]);
    SENDS.set(all, [session.sends]);
    LAST_SEND.set(all, session.last_send.to_be_bytes());
    FLAGS.set(all, [flags(session)]);
    CODES.set(all, [byte(session.codes.len())]);
    fields
}

fn flags(session: &Session) -> u8 {
    let flags = session.flags;
    u8::from(flags.known_device)
        | u8::from(flags.decoy) << 1
        | u8::from(flags.custom) << 2
        | u8::from(session.prefix.is_some()) << 3
}

/// Every count is bounded far below 256 by the size of a record.
fn count(out: &mut Vec<u8>, n: usize) {
    out.push(byte(n));
}

fn byte(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

/// 48 bits of milliseconds: until the year 10889.
fn six_bytes(at: Timestamp) -> [u8; 6] {
    let most = (1 << 48) - 1;
    let [_, _, six @ ..] = at.as_millis().min(most).to_be_bytes();
    six
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
