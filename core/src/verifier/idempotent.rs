//! Idempotency keys: the request's fingerprint, and its answer as kept bytes.
//!
//! No session id is kept, for it is the caller's to show: an answer keeps what the id is made
//! of, and the request that is repeated brings the destination.

use crate::clock::Timestamp;
use crate::code::{Alphabet, CodeForm};
use crate::deliver::{DeliverError, Permanent};
use crate::destination::Channel;
use crate::error::{SendError, StoreError};
use crate::keys::{KeyId, Kind, Tag};
use crate::record::{Action, Begin, Effect, IdempotencyEffect, RecordKey};
use crate::session_id::{Nonce, SessionId};
use crate::verifier::{SendRequest, Sent, SentDelivery, Verifier, unexpected};

/// The place of one idempotency key, held by the try with this nonce and lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    key: RecordKey,
    tag: Tag,
    nonce: Nonce,
    leased_until: Timestamp,
}

/// How a request goes on.
pub(crate) enum Begun {
    /// With this nonce, and the key to settle at the end.
    Go(Nonce, Option<Held>),
    /// It was answered before.
    Answered(Result<Sent, SendError>),
}

impl Verifier {
    /// Begins a request: takes its idempotency key, if it has one.
    pub(crate) async fn begin(
        &self,
        request: &SendRequest<'_>,
        nonce: Nonce,
    ) -> Result<Begun, SendError> {
        let Some(name) = request.idempotency_key else {
            return Ok(Begun::Go(nonce, None));
        };
        let tag = request.tenant.tag();
        let key = self
            .0
            .keys
            .record_key(Kind::Idempotency, tag, name.as_bytes());
        let begin = Begin {
            fingerprint: self.fingerprint(request),
            nonce,
        };
        match self.apply(key, tag, Action::Begin(begin)).await? {
            Effect::Idempotency(IdempotencyEffect::Proceed {
                nonce,
                leased_until,
            }) => {
                let held = Held {
                    key,
                    tag,
                    nonce,
                    leased_until,
                };
                Ok(Begun::Go(nonce, Some(held)))
            }
            Effect::Idempotency(IdempotencyEffect::InProgress { retry_after }) => {
                Err(SendError::IdempotencyInProgress { retry_after })
            }
            Effect::Idempotency(IdempotencyEffect::Mismatch) => Err(SendError::IdempotencyMismatch),
            Effect::Idempotency(IdempotencyEffect::Answered(bytes)) => {
                let answer = self.decode(request, &bytes).ok_or_else(unexpected)?;
                Ok(Begun::Answered(answer))
            }
            _ => Err(unexpected().into()),
        }
    }

    /// Keeps the answer under the key. If that fails, a retry finds the session and is
    /// told that its delivery is unknown.
    pub(crate) async fn finish(&self, held: Option<Held>, answer: &Result<Sent, SendError>) {
        if let (Some(held), Some(bytes)) = (held, self.encode(answer)) {
            let finish = Action::Finish(held.nonce, bytes);
            let _best_effort = self.apply(held.key, held.tag, finish).await;
        }
    }

    /// Frees the key after a refusal: this try sent nothing, and a retry of the same request
    /// may go on at once. If an earlier try may have opened a session, it finds that.
    pub(crate) async fn release(&self, held: Option<Held>) -> Result<(), StoreError> {
        if let Some(held) = held {
            let release = Action::Release(held.nonce, held.leased_until);
            let _done = self.apply(held.key, held.tag, release).await?;
        }
        Ok(())
    }

    /// A keyed hash of all that the request asks for: another body is another request.
    fn fingerprint(&self, request: &SendRequest<'_>) -> [u8; 16] {
        let channels: Vec<_> = request.channels().map(Channel::name).collect();
        let channels = channels.join(",");
        let text = [
            channels.as_str(),
            request.to.exact(),
            request.purpose.name(),
            request.locale.unwrap_or_default(),
            request
                .custom_code
                .as_ref()
                .map_or("", crate::code::Code::reveal),
            request.app_hash.unwrap_or_default(),
            request.origin.unwrap_or_default(),
        ];
        let facts = format!(
            "{:?} {:?} {:?} {:?} {} {} {:?}",
            request.replaces,
            request.form,
            request.ttl_seconds,
            request.end_user_ip,
            request.known_device,
            request.decoy,
            request.delivery,
        );
        let parts = text
            .map(str::as_bytes)
            .into_iter()
            .chain([facts.as_bytes()]);
        let binding = [u8::from(request.binding.is_some())];
        let parts = parts.chain([&binding[..], request.binding.unwrap_or_default()]);
        let mut all = zeroize::Zeroizing::new(Vec::new());
        for part in parts {
            all.extend((part.len() as u64).to_be_bytes());
            all.extend(part);
        }
        let half = |label: &str| {
            let tag = Tag::of("fingerprint", label);
            self.0
                .keys
                .record_key(Kind::Idempotency, tag, &all)
                .to_bytes()
        };
        let mut fingerprint = [0; 16];
        fingerprint[..8].copy_from_slice(&half("first"));
        fingerprint[8..].copy_from_slice(&half("second"));
        fingerprint
    }
}

