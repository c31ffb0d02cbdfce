//! Send: limits first, then the session, then the message.

use crate::code::Code;
use crate::digest::{self, Context, hash_binding};
use crate::error::{RandomUnavailable, SendError};
use crate::keys::MasterKey;
use crate::number_plan::Served;
use crate::policy::ResendPolicy;
use crate::record::{Action, Effect, Open, Refusal, Ticket};
use crate::session_id::{Nonce, Pointer, SessionId};
use crate::verifier::idempotent::Begun;
use crate::verifier::pending::{Parcel, Route};
use crate::verifier::sources::{Sender, Sources};
use crate::verifier::{
    DeliveryMode, Opened, Pending, SendRequest, Sent, SentDelivery, Verifier, unexpected,
};

/// What a session that was opened just now has for its message.
struct Fresh {
    code: Code,
    charged: Sources,
}

impl Verifier {
    /// Opens a session and delivers its code.
    ///
    /// # Errors
    /// [`SendError`]; only after [`SendError::Delivery`] is there a session.
    pub async fn send(&self, request: &SendRequest<'_>) -> Result<Sent, SendError> {
        match self.open(request).await? {
            Opened::Answered(sent) => Ok(sent),
            Opened::Pending(pending) => pending.deliver().await,
        }
    }

    /// Opens a session, stored and charged, and leaves its delivery to the caller.
    ///
    /// # Errors
    /// [`SendError`], and then there is no new session.
    pub async fn open(&self, request: &SendRequest<'_>) -> Result<Opened, SendError> {
        Self::validate(request)?;
        let routes = self.routes(request)?;
        let served = self.serve(request.channels(), request.to)?;
        let drawn = self.draw_nonce()?;
        let (nonce, held) = match self.begin(request, drawn).await? {
            Begun::Answered(answer) => return answer.map(Opened::Answered),
            Begun::Go(nonce, held) => (nonce, held),
        };
        match self.open_session(request, nonce, served.as_ref()).await {
            Ok((ticket, Some(fresh))) => {
                let place = self.place(request, nonce);
                let parcel = Self::parcel(request, place, routes, ticket.number, fresh);
                let sent = self.sent(ticket, place, request);
                Ok(Opened::Pending(Box::new(Pending::new(
                    self.clone(),
                    parcel,
                    sent,
                    held,
                ))))
            }
            Ok((ticket, None)) => {
                // An earlier try opened it and was cut off: its message may have left.
                let mut sent = self.sent(ticket, self.place(request, nonce), request);
                sent.delivery = SentDelivery::Unknown;
                let answer = Ok(sent);
                self.finish(held, &answer).await;
                answer.map(Opened::Answered)
            }
            Err(error) => {
                if !matches!(error, SendError::Store(_)) {
                    self.release(held).await?;
                }
                // Its idempotency key, however often it is refused.
                self.sweep_now_and_then(u64::from(held.is_some())).await;
                Err(error)
            }
        }
    }

    /// Peeks at every limit and refuses uncharged; then charges all of them, and opens
    /// the destination last. Nothing fresh: the session had been opened before.
    async fn open_session(
        &self,
        request: &SendRequest<'_>,
        nonce: Nonce,
        served: Option<&Served>,
    ) -> Result<(Ticket, Option<Fresh>), SendError> {
        let place = self.place(request, nonce);
        let record = place.record;
        let (mut open, code) = self.session_to_open(request, place)?;
        open.prefix = self.conversion_key(served);
        let sources = self.send_sources(&Sender {
            tenant: request.tenant,
            ip: request.end_user_ip,
            served,
            decoy: request.decoy,
        })?;
        if let Some(refusal) = self.peek(&sources).await? {
            return Err(refused(refusal));
        }
        let tag = request.tenant.tag();
        match self.apply(record, tag, Action::PeekOpen(open)).await? {
            Effect::Done => {}
            Effect::Existing(ticket) => return Ok((ticket, None)),
            Effect::Refused(refusal) => return Err(refused(refusal)),
            _ => return Err(unexpected().into()),
        }
        if let Some(refusal) = self.charge(&sources).await? {
            return Err(refused(refusal));
        }
        match self.apply(record, tag, Action::Open(open)).await? {
            Effect::Granted(ticket) => {
                let charged = sources;
                Ok((ticket, Some(Fresh { code, charged })))
            }
            Effect::Existing(ticket) => {
                self.refund(&sources).await;
                Ok((ticket, None))
            }
            Effect::Refused(refusal) => {
                self.refund(&sources).await;
                Err(refused(refusal))
            }
            _ => Err(unexpected().into()),
        }
    }

