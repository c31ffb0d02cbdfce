//! Where the parts of a destination's record lie in its bytes. The record is its bytes: what
//! a step does not touch is neither read into anything nor written again.

use crate::clock::Timestamp;

/// A field of `N` bytes that begins so far into its part, whose length is constant.
#[derive(Clone, Copy)]
pub(crate) struct Field<const N: usize>(usize);

impl<const N: usize> Field<N> {
    /// Reads it from its part.
    #[inline]
    pub(crate) fn get<const ALL: usize>(self, part: &[u8; ALL]) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&part[self.0..][..N]);
        field
    }

    /// Writes it into its part.
    #[inline]
    pub(crate) fn set<const ALL: usize>(self, part: &mut [u8; ALL], field: [u8; N]) {
        part[self.0..][..N].copy_from_slice(&field);
    }

    /// Writes it into the bytes of the record, in the part that begins at `part`.
    #[inline]
    pub(crate) fn put(self, record: &mut [u8], part: usize, field: [u8; N]) {
        record[part + self.0..][..N].copy_from_slice(&field);
    }
}

/// The record, before its two lanes.
pub(crate) mod record {
    use super::Field;

    pub(crate) const TAG: Field<8> = Field(2);
    pub(crate) const INCARNATION: Field<8> = Field(10);
    pub(crate) const BYTES: usize = 18;
}

/// A lane, before its two windows.
pub(crate) mod lane {
    use super::Field;

    pub(crate) const LOCKED: Field<1> = Field(0);
    pub(crate) const STREAK: Field<2> = Field(1);
    pub(crate) const LAST_FAILURE: Field<4> = Field(3);
    pub(crate) const KEEP_UNTIL: Field<4> = Field(7);
    pub(crate) const BYTES: usize = 11;
    /// With the counts of its windows, which are empty.
    pub(crate) const EMPTY: usize = BYTES + 2;
}

/// The life of the store, behind version, kind and tag.
pub(crate) const INCARNATION: usize = 8;

/// An event: its second, and how many there were then, at least one.
pub(crate) const EVENT: usize = 5;

/// A session, before its codes.
pub(crate) mod session {
    use super::Field;

    pub(crate) const NONCE: Field<6> = Field(0);
    pub(crate) const KEY: Field<1> = Field(6);
    pub(crate) const STATE: Field<1> = Field(7);
    pub(crate) const PURPOSE: Field<8> = Field(8);
    pub(crate) const EXACT: Field<8> = Field(16);
    pub(crate) const OPENED: Field<6> = Field(24);
    pub(crate) const EXPIRES: Field<6> = Field(30);
    pub(crate) const ENDED: Field<4> = Field(36);
    /// 24 bits of seconds: a ceiling is at most a day.
    pub(crate) const LIFETIME: Field<3> = Field(40);
    pub(crate) const CHANNEL_AND_DELIVERY: Field<1> = Field(43);
    pub(crate) const FORM: Field<1> = Field(44);
    pub(crate) const ATTEMPTS: Field<1> = Field(45);
    pub(crate) const MAX_ATTEMPTS: Field<1> = Field(46);
    pub(crate) const SENDS: Field<1> = Field(47);
    pub(crate) const LAST_SEND: Field<4> = Field(48);
    pub(crate) const FLAGS: Field<1> = Field(52);
    pub(crate) const CODES: Field<1> = Field(53);
    pub(crate) const BYTES: usize = 54;
    /// With the count of its memos, without codes.
    pub(crate) const EMPTY: usize = BYTES + 1;
}

/// A code's digest.
pub(crate) const CODE: usize = 16;
/// An attempt that named itself: its mark, its second, its outcome.
pub(crate) const MEMO: usize = 11;
/// At the end of a session that has a prefix; a bit of its flags says so.
pub(crate) const PREFIX: usize = 8;

/// The `N` bytes at `at`. Reading was strict, so they are there.
#[inline]
pub(crate) fn part<const N: usize>(record: &[u8], at: usize) -> &[u8; N] {
    tail(record, at).first_chunk().unwrap_or(&[0; N])
}

/// All from `at` on.
#[inline]
pub(crate) fn tail(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

/// The items of `N` bytes that follow their count.
#[inline]
pub(crate) fn counted<const N: usize>(bytes: &[u8]) -> &[[u8; N]] {
    let (count, items) = bytes.split_first().unwrap_or((&0, &[]));
    let bytes = usize::from(*count) * N;
    items.get(..bytes).unwrap_or_default().as_chunks().0
}

/// The bytes of a count and its items.
#[inline]
pub(crate) fn bytes_of_counted<const N: usize>(bytes: &[u8]) -> usize {
    1 + N * usize::from(bytes.first().copied().unwrap_or(0))
}

/// Changes the `N` bytes at `at`. Reading was strict, so they are there.
#[inline]
pub(crate) fn change<const N: usize>(
    record: &mut [u8],
    at: usize,
    change: impl FnOnce(&mut [u8; N]),
) {
    let part = record.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
    if let Some(part) = part {
        change(part);
    }
}

/// Puts `new` in at `at`, before what is there.
#[inline]
pub(crate) fn insert<const N: usize>(record: &mut Vec<u8>, at: usize, new: &[u8; N]) {
    let end = record.len();
    record.extend_from_slice(new);
    record.copy_within(at..end, at + N);
    record[at..][..N].copy_from_slice(new);
}

/// Takes `count` bytes out at `at`.
#[inline]
pub(crate) fn remove(record: &mut Vec<u8>, at: usize, count: usize) {
    if count > 0 {
        record.copy_within(at + count.., at);
        record.truncate(record.len() - count);
    }
}

/// 48 bits of milliseconds: until the year 10889.
#[inline]
pub(crate) fn six_bytes(at: Timestamp) -> [u8; 6] {
    let most = (1 << 48) - 1;
    let [_, _, six @ ..] = at.as_millis().min(most).to_be_bytes();
    six
}

/// The time of six bytes.
#[inline]
pub(crate) fn time(bytes: [u8; 6]) -> Timestamp {
    let mut wide = [0; 8];
    wide[2..].copy_from_slice(&bytes);
    Timestamp::from_millis(u64::from_be_bytes(wide))
}
