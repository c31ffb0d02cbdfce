//! Reading records, strictly: what the writer would not have written is refused.

use crate::clock::Timestamp;
use crate::error::CorruptRecord;
use crate::keys::Tag;
use crate::record::bytes;
use crate::record::codec::{MAX_RECORD_BYTES, VERSION};
use crate::record::conversion::{ConversionRecord, PLACES, Place};
use crate::record::destination::Places;
use crate::record::idempotency::{IdempotencyRecord, MAX_ANSWER, Request};
use crate::record::layout::{CODE, EVENT, INCARNATION, MEMO, PREFIX, lane, session, time};
use crate::record::limit::{LimitRecord, OPERATIONS};
use crate::record::spend::{self, SpendRecord};
use crate::record::view::SessionState;
use crate::session_id::Nonce;

type Read<T> = Result<T, CorruptRecord>;

/// What is left of a value.
pub(crate) struct Reader<'a> {
    all: usize,
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
            all: bytes.len(),
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

    /// How much was read.
    const fn at(&self) -> usize {
        self.all - self.rest.len()
    }

    pub(crate) fn finish(self) -> Read<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CorruptRecord::Encoding)
        }
    }

    /// Where the parts of a destination's record begin, if one follows, to its end.
    #[inline]
    pub(crate) fn destination(mut self) -> Read<Places> {
        self.skip(INCARNATION)?;
        self.lane()?;
        let known_device = self.at();
        self.lane()?;
        let count = self.at();
        for _ in 0..self.byte()? {
            self.session()?;
        }
        self.finish()?;
        Ok(Places {
            known_device,
            count,
        })
    }

    pub(crate) fn limit(&mut self) -> Read<LimitRecord> {
        let (tag, keep_until) = (self.tag, self.four()?);
        let events = self.window()?.to_vec();
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
    fn lane(&mut self) -> Read<()> {
        let fields = self.part::<{ lane::BYTES }>()?;
        flag(lane::LOCKED.get(fields))?;
        self.window()?;
        self.window()?;
        Ok(())
    }

    /// The bytes of a window, with its count.
    #[inline]
    fn window(&mut self) -> Read<&'a [u8]> {
        let begun = self.rest;
        for _ in 0..self.byte()? {
            let [.., events] = self.part::<EVENT>()?;
            if *events == 0 {
                return Err(CorruptRecord::Encoding);
            }
        }
        Ok(&begun[..begun.len() - self.rest.len()])
    }

    #[inline]
    fn session(&mut self) -> Read<()> {
        let fields = self.part::<{ session::BYTES }>()?;
        let ended = session::ENDED.get(fields) != [0; 4];
        let ([state], [form]) = (session::STATE.get(fields), session::FORM.get(fields));
        let [travels] = session::CHANNEL_AND_DELIVERY.get(fields);
        let ([flags], [codes]) = (session::FLAGS.get(fields), session::CODES.get(fields));
        let has_prefix = || {
            bytes::channel_and_delivery(travels)?;
            bytes::form(form)?;
            let live = bytes::state(state)? == SessionState::Live;
            let (_, has_prefix) = bytes::flags(flags)?;
            (live != (codes == 0) && live != ended).then_some(has_prefix)
        };
        let prefix = has_prefix().ok_or(CorruptRecord::Encoding)?;
        self.skip(CODE * usize::from(codes))?;
        let memos = self.byte()?;
        self.skip(MEMO * usize::from(memos))?;
        self.skip(if prefix { PREFIX } else { 0 })
    }

    fn skip(&mut self, bytes: usize) -> Read<()> {
        self.rest = self.rest.get(bytes..).ok_or(CorruptRecord::Encoding)?;
        Ok(())
    }

    fn millis(&mut self) -> Read<Timestamp> {
        Ok(time(self.take()?))
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
        self.part().copied()
    }

    #[inline]
    fn part<const N: usize>(&mut self) -> Read<&'a [u8; N]> {
        let (first, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(CorruptRecord::Encoding)?;
        self.rest = rest;
        Ok(first)
    }
}

fn flag([byte]: [u8; 1]) -> Read<bool> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CorruptRecord::Encoding),
    }
}
