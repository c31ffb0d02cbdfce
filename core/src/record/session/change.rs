//! What changes in a session, in the bytes of its record.

use crate::clock::Timestamp;
use crate::destination::Channel;
use crate::digest::Digest;
use crate::keys::cut;
use crate::policy::ResendPolicy;
use crate::record::bytes::{Flags, of_channel_and_delivery, of_flags, of_form, of_state};
use crate::record::layout::session::{
    ATTEMPTS, BYTES, CHANNEL_AND_DELIVERY, CODES, ENDED, EXACT, EXPIRES, FLAGS, FORM, KEY,
    LAST_SEND, LIFETIME, MAX_ATTEMPTS, NONCE, OPENED, PURPOSE, SENDS, STATE,
};
use crate::record::layout::{CODE, MEMO, change, insert, remove, six_bytes};
use crate::record::session::{Memo, Outcome, Session};
use crate::record::step::Open;
use crate::record::view::{DeliveryState, SessionState};

/// The session that begins at a place in the bytes of its record.
pub(crate) struct SessionMut<'r> {
    pub(crate) record: &'r mut Vec<u8>,
    pub(crate) at: usize,
}

impl SessionMut<'_> {
    /// Appends a session that is opened now.
    pub(crate) fn append(record: &mut Vec<u8>, open: &Open, now: Timestamp) {
        record.extend_from_slice(&fields(open, now));
        record.extend_from_slice(&open.digest.0);
        // No memos.
        record.push(0);
        if let Some(prefix) = open.prefix {
            record.extend_from_slice(&prefix.to_bytes());
        }
    }

    pub(crate) fn get(&self) -> Session<'_> {
        Session::read(self.record, self.at)
    }

    /// Ends it; an end is final.
    pub(crate) fn end(&mut self, state: SessionState, at: Timestamp) {
        if self.get().is_open() {
            STATE.put(self.record, self.at, [of_state(state)]);
            let ended = at.ceil_secs().max(1);
            ENDED.put(self.record, self.at, ended.to_be_bytes());
            self.drop_codes(self.get().codes().len());
        }
    }

    /// Ends it if its time is over, so that its digest goes.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let expires = self.get().expires();
        if now >= expires {
            self.end(SessionState::Expired, expires);
        }
    }

    /// Charges one attempt.
    #[inline]
    pub(crate) fn charge(&mut self) {
        change(self.record, self.at, |fields: &mut [u8; BYTES]| {
            let [attempts] = ATTEMPTS.get(fields);
            ATTEMPTS.set(fields, [attempts.saturating_add(1)]);
        });
    }

    pub(crate) fn remember(&mut self, mark: [u8; 8], outcome: Outcome, now: Timestamp) {
        self.forget(|memo| !memo.is_fresh(now));
        let (mark, at) = (cut(&mark), now.ceil_secs());
        let memo = Memo { mark, at, outcome };
        let count = self.memo_count();
        let end = count + 1 + MEMO * self.get().memos().len();
        insert(self.record, end, &memo.to_bytes());
        self.record[count] += 1;
    }

    pub(crate) fn forget_attempts(&mut self) {
        self.forget(|_| true);
    }

    /// Puts a new code in, beside or in place of those before.
    pub(crate) fn renew(&mut self, digest: Digest, resend: ResendPolicy) {
        let kept = match resend {
            ResendPolicy::KeepLast(n) => usize::from(n.saturating_sub(1)),
            ResendPolicy::Rotate | ResendPolicy::Reuse => 0,
        };
        self.drop_codes(self.get().codes().len().saturating_sub(kept));
        let count = self.get().codes().len();
        insert(self.record, self.memo_count(), &digest.0);
        self.count_codes(count + 1);
    }

    /// Counts another message, on its way now, after which the session lives on until
    /// `expires` at least.
    pub(crate) fn send_again(&mut self, channel: Channel, expires: Timestamp, now: Timestamp) {
        let sends = self.get().sends().saturating_add(1);
        SENDS.put(self.record, self.at, [sends]);
        LAST_SEND.put(self.record, self.at, now.floor_secs().to_be_bytes());
        self.travel(channel, DeliveryState::Unknown);
        let expires = self.get().expires().max(expires);
        EXPIRES.put(self.record, self.at, six_bytes(expires));
    }

    /// Notes how its last message travels, and what is known of it.
    pub(crate) fn travel(&mut self, channel: Channel, delivery: DeliveryState) {
        let byte = of_channel_and_delivery(channel, delivery);
        CHANNEL_AND_DELIVERY.put(self.record, self.at, [byte]);
    }

    /// Drops so many codes, the oldest first.
    fn drop_codes(&mut self, dead: usize) {
        let all = self.get().codes().len();
        remove(self.record, self.at + BYTES, CODE * dead);
        self.count_codes(all.saturating_sub(dead));
    }

    /// At most three: far below 256.
    fn count_codes(&mut self, count: usize) {
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        CODES.put(self.record, self.at, [count]);
    }

    fn forget(&mut self, old: impl Fn(Memo) -> bool) {
        let count = self.memo_count();
        for place in (0..self.get().memos().len()).rev() {
            if old(Memo::read(&self.get().memos()[place])) {
                remove(self.record, count + 1 + MEMO * place, MEMO);
                self.record[count] -= 1;
            }
        }
    }

    /// Where its codes end, and the count of its memos is.
    fn memo_count(&self) -> usize {
        self.at + BYTES + self.get().bytes_of_codes()
    }
}

fn fields(open: &Open, now: Timestamp) -> [u8; BYTES] {
    let life = open.lifetime_seconds.min(open.ceiling_seconds);
    let mut fields = [0; BYTES];
    let all = &mut fields;
    NONCE.set(all, open.nonce.0);
    KEY.set(all, [open.key.0]);
    STATE.set(all, [of_state(SessionState::Live)]);
    PURPOSE.set(all, open.purpose.0);
    EXACT.set(all, open.exact.0);
    OPENED.set(all, six_bytes(now));
    EXPIRES.set(all, six_bytes(now.plus_secs(u64::from(life))));
    let [_, lifetime @ ..] = life.to_be_bytes();
    LIFETIME.set(all, lifetime);
    let travels = of_channel_and_delivery(open.channel, DeliveryState::Unknown);
    CHANNEL_AND_DELIVERY.set(all, [travels]);
    FORM.set(all, [of_form(open.form)]);
    MAX_ATTEMPTS.set(all, [open.max_attempts]);
    SENDS.set(all, [1]);
    LAST_SEND.set(all, now.floor_secs().to_be_bytes());
    FLAGS.set(all, [of_flags(flags(open), open.prefix.is_some())]);
    CODES.set(all, [1]);
    fields
}

const fn flags(open: &Open) -> Flags {
    Flags {
        known_device: open.known_device,
        decoy: open.decoy,
        custom: open.custom,
    }
}
