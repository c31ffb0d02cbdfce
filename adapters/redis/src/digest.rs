//! The bytes of a digest.
//!
//! A step keeps its digest to itself; what a store sees of it is the record that the step
//! leads to. So a resend with this digest is taken on a record made for that purpose, and
//! the sixteen bytes are read where the encoding has them: about a microsecond, and
//! nothing but what every store is given anyway.

use countersign::record::{Action, Moment, Record, Resend, Step};
use countersign::store::Incarnation;
use countersign::{Channel, Digest, LaneLimits, Nonce, Policy, ResendPolicy, Tag, Timestamp};

/// Of a record with one live session, all zeros but what must not be zero.
const TEMPLATE: [u8; 116] = {
    let mut bytes = [0; 116];
    (bytes[0], bytes[1]) = (1, 1); // version, kind
    bytes[44] = 1; // one session
    bytes[45 + 30] = 1; // it expires in many years
    bytes[45 + 44] = 6; // six digits
    bytes[45 + 46] = 1; // one attempt
    bytes[45 + 53] = 1; // one code
    bytes
};

/// The digest's bytes; none if the encoding of records is another than the library of
/// functions knows.
pub(crate) fn bytes(digest: Digest, limits: &LaneLimits) -> Option<[u8; 16]> {
    let nobody = Tag::from_bytes([0; 8]);
    let resend = Resend {
        nonce: Nonce::from_bytes([0; 6]),
        purpose: nobody,
        exact: nobody,
        channel: Channel::Sms,
        digest,
        resend: ResendPolicy::Rotate,
        ceiling_seconds: 0,
        cooldown_seconds: 0,
        max_sends: 1,
        limits: *limits,
        device_limits: *limits,
    };
    let step = Step {
        tag: nobody,
        at: None,
        action: Action::Resend(resend),
    };
    let moment = Moment {
        now: Timestamp::from_millis(0),
        incarnation: Incarnation::UNFENCED,
    };
    let mut record = Record::decode(&TEMPLATE).ok()?;
    let _granted = record.step(&step, moment).ok()?;
    let encoded = record.encode();
    // The session's one code lies before its count of memos, which ends the record.
    let (_, code) = encoded.strip_suffix(&[0])?.split_last_chunk::<16>()?;
    (*code != [0; 16]).then_some(*code)
}

/// Limits that refuse nothing to the record above.
pub(crate) fn open_limits() -> LaneLimits {
    Policy::default().destination
}
