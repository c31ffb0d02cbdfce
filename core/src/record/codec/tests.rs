//! A destination's record is its bytes, so what may be in them is decided when they are read.

use crate::clock::Timestamp;
use crate::code::CodeForm;
use crate::destination::Channel;
use crate::digest::Digest;
use crate::error::CorruptRecord;
use crate::keys::{KeyId, Kind, Tag};
use crate::policy::Policy;
use crate::record::conversion::{self, ConversionRecord, Place};
use crate::record::idempotency::{self, IdempotencyRecord, Request};
use crate::record::layout::{self, lane, session};
use crate::record::limit::{self, LimitRecord};
use crate::record::spend::{self, SpendRecord};
use crate::record::{
    Action, Begin, Body, Check, Effect, Fit, Moment, Open, Record, RecordKey, Step,
};
use crate::session_id::Nonce;
use crate::store::Incarnation;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const NONCE: Nonce = Nonce([7; 6]);
/// Of the two lanes the first has one send and, with a guess, one failure.
const FIRST_LANE: usize = layout::record::BYTES;

fn step(record: &mut Record, action: Action) -> Effect {
    let (tag, at) = (Tag([3; 8]), Some(NOW));
    let moment = Moment {
        now: NOW,
        incarnation: Incarnation::UNFENCED,
    };
    record.step(&Step { tag, at, action }, moment).unwrap()
}

/// A record with a live session that has a prefix, a failure and a memo.
fn guessed_at() -> Record {
    let policy = Policy::default();
    let open = Open {
        nonce: NONCE,
        key: KeyId(1),
        purpose: Tag([4; 8]),
        exact: Tag([5; 8]),
        channel: Channel::Voice,
        form: CodeForm::SIX_DIGITS,
        digest: Digest([6; 16]),
        lifetime_seconds: 300,
        ceiling_seconds: 600,
        max_attempts: 5,
        max_sends: 3,
        cooldown_seconds: 30,
        limits: policy.destination,
        known_device: false,
        decoy: false,
        custom: true,
        replaces: None,
        prefix: Some(RecordKey::from_bytes([9; 8])),
    };
    let check = Check {
        nonce: NONCE,
        purpose: open.purpose,
        fit: Fit {
            length: 6,
            digits: true,
            alphanumeric: false,
        },
        digest: Digest([8; 16]),
        attempt: Some([1; 8]),
        limits: policy.destination,
        device_limits: policy.known_device,
    };
    let opening = Action::Open(open);
    let mut record = Record::absent(&Step {
        tag: Tag([3; 8]),
        at: None,
        action: opening.clone(),
    });
    assert!(matches!(step(&mut record, opening), Effect::Granted(_)));
    assert!(matches!(
        step(&mut record, Action::Check(check)),
        Effect::Verdict(_)
    ));
    record
}

fn refused(bytes: &[u8]) -> CorruptRecord {
    Record::decode(bytes).expect_err("it is not what a writer writes")
}