const DELIVERED: u8 = 0;
const RETRYABLE: u8 = 1;
const FAILED: u8 = 2;
const NEVER: u32 = u32::MAX;
/// The longest answer, in bytes.
const MOST: usize = 21;

impl Verifier {
    /// The answer in bytes: how it ended, the key and the nonce of its session, and what
    /// else was told; none for a refusal, which is not kept.
    fn encode(&self, answer: &Result<Sent, SendError>) -> Option<Vec<u8>> {
        let (outcome, session_id) = match answer {
            Ok(sent) => (DELIVERED, sent.session_id),
            Err(SendError::Delivery {
                session_id,
                retryable,
                ..
            }) => (if *retryable { RETRYABLE } else { FAILED }, *session_id),
            Err(_) => return None,
        };
        let (key, at) = session_id.open(&self.0.keys)?;
        let mut out = Vec::with_capacity(MOST);
        out.extend([outcome, key.id.0]);
        out.extend(at.nonce.to_bytes());
        if let Ok(sent) = answer {
            encode_sent(&mut out, sent)?;
        }
        Some(out)
    }

    /// The answer that was given to this very request. Its id is sealed again by the key that
    /// had sealed it; a key that is gone has taken its sessions along, and then the newest
    /// one's id names what is left of the session as well.
    fn decode(&self, request: &SendRequest<'_>, bytes: &[u8]) -> Option<Result<Sent, SendError>> {
        let ([outcome, key], rest) = bytes.split_first_chunk::<2>()?;
        let (nonce, rest) = rest.split_first_chunk::<6>()?;
        let keys = &self.0.keys;
        let key = keys.find(KeyId(*key)).unwrap_or(keys.newest());
        let session_id = SessionId::seal(key, self.place(request, Nonce(*nonce)));
        let error = match (*outcome, rest) {
            (DELIVERED, rest) => return decode_sent(session_id, rest).map(Ok),
            (RETRYABLE, []) => DeliverError::transient(),
            (FAILED, []) => DeliverError::permanent(Permanent::Refused),
            _ => return None,
        };
        Some(Err(SendError::Delivery {
            session_id,
            retryable: error.is_transient(),
            error,
        }))
    }
}

fn encode_sent(out: &mut Vec<u8>, sent: &Sent) -> Option<()> {
    let channel = Channel::ALL
        .iter()
        .position(|channel| *channel == sent.channel)?;
    let alphanumeric = sent.form.alphabet() == Alphabet::Alphanumeric;
    out.extend([
        u8::try_from(channel).ok()?,
        sent.form.length(),
        u8::from(alphanumeric),
        sent.attempts_remaining,
        match sent.delivery {
            SentDelivery::Accepted => 0,
            SentDelivery::Background => 1,
            SentDelivery::Unknown => 2,
        },
    ]);
    out.extend(u32::try_from(sent.expires_in).ok()?.to_be_bytes());
    let resend = sent
        .resend_after
        .map_or(Some(NEVER), |after| u32::try_from(after).ok())?;
    out.extend(resend.to_be_bytes());
    Some(())
}

fn decode_sent(session_id: SessionId, rest: &[u8]) -> Option<Sent> {
    let ([channel, length, alphabet, attempts_remaining, delivery], rest) =
        rest.split_first_chunk::<5>()?;
    let (expires_in, resend_after) = rest.split_first_chunk::<4>()?;
    let alphabet = if *alphabet == 0 {
        Alphabet::Digits
    } else {
        Alphabet::Alphanumeric
    };
    let resend_after = u32::from_be_bytes(resend_after.try_into().ok()?);
    Some(Sent {
        session_id,
        channel: *Channel::ALL.get(usize::from(*channel))?,
        expires_in: u64::from(u32::from_be_bytes(*expires_in)),
        form: CodeForm::new(*length, alphabet).ok()?,
        resend_after: (resend_after != NEVER).then_some(u64::from(resend_after)),
        attempts_remaining: *attempts_remaining,
        delivery: match *delivery {
            0 => SentDelivery::Accepted,
            1 => SentDelivery::Background,
            _ => SentDelivery::Unknown,
        },
    })
}
