//! Where the fields of fixed width lie: in a lane, in an event, in a session. Their places
//! are constants, so that many small fields are read and written like one.

/// A field of `N` bytes that begins at this place.
#[derive(Clone, Copy)]
pub(super) struct Field<const N: usize>(usize);

impl<const N: usize> Field<N> {
    #[inline]
    pub(super) fn get<const ALL: usize>(self, of: &[u8; ALL]) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&of[self.0..][..N]);
        field
    }

    #[inline]
    pub(super) fn set<const ALL: usize>(self, of: &mut [u8; ALL], field: [u8; N]) {
        of[self.0..][..N].copy_from_slice(&field);
    }
}

/// A lane, before its two windows.
pub(super) mod lane {
    use super::Field;

    pub(in crate::record::codec) const LOCKED: Field<1> = Field(0);
    pub(in crate::record::codec) const STREAK: Field<2> = Field(1);
    pub(in crate::record::codec) const LAST_FAILURE: Field<4> = Field(3);
    pub(in crate::record::codec) const KEEP_UNTIL: Field<4> = Field(7);
    pub(in crate::record::codec) const BYTES: usize = 11;
}

/// A session, before its codes.
pub(super) mod session {
    use super::Field;

    pub(in crate::record::codec) const NONCE: Field<6> = Field(0);
    pub(in crate::record::codec) const KEY: Field<1> = Field(6);
    pub(in crate::record::codec) const STATE: Field<1> = Field(7);
    pub(in crate::record::codec) const PURPOSE: Field<8> = Field(8);
    pub(in crate::record::codec) const EXACT: Field<8> = Field(16);
    pub(in crate::record::codec) const OPENED: Field<6> = Field(24);
    pub(in crate::record::codec) const EXPIRES: Field<6> = Field(30);
    pub(in crate::record::codec) const ENDED: Field<4> = Field(36);
    /// 24 bits of seconds: a ceiling is at most a day.
    pub(in crate::record::codec) const LIFETIME: Field<3> = Field(40);
    pub(in crate::record::codec) const CHANNEL_AND_DELIVERY: Field<1> = Field(43);
    pub(in crate::record::codec) const FORM: Field<1> = Field(44);
    pub(in crate::record::codec) const ATTEMPTS: Field<1> = Field(45);
    pub(in crate::record::codec) const MAX_ATTEMPTS: Field<1> = Field(46);
    pub(in crate::record::codec) const SENDS: Field<1> = Field(47);
    pub(in crate::record::codec) const LAST_SEND: Field<4> = Field(48);
    pub(in crate::record::codec) const FLAGS: Field<1> = Field(52);
    pub(in crate::record::codec) const CODES: Field<1> = Field(53);
    pub(in crate::record::codec) const BYTES: usize = 54;
}