#[test]
fn a_record_is_read_back_as_it_was_and_never_cut_or_longer() {
    let bytes = guessed_at().encode();
    assert_eq!(Record::decode(&bytes).unwrap().encode(), bytes);
    for end in 0..bytes.len() {
        let _ = refused(&bytes[..end]);
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(refused(&longer), CorruptRecord::Encoding);
    let of_another_version = [&[2], &bytes[1..]].concat();
    assert_eq!(refused(&of_another_version), CorruptRecord::Version(2));
}

#[test]
fn a_record_of_any_kind_says_whose_it_is() {
    let begin = Begin {
        fingerprint: [1; 16],
        nonce: NONCE,
    };
    for action in [
        Action::Look(NONCE),
        Action::LookSpend,
        Action::Begin(begin),
        Action::CountApproval,
        Action::Forget(Kind::Limit),
    ] {
        let (tag, at) = (Tag([3; 8]), None);
        let record = Record::absent(&Step { tag, at, action });
        assert_eq!(record.tag(), tag, "{record:?}");
    }
}

#[test]
fn a_byte_that_no_writer_writes_is_refused() {
    let bytes = guessed_at().encode();
    // One send, one failure, the other lane, the count of the sessions.
    let first_session = FIRST_LANE + 2 * lane::EMPTY + 2 * layout::EVENT + 1;
    let field = |at: usize, good: u8, bad: u8| {
        assert_eq!(bytes[at], good, "byte {at}");
        let mut wrong = bytes.clone();
        wrong[at] = bad;
        assert_eq!(refused(&wrong), CorruptRecord::Encoding, "byte {at}: {bad}");
    };
    field(FIRST_LANE, 0, 2);
    // An event that never was.
    field(FIRST_LANE + lane::BYTES + layout::EVENT, 1, 0);
    let within = |at: usize, good, bad| field(first_session + at, good, bad);
    let (state, travels, form, flags) = (7, 43, 44, 52);
    within(state, 0, 6);
    within(travels, 1 << 4, 3 << 4);
    within(travels, 1 << 4, 1 << 4 | 4);
    within(form, 6, 2 << 4 | 6);
    within(form, 6, 3);
    within(flags, 0b1100, 0b1_1100);
    // No prefix, whose bytes are there.
    within(flags, 0b1100, 0b0100);
    // Live, and ended.
    within(39, 0, 1);
    // More memos than there are.
    within(session::BYTES + layout::CODE, 1, 2);
}

#[test]
fn a_live_session_has_a_code_and_an_ended_one_has_none() {
    let bytes = guessed_at().encode();
    let at = FIRST_LANE + 2 * lane::EMPTY + 2 * layout::EVENT + 1;
    let (state, ended, codes) = (at + 7, at + 39, at + 53);
    let change = |live: bool, with_code: bool| {
        let mut changed = bytes.clone();
        (changed[state], changed[ended]) = if live { (0, 0) } else { (1, 1) };
        if !with_code {
            changed[codes] = 0;
            changed.drain(at + session::BYTES..at + session::BYTES + layout::CODE);
        }
        Record::decode(&changed)
    };
    assert!(change(true, true).is_ok() && change(false, false).is_ok());
    for neither in [true, false].map(|live| change(live, !live)) {
        assert_eq!(neither.unwrap_err(), CorruptRecord::Encoding);
    }
}

/// A record is read with as many operations as a writer keeps, or more than that; and an
/// idempotency key's with an answer of so many bytes.
fn read_with(kind: Kind, many: usize) -> Result<(), CorruptRecord> {
    let tag = Tag([3; 8]);
    let place = Place {
        operation: 1,
        at: 2,
        approvals: 3,
    };
    let body = match kind {
        Kind::Limit => Body::Limit(LimitRecord {
            operations: vec![(1, 2); many],
            ..LimitRecord::new(tag)
        }),
        Kind::Spend => Body::Spend(SpendRecord {
            operations: vec![(1, 2); many],
            ..SpendRecord::new(tag)
        }),
        Kind::Conversion => Body::Conversion(ConversionRecord {
            places: vec![place; many],
            ..ConversionRecord::new(tag)
        }),
        _ => Body::Idempotency(IdempotencyRecord {
            request: Some(Request {
                fingerprint: [1; 16],
                nonce: NONCE,
                begun: NOW,
                leased_until: NOW,
                answer: Some(vec![0; many]),
            }),
            ..IdempotencyRecord::new(tag)
        }),
    };
    let bytes = super::encode(body);
    let read = Record::decode(&bytes)?;
    assert_eq!(read.encode(), bytes);
    Ok(())
}

#[test]
fn more_than_a_writer_keeps_is_refused() {
    for (kind, most) in [
        (Kind::Limit, limit::OPERATIONS),
        (Kind::Spend, spend::OPERATIONS),
        (Kind::Conversion, conversion::PLACES),
        (Kind::Idempotency, idempotency::MAX_ANSWER),
    ] {
        for few in [0, 1, most] {
            assert_eq!(read_with(kind, few), Ok(()), "{kind:?}: {few}");
        }
        let refused = read_with(kind, most + 1);
        assert_eq!(refused, Err(CorruptRecord::Encoding), "{kind:?}");
    }
}

#[test]
fn a_value_of_another_kind_is_no_record() {
    let nothing = [0; 9];
    for kind in [Kind::Meta, Kind::ApiKeys] {
        let value = crate::envelope::seal(kind, Tag([3; 8]), &nothing);
        assert_eq!(refused(&value), CorruptRecord::Foreign, "{kind:?}");
    }
    let value = crate::envelope::seal(Kind::Conversion, Tag([3; 8]), &nothing);
    assert!(Record::decode(&value).is_ok());
}

#[test]
fn a_time_beyond_six_bytes_is_the_last_that_they_hold() {
    let last = Timestamp::from_millis((1 << 48) - 1);
    for beyond in [1 << 48, u64::MAX] {
        let held = layout::six_bytes(Timestamp::from_millis(beyond));
        assert_eq!(layout::time(held), last);
    }
}

/// An operator's reset would else find no record, and the lock be nobody's.
#[test]
fn a_locked_lane_is_read_back() {
    let mut bytes = guessed_at().encode();
    bytes[FIRST_LANE] = 1;
    assert_eq!(Record::decode(&bytes).unwrap().encode(), bytes);
}
