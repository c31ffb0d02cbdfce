//! Reading records, strictly: what the writer would not have written is refused.

use smallvec::SmallVec;

use crate::clock::Timestamp;
use crate::code::{Alphabet, CodeForm};
use crate::destination::Channel;
use crate::digest::Digest;
use crate::error::CorruptRecord;
use crate::keys::{KeyId, Tag};
use crate::record::RecordKey;
use crate::record::codec::{EVENT, MAX_RECORD_BYTES, VERSION};
use crate::record::conversion::{ConversionRecord, PLACES, Place};
use crate::record::destination::DestinationRecord;
use crate::record::gate::{Gate, Lane};
use crate::record::idempotency::{IdempotencyRecord, MAX_ANSWER, Request};
use crate::record::limit::{LimitRecord, OPERATIONS};
use crate::record::session::{Flags, Memo, Outcome, Session};
use crate::record::spend::{self, SpendRecord};
use crate::record::view::{DeliveryState, SessionState};
use crate::record::window::Window;
use crate::session_id::Nonce;
use crate::store::Incarnation;

type Read<T> = Result<T, CorruptRecord>;

/// What is left of a value.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    pub(crate) kind: u8,
    tag: Tag,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Read<Self> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(CorruptRecord::Encoding);
        }
        let mut reader = Self {
            rest: bytes,
            kind: 0,
            tag: Tag::default(),
        };
        let version = reader.byte()?;
        if version != VERSION {
            return Err(CorruptRecord::Version(version));
        }
        reader.kind = reader.byte()?;
        reader.tag = reader.tag()?;
        Ok(reader)
    }

    pub(crate) fn finish(self) -> Read<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CorruptRecord::Encoding)
        }
    }

    #[inline]
    pub(crate) fn destination(&mut self) -> Read<DestinationRecord> {
        let tag = self.tag;
        let incarnation = Incarnation::new(u64::from_be_bytes(self.take()?));
        let gate = Gate {
            open: self.lane()?,
            known_device: self.lane()?,
        };
        let mut record = DestinationRecord {
            tag,
            incarnation,
            gate,
            sessions: SmallVec::new(),
        };
        for _ in 0..self.byte()? {
            record.sessions.push(self.session()?);
        }
        Ok(record)
    }

    pub(crate) fn limit(&mut self) -> Read<LimitRecord> {
        let (tag, keep_until, events) = (self.tag, self.four()?, self.window()?);
        let count = self.byte()?;
        if usize::from(count) > OPERATIONS {
            return Err(CorruptRecord::Encoding);
        }
        let operations = (0..count)
            .map(|_| Ok((self.four()?, self.four()?)))
            .collect::<Read<_>>()?;
        Ok(LimitRecord {
            tag,
            events,
            operations,
            keep_until,
        })
    }

    pub(crate) fn idempotency(&mut self) -> Read<IdempotencyRecord> {
        let tag = self.tag;
        if self.rest.is_empty() {
            return Ok(IdempotencyRecord { tag, request: None });
        }
        let (fingerprint, nonce) = (self.take()?, Nonce(self.take()?));
        let (begun, leased_until) = (self.millis()?, self.millis()?);
        let answer = match self.byte()? {
            0 => None,
            1 if self.rest.len() <= MAX_ANSWER => Some(std::mem::take(&mut self.rest).to_vec()),
            _ => return Err(CorruptRecord::Encoding),
        };
        let request = Request {
            fingerprint,
            nonce,
            begun,
            leased_until,
            answer,
        };
        Ok(IdempotencyRecord {
            tag,
            request: Some(request),
        })
    }

    pub(crate) fn spend(&mut self) -> Read<SpendRecord> {
        let (tag, day, spent) = (self.tag, self.four()?, self.take()?);
        let count = self.byte()?;
        if usize::from(count) > spend::OPERATIONS {
            return Err(CorruptRecord::Encoding);
        }
        let operations = (0..count)
            .map(|_| Ok((self.four()?, u64::from_be_bytes(self.take()?))))
            .collect::<Read<_>>()?;
        Ok(SpendRecord {
            tag,
            day,
            spent_micros: u64::from_be_bytes(spent),
            operations,
        })
    }

    pub(crate) fn conversion(&mut self) -> Read<ConversionRecord> {
        let (tag, decoy, keep_until) = (self.tag, self.four()?, self.four()?);
        let count = self.byte()?;
        if usize::from(count) > PLACES {
            return Err(CorruptRecord::Encoding);
        }
        let place = |_| {
            Ok(Place {
                operation: self.four()?,
                at: self.four()?,
                approvals: self.byte()?,
            })
        };
        let places = (0..count).map(place).collect::<Read<_>>()?;
        Ok(ConversionRecord {
            tag,
            decoy,
            keep_until,
            places,
        })
    }

    #[inline]
    fn lane(&mut self) -> Read<Lane> {
        use super::layout::lane::{BYTES, KEEP_UNTIL, LAST_FAILURE, LOCKED, STREAK};
        let fields = self.take::<BYTES>()?;
        Ok(Lane {
            locked: flag(LOCKED.get(&fields))?,
            streak: u16::from_be_bytes(STREAK.get(&fields)),
            last_failure: u32::from_be_bytes(LAST_FAILURE.get(&fields)),
            keep_until: u32::from_be_bytes(KEEP_UNTIL.get(&fields)),
            sends: self.window()?,
            failures: self.window()?,
        })
    }

    #[inline]
    fn window(&mut self) -> Read<Window> {
        let mut window = Window::default();
        for _ in 0..self.byte()? {
            let [a, b, c, d, events] = self.take::<EVENT>()?;
            if events == 0 {
                return Err(CorruptRecord::Encoding);
            }
            let time = u32::from_be_bytes([a, b, c, d]);
            window.events.push((time, events));
        }
        Ok(window)
    }

    #[inline]
    fn session(&mut self) -> Read<Session> {
        use super::layout::session::{
            ATTEMPTS, BYTES, CHANNEL_AND_DELIVERY, CODES, ENDED, EXACT, EXPIRES, FLAGS, FORM, KEY,
            LAST_SEND, LIFETIME, MAX_ATTEMPTS, NONCE, OPENED, PURPOSE, SENDS, STATE,
        };
        let fields = &self.take::<BYTES>()?;
        let byte = |[byte]: [u8; 1]| byte;
        let (channel, delivery) = channel_and_delivery(CHANNEL_AND_DELIVERY.get(fields))?;
        let (flags, has_prefix) = flags(FLAGS.get(fields))?;
        let mut session = Session {
            nonce: Nonce(NONCE.get(fields)),
            key: KeyId(byte(KEY.get(fields))),
            state: state(STATE.get(fields))?,
            purpose: Tag(PURPOSE.get(fields)),
            exact: Tag(EXACT.get(fields)),
            opened: six_bytes(OPENED.get(fields)),
            expires: six_bytes(EXPIRES.get(fields)),
            ended: u32::from_be_bytes(ENDED.get(fields)),
            lifetime_seconds: three_bytes(LIFETIME.get(fields)),
            channel,
            delivery,
            form: form(FORM.get(fields))?,
            attempts: byte(ATTEMPTS.get(fields)),
            max_attempts: byte(MAX_ATTEMPTS.get(fields)),
            sends: byte(SENDS.get(fields)),
            last_send: u32::from_be_bytes(LAST_SEND.get(fields)),
            flags,
            prefix: None,
            codes: SmallVec::new(),
            memos: SmallVec::new(),
        };
        for _ in 0..byte(CODES.get(fields)) {
            session.codes.push(Digest(self.take()?));
        }
        for _ in 0..self.byte()? {
            session.memos.push(self.memo()?);
        }
        if has_prefix {
            session.prefix = Some(RecordKey::from_bytes(self.take()?));
        }
        let live = session.state == SessionState::Live;
        if live == session.codes.is_empty() || live == (session.ended != 0) {
            return Err(CorruptRecord::Encoding);
        }
        Ok(session)
    }

    fn memo(&mut self) -> Read<Memo> {
        let (mark, at) = (self.take()?, self.four()?);
        let outcome = match self.byte()? {
            u8::MAX => Outcome::Verified,
            left => Outcome::Wrong(left),
        };
        Ok(Memo { mark, at, outcome })
    }

    fn millis(&mut self) -> Read<Timestamp> {
        Ok(six_bytes(self.take()?))
    }

    fn four(&mut self) -> Read<u32> {
        Ok(u32::from_be_bytes(self.take()?))
    }

    fn tag(&mut self) -> Read<Tag> {
        Ok(Tag(self.take()?))
    }

    fn byte(&mut self) -> Read<u8> {
        Ok(self.take::<1>()?[0])
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (first, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(CorruptRecord::Encoding)?;
        self.rest = rest;
        Ok(*first)
    }
}

