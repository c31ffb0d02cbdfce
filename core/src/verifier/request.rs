//! What callers ask for, and what they are told.

use std::net::IpAddr;

use crate::code::{Code, CodeForm};
use crate::destination::{Channel, Destination};
use crate::session_id::SessionId;
use crate::tenant::{Purpose, Tenant};
use crate::verifier::Pending;

/// When a send is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DeliveryMode {
    /// After the provider took the message or refused it.
    #[default]
    Wait,
    /// Once the session is stored; the outcome is in its status.
    Background,
}

/// A code to be sent. Build it with [`SendRequest::new`] and set what you need.
#[derive(Debug)]
#[non_exhaustive]
pub struct SendRequest<'a> {
    /// Whose session it is.
    pub tenant: &'a Tenant,
    /// How the code travels.
    pub channel: Channel,
    /// Channels to try after it, in this order, each when those before did not take the
    /// message and nothing may have left. One session, one code, one charge of the limits;
    /// the session lives as long as the strictest channel allows.
    pub fallbacks: &'a [Channel],
    /// Where to.
    pub to: &'a Destination,
    /// Why; the code is good for this only.
    pub purpose: Purpose,
    /// Bytes of the caller's (amount and payee, say) that must be the same at check.
    pub binding: Option<&'a [u8]>,
    /// An own earlier session of this destination, to be ended in the same step.
    pub replaces: Option<SessionId>,
    /// The person's language, a BCP 47 tag.
    pub locale: Option<&'a str>,
    /// Form of the code, if not the policy's.
    pub form: Option<CodeForm>,
    /// Seconds for which the code is good, if not the policy's; cut to the ceiling.
    pub ttl_seconds: Option<u32>,
    /// A code of the caller's own; a test destination has its fixed code all the same.
    pub custom_code: Option<Code>,
    /// The address of the person who asked, for the limits per source.
    pub end_user_ip: Option<IpAddr>,
    /// The caller vouches that this browser or phone verified this destination before.
    pub known_device: bool,
    /// When to answer.
    pub delivery: DeliveryMode,
    /// A session that behaves alike and can never succeed; needs background delivery.
    pub decoy: bool,
    /// The Android app hash for the end of an SMS.
    pub app_hash: Option<&'a str>,
    /// The web origin to which an SMS code is bound.
    pub origin: Option<&'a str>,
    /// Makes repetitions of this request one: at most 255 bytes.
    pub idempotency_key: Option<&'a str>,
}

impl<'a> SendRequest<'a> {
    /// A plain request.
    #[must_use]
    pub fn new(tenant: &'a Tenant, channel: Channel, to: &'a Destination) -> Self {
        Self {
            tenant,
            channel,
            fallbacks: &[],
            to,
            purpose: Purpose::default(),
            binding: None,
            replaces: None,
            locale: None,
            form: None,
            ttl_seconds: None,
            custom_code: None,
            end_user_ip: None,
            known_device: false,
            delivery: DeliveryMode::Wait,
            decoy: false,
            app_hash: None,
            origin: None,
            idempotency_key: None,
        }
    }

    /// Every channel that may carry the code, in the order in which they are tried.
    pub fn channels(&self) -> impl Iterator<Item = Channel> + Clone + use<'a> {
        std::iter::once(self.channel).chain(self.fallbacks.iter().copied())
    }
}

/// Another message of a live session.
#[derive(Debug)]
#[non_exhaustive]
pub struct ResendRequest<'a> {
    /// Whose session it is.
    pub tenant: &'a Tenant,
    /// Which session.
    pub session_id: SessionId,
    /// The destination, in the session's own exact form.
    pub to: &'a Destination,
    /// Another channel, if wanted.
    pub channel: Option<Channel>,
    /// The session's purpose.
    pub purpose: Purpose,
    /// The session's binding.
    pub binding: Option<&'a [u8]>,
    /// The person's language.
    pub locale: Option<&'a str>,
    /// The address of the person who asked, for the limits per source.
    pub end_user_ip: Option<IpAddr>,
    /// When to answer.
    pub delivery: DeliveryMode,
    /// The Android app hash for the end of an SMS.
    pub app_hash: Option<&'a str>,
    /// The web origin to which an SMS code is bound.
    pub origin: Option<&'a str>,
}

impl<'a> ResendRequest<'a> {
    /// A plain request.
    #[must_use]
    pub fn new(tenant: &'a Tenant, session_id: SessionId, to: &'a Destination) -> Self {
        Self {
            tenant,
            session_id,
            to,
            channel: None,
            purpose: Purpose::default(),
            binding: None,
            locale: None,
            end_user_ip: None,
            delivery: DeliveryMode::Wait,
            app_hash: None,
            origin: None,
        }
    }
}

/// A guess to be judged.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct CheckRequest<'a> {
    /// Whose session it is.
    pub tenant: &'a Tenant,
    /// The session's id, as text. A text that is no id is an unknown session.
    pub session_id: &'a str,
    /// The code, as it was typed.
    pub code: &'a str,
    /// The purpose it must have been sent for; none stands for `verify`.
    pub purpose: Option<&'a Purpose>,
    /// The binding it must have been sent with.
    pub binding: Option<&'a [u8]>,
    /// Makes repetitions of this attempt within 60 s one: at most 255 bytes. None is told as
    /// right after the code's time. Draw it at random, like an idempotency key: for that minute
    /// after an approval, whoever has the session's id and guesses this one as well is told
    /// uncharged whether a code was the approved one.
    pub attempt_id: Option<&'a str>,
    /// The address of the person who typed it, for the limit per source.
    pub end_user_ip: Option<IpAddr>,
}

impl<'a> CheckRequest<'a> {
    /// A plain request.
    #[must_use]
    pub const fn new(tenant: &'a Tenant, session_id: &'a str, code: &'a str) -> Self {
        Self {
            tenant,
            session_id,
            code,
            purpose: None,
            binding: None,
            attempt_id: None,
            end_user_ip: None,
        }
    }
}

impl std::fmt::Debug for CheckRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckRequest")
            .field("tenant", self.tenant)
            .field("session_id", &self.session_id)
            .field("code", &"redacted")
            .finish_non_exhaustive()
    }
}

/// What is known of the message when a send is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SentDelivery {
    /// A provider took it.
    Accepted,
    /// It is on its way; see the session's status.
    Background,
    /// An earlier try of the same request was cut off: it may have left. The person
    /// may ask for a resend.
    Unknown,
}

impl SentDelivery {
    /// The stable name: `accepted`, `background` or `unknown`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Background => "background",
            Self::Unknown => "unknown",
        }
    }
}

/// The answer to a send or resend: what a user interface needs, and never the code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The session's id, for the check.
    pub session_id: SessionId,
    /// How the code travels: of several channels, the one that took it, or the first while
    /// that is not known.
    pub channel: Channel,
    /// Seconds for which the code is good.
    pub expires_in: u64,
    /// Form of the code.
    pub form: CodeForm,
    /// Seconds until a resend is taken; none when there is none left.
    pub resend_after: Option<u64>,
    /// Guesses left.
    pub attempts_remaining: u8,
    /// What is known of the message.
    pub delivery: SentDelivery,
}

/// A send that passed every limit.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what is not handled must not compile"
)]
#[must_use = "the message leaves when `Pending::deliver` is called"]
pub enum Opened {
    /// The session is stored and charged; now deliver its message.
    Pending(Box<Pending>),
    /// The same request was answered before; no message is to leave.
    Answered(Sent),
}
