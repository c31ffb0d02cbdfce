//! Reading a request's options strictly, before anything is stored or charged.

use std::sync::Arc;

use crate::code::CodeForm;
use crate::deliver::Deliverer;
use crate::destination::{Channel, Destination};
use crate::error::SendError;
use crate::keys::MasterKey;
use crate::record::RecordKey;
use crate::session_id::{Nonce, SessionId};
use crate::verifier::pending::Route;
use crate::verifier::sandbox::Nobody;
use crate::verifier::{DeliveryMode, SendRequest, Verifier};

const MAX_KEY: usize = 255;
const MAX_BINDING: usize = 1024;
pub(crate) const KEYS: &str = "has 1 to 255 visible ASCII characters";
pub(crate) const BINDINGS: &str = "has at most 1024 bytes";

pub(crate) fn is_binding(binding: Option<&[u8]>) -> bool {
    binding.is_none_or(|bytes| bytes.len() <= MAX_BINDING)
}

impl Verifier {
    /// Refuses options that make no sense, or no sense together.
    pub(crate) fn validate(request: &SendRequest<'_>) -> Result<(), SendError> {
        // In this order both cost the same to the instruction where a decoy may be sent.
        if request.delivery != DeliveryMode::Background && request.decoy {
            return Err(option(
                "decoy",
                "needs delivery: background, or its time gives it away",
            ));
        }
        if request.ttl_seconds == Some(0) {
            return Err(option("ttl_seconds", "a code is good for at least 1 s"));
        }
        if request.custom_code.is_some() && request.form.is_some() {
            return Err(option(
                "custom_code",
                "has its own length and alphabet: name no other",
            ));
        }
        if !is_binding(request.binding) {
            return Err(option("binding", BINDINGS));
        }
        if request.idempotency_key.is_some_and(|key| !is_key(key)) {
            return Err(option("idempotency_key", KEYS));
        }
        validate_words(request.locale, request.app_hash, request.origin)
    }

    /// Who delivers, channel by channel in the order asked for, if all of them can reach
    /// the destination at all.
    pub(crate) fn routes(&self, request: &SendRequest<'_>) -> Result<Vec<Route>, SendError> {
        let mut routes: Vec<Route> = Vec::new();
        for channel in request.channels() {
            if routes.iter().any(|route| route.channel == channel) {
                return Err(option("channel", "names each channel at most once"));
            }
            routes.push(self.route(channel, request.to)?);
        }
        Ok(routes)
    }

    /// Who delivers by `channel`, if it can reach `to` at all; nobody to a test destination.
    pub(crate) fn route(&self, channel: Channel, to: &Destination) -> Result<Route, SendError> {
        if !to.is_reached_by(channel) {
            return Err(SendError::WrongChannel(channel));
        }
        let configured = self.0.deliverers.get(&channel).cloned();
        let deliverer = if self.is_test_destination(to) {
            Some(Arc::new(Nobody) as Arc<dyn Deliverer>)
        } else {
            configured
        };
        let deliverer = deliverer.ok_or(SendError::NoDeliverer(channel))?;
        Ok(Route { channel, deliverer })
    }

    /// The longest life that every channel of the request allows, in seconds.
    pub(crate) fn strictest_ceiling(&self, request: &SendRequest<'_>) -> u32 {
        let policy = &self.0.policy;
        let ceilings = request.channels().map(|one| policy.ceiling_seconds(one));
        ceilings.fold(u32::MAX, u32::min)
    }

    /// The session that a new one replaces: it must be of the same record.
    pub(crate) fn replaced(
        &self,
        id: Option<SessionId>,
        record: RecordKey,
    ) -> Result<Option<Nonce>, SendError> {
        let Some(id) = id else { return Ok(None) };
        match id.open(&self.0.keys) {
            Some((_, at)) if at.record == record => Ok(Some(at.nonce)),
            _ => Err(option("replaces", "names no session of this destination")),
        }
    }

    /// The form of the code: the caller's own code's, the request's, the policy's.
    pub(crate) fn form(&self, request: &SendRequest<'_>) -> CodeForm {
        let custom = request.custom_code.as_ref().map(crate::code::Code::form);
        custom.or(request.form).unwrap_or(self.0.policy.code)
    }

    /// A session id's key and place, as text; none for what is no id of this ring.
    #[inline]
    pub(crate) fn unseal(&self, id: &str) -> Option<(&MasterKey, crate::session_id::Pointer)> {
        id.parse::<SessionId>().ok()?.open(&self.0.keys)
    }
}

/// Refuses words that would reach a message in a form that its place does not have.
pub(crate) fn validate_words(
    locale: Option<&str>,
    app_hash: Option<&str>,
    origin: Option<&str>,
) -> Result<(), SendError> {
    if locale.is_some_and(|tag| !is_language_tag(tag)) {
        return Err(option(
            "locale",
            "is a language tag such as en, nb or pt-BR",
        ));
    }
    if app_hash.is_some_and(|hash| !is_app_hash(hash)) {
        return Err(option("app_hash", "has 11 characters of A–Z a–z 0–9 + /"));
    }
    if origin.is_some_and(|origin| !is_domain(origin)) {
        return Err(option(
            "origin",
            "is a domain in lower-case ASCII such as example.com",
        ));
    }
    Ok(())
}

/// Whether a caller's key (of idempotency, of an attempt) can be kept and compared.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
}

fn is_language_tag(tag: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag.len() <= 35 && tag.split('-').all(part)
}

fn is_app_hash(hash: &str) -> bool {
    hash.len() == 11
        && hash
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b))
}

fn is_domain(origin: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    origin.len() <= 253 && origin.contains('.') && origin.split('.').all(label)
}

fn option(option: &'static str, problem: &'static str) -> SendError {
    SendError::Option { option, problem }
}