fn six_bytes(bytes: [u8; 6]) -> Timestamp {
    let mut wide = [0; 8];
    wide[2..].copy_from_slice(&bytes);
    Timestamp::from_millis(u64::from_be_bytes(wide))
}

fn three_bytes([a, b, c]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

fn state([byte]: [u8; 1]) -> Read<SessionState> {
    Ok(match byte {
        0 => SessionState::Live,
        1 => SessionState::Verified,
        2 => SessionState::Exhausted,
        3 => SessionState::Expired,
        4 => SessionState::Cancelled,
        5 => SessionState::Undeliverable,
        _ => return Err(CorruptRecord::Encoding),
    })
}

fn channel_and_delivery([byte]: [u8; 1]) -> Read<(Channel, DeliveryState)> {
    let channel = match byte >> 4 {
        0 => Channel::Sms,
        1 => Channel::Voice,
        2 => Channel::Email,
        _ => return Err(CorruptRecord::Encoding),
    };
    let delivery = match byte & 0xf {
        0 => DeliveryState::Unknown,
        1 => DeliveryState::Accepted,
        2 => DeliveryState::Failed,
        3 => DeliveryState::Delivered,
        _ => return Err(CorruptRecord::Encoding),
    };
    Ok((channel, delivery))
}

fn form([byte]: [u8; 1]) -> Read<CodeForm> {
    let alphabet = match byte >> 4 {
        0 => Alphabet::Digits,
        1 => Alphabet::Alphanumeric,
        _ => return Err(CorruptRecord::Encoding),
    };
    CodeForm::new(byte & 0xf, alphabet).map_err(|_| CorruptRecord::Encoding)
}

/// The flags, and whether a prefix follows at the end.
fn flags([byte]: [u8; 1]) -> Read<(Flags, bool)> {
    if byte > 0b1111 {
        return Err(CorruptRecord::Encoding);
    }
    let bit = |n: u8| byte >> n & 1 == 1;
    let flags = Flags {
        known_device: bit(0),
        decoy: bit(1),
        custom: bit(2),
    };
    Ok((flags, bit(3)))
}

fn flag([byte]: [u8; 1]) -> Read<bool> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CorruptRecord::Encoding),
    }
}