    fn session_to_open(
        &self,
        request: &SendRequest<'_>,
        place: Pointer,
    ) -> Result<(Open, Code), SendError> {
        let policy = &self.0.policy;
        let key = self.0.keys.newest();
        let binding = hash_binding(request.binding);
        let chosen = request.custom_code.as_ref().map(Code::duplicate);
        let code = match self.fixed_code(request.to).or(chosen) {
            Some(code) => code,
            None => self.code(key, place, self.form(request), policy.resend)?,
        };
        let context = Context {
            tenant: request.tenant.tag(),
            purpose: request.purpose.tag(),
            binding,
        };
        let digest = digest::of_code(key, place, &context, code.packed());
        let limits = if request.known_device {
            policy.known_device
        } else {
            policy.destination
        };
        let open = Open {
            nonce: place.nonce,
            key: key.id,
            purpose: request.purpose.tag(),
            exact: self.0.keys.exact_tag(request.to.exact(), &binding),
            channel: request.channel,
            form: code.form(),
            digest: digest.or_of_nobody(request.decoy),
            lifetime_seconds: request.ttl_seconds.unwrap_or(policy.lifetime_seconds),
            ceiling_seconds: self.strictest_ceiling(request),
            max_attempts: policy.max_attempts,
            max_sends: policy.max_sends,
            cooldown_seconds: policy.resend_cooldown_seconds,
            limits,
            known_device: request.known_device,
            decoy: request.decoy,
            custom: request.custom_code.is_some(),
            replaces: self.replaced(request.replaces, place.record)?,
            prefix: None,
        };
        Ok((open, code))
    }

    /// A code: drawn, or derived from key and session where the same one is sent again.
    pub(crate) fn code(
        &self,
        key: &MasterKey,
        place: Pointer,
        form: crate::code::CodeForm,
        resend: ResendPolicy,
    ) -> Result<Code, RandomUnavailable> {
        match resend {
            ResendPolicy::Reuse => Ok(Code::from_seed(form, &digest::reuse_seed(key, place))),
            _ => Code::draw_from(form, &*self.0.random),
        }
    }

    fn draw_nonce(&self) -> Result<Nonce, RandomUnavailable> {
        let mut nonce = [0; 6];
        self.0.random.fill(&mut nonce)?;
        Ok(Nonce(nonce))
    }

    pub(crate) fn place(&self, request: &SendRequest<'_>, nonce: Nonce) -> Pointer {
        Pointer {
            record: self.destination_key(request.tenant, request.to),
            nonce,
        }
    }

    fn parcel(
        request: &SendRequest<'_>,
        place: Pointer,
        routes: Vec<Route>,
        number: u8,
        fresh: Fresh,
    ) -> Parcel {
        Parcel {
            record: place.record,
            nonce: place.nonce,
            tag: request.tenant.tag(),
            routes,
            number,
            to: request.to.clone(),
            code: fresh.code,
            decoy: request.decoy,
            charged: fresh.charged,
            tenant: request.tenant.name().to_owned(),
            purpose: request.purpose.name().to_owned(),
            locale: request.locale.map(str::to_owned),
            app_hash: request.app_hash.map(str::to_owned),
            origin: request.origin.map(str::to_owned),
        }
    }

    /// An earlier try may have opened the session under another key, which since then is not
    /// the newest any more.
    fn sent(&self, ticket: Ticket, place: Pointer, request: &SendRequest<'_>) -> Sent {
        let keys = &self.0.keys;
        let key = keys.find(ticket.key).unwrap_or_else(|| keys.newest());
        let id = SessionId::seal(key, place);
        answer(ticket, id, request.delivery)
    }
}

/// What the caller is told of a message that is about to leave.
pub(crate) fn answer(ticket: Ticket, session_id: SessionId, mode: DeliveryMode) -> Sent {
    Sent {
        session_id,
        channel: ticket.channel,
        expires_in: ticket.expires_in,
        form: ticket.form,
        resend_after: ticket.resend_after,
        attempts_remaining: ticket.attempts_remaining,
        delivery: match mode {
            DeliveryMode::Wait => SentDelivery::Accepted,
            DeliveryMode::Background => SentDelivery::Background,
        },
    }
}

pub(crate) fn refused(refusal: Refusal) -> SendError {
    match refusal {
        Refusal::Throttled { limit, retry_after } => SendError::Throttled { limit, retry_after },
        Refusal::Locked => SendError::Locked,
        Refusal::NotLive => SendError::NotLive,
    }
}
