//! Resend: another message of a live session, with the attempts it had.

use crate::digest::{self, Context, hash_binding};
use crate::error::SendError;
use crate::keys::MasterKey;
use crate::policy::ResendPolicy;
use crate::record::{Action, Effect, Resend, SessionState, SessionView, Ticket};
use crate::session_id::Pointer;
use crate::verifier::options::validate_words;
use crate::verifier::pending::Parcel;
use crate::verifier::send::{answer, refused};
use crate::verifier::sources::{Sender, Sources};
use crate::verifier::{Pending, ResendRequest, Sent, Verifier, unexpected};

impl Verifier {
    /// Charges another message of a live session and delivers it.
    ///
    /// # Errors
    /// [`SendError`]; [`SendError::NotLive`] for an unknown or ended session and for
    /// another destination, purpose or binding than the session's own.
    pub async fn resend(&self, request: &ResendRequest<'_>) -> Result<Sent, SendError> {
        self.reopen(request).await?.deliver().await
    }

    /// Charges another message of a live session and leaves its delivery to the caller.
    ///
    /// # Errors
    /// As [`Verifier::resend`], and then nothing was charged.
    pub async fn reopen(&self, request: &ResendRequest<'_>) -> Result<Pending, SendError> {
        validate_words(request.locale, request.app_hash, request.origin)?;
        let record = self.destination_key(request.tenant, request.to);
        // The destination must lead to the record that the id names.
        let opened = request.session_id.open(&self.0.keys);
        let (key, at) = opened
            .filter(|(_, at)| at.record == record)
            .ok_or(SendError::NotLive)?;
        let seen = self.live_session(request, at).await?;
        let channel = request.channel.unwrap_or(seen.channel);
        let routes = vec![self.route(channel, request.to)?];
        let served = self.serve([channel], request.to)?;
        let (resend, code) = self.message_to_resend(request, &seen, key, at)?;
        let charged = self.send_sources(&Sender {
            tenant: request.tenant,
            ip: request.end_user_ip,
            served: served.as_ref(),
            decoy: seen.decoy,
        })?;
        let ticket = self.charge_resend(request, at, resend, &charged).await?;
        let sent = answer(ticket, request.session_id, request.delivery);
        let parcel = Parcel {
            record,
            nonce: at.nonce,
            tag: request.tenant.tag(),
            routes,
            number: ticket.number,
            to: request.to.clone(),
            code,
            decoy: seen.decoy,
            charged,
            tenant: request.tenant.name().to_owned(),
            purpose: request.purpose.name().to_owned(),
            locale: request.locale.map(str::to_owned),
            app_hash: request.app_hash.map(str::to_owned),
            origin: request.origin.map(str::to_owned),
        };
        Ok(Pending::new(self.clone(), parcel, sent, None))
    }

    async fn live_session(
        &self,
        request: &ResendRequest<'_>,
        at: Pointer,
    ) -> Result<SessionView, SendError> {
        match self
            .apply(at.record, request.tenant.tag(), Action::Look(at.nonce))
            .await?
        {
            Effect::Session(Some(seen)) if seen.state == SessionState::Live => Ok(seen),
            Effect::Session(_) => Err(SendError::NotLive),
            _ => Err(unexpected().into()),
        }
    }

    fn message_to_resend(
        &self,
        request: &ResendRequest<'_>,
        seen: &SessionView,
        key: &MasterKey,
        at: Pointer,
    ) -> Result<(Resend, crate::code::Code), SendError> {
        let policy = &self.0.policy;
        let channel = request.channel.unwrap_or(seen.channel);
        // A code of the caller's own cannot be derived, so it cannot be sent again.
        let resend = if seen.custom {
            ResendPolicy::Rotate
        } else {
            policy.resend
        };
        let binding = hash_binding(request.binding);
        let code = match self.fixed_code(request.to) {
            Some(code) => code,
            None => self.code(key, at, seen.form, resend)?,
        };
        let context = Context {
            tenant: request.tenant.tag(),
            purpose: request.purpose.tag(),
            binding,
        };
        let digest = digest::of_code(key, at, &context, code.packed());
        let resend = Resend {
            nonce: at.nonce,
            purpose: request.purpose.tag(),
            exact: self.0.keys.exact_tag(request.to.exact(), &binding),
            channel,
            digest: digest.or_of_nobody(seen.decoy),
            resend,
            ceiling_seconds: policy.ceiling_seconds(channel),
            cooldown_seconds: policy.resend_cooldown_seconds,
            max_sends: policy.max_sends,
            limits: policy.destination,
            device_limits: policy.known_device,
        };
        Ok((resend, code))
    }

    /// Peeks at the limits about others and at the session, then charges them in this
    /// order; none of them if one refuses.
    async fn charge_resend(
        &self,
        request: &ResendRequest<'_>,
        at: Pointer,
        resend: Resend,
        sources: &Sources,
    ) -> Result<Ticket, SendError> {
        let tag = request.tenant.tag();
        if let Some(refusal) = self.peek(sources).await? {
            return Err(refused(refusal));
        }
        let peek = Action::PeekResend(resend);
        match self.apply(at.record, tag, peek).await? {
            Effect::Done => {}
            Effect::Refused(refusal) => return Err(refused(refusal)),
            _ => return Err(unexpected().into()),
        }
        if let Some(refusal) = self.charge(sources).await? {
            return Err(refused(refusal));
        }
        let resend = Action::Resend(resend);
        match self.apply(at.record, tag, resend).await? {
            Effect::Granted(ticket) => Ok(ticket),
            Effect::Refused(refusal) => {
                self.refund(sources).await;
                Err(refused(refusal))
            }
            _ => Err(unexpected().into()),
        }
    }
}
