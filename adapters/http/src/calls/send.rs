//! `send` and `start`: one call in two spellings.

use std::sync::Arc;

use countersign::{
    Alphabet, Channel, Code, CodeForm, DeliveryMode, Destination, Opened, Pending, SendError,
    SendRequest, Sent, Stopwatch,
};

use crate::answer::{SentAnswer, answer};
use crate::api::{Api, Reply};
use crate::ask::{self, Ask};
use crate::audit;
use crate::metrics;
use crate::problem::Problem;

pub(crate) async fn send(api: Arc<Api>, ask: Ask) -> Result<Reply, Problem> {
    let channels = ask.channels();
    let (channel, fallbacks) = channels
        .split_first()
        .map(|(first, others)| (*first, others))
        .ok_or_else(|| Problem::invalid("channel", "a channel is needed"))?;
    let field = if ask.values.has("recipient") {
        "recipient"
    } else {
        "to"
    };
    let text = ask.values.text(field).unwrap_or_default();
    let to = ask::destination(&api.verifier, field, text, Some(channel))?;
    let mut request = request(&api, &ask, channel, &to)?;
    request.fallbacks = fallbacks;
    let background = request.delivery == DeliveryMode::Background;
    let sent = match api.verifier.open(&request).await {
        Ok(Opened::Answered(sent)) => {
            metrics::sent(channel, "repeated");
            Ok(sent)
        }
        Ok(Opened::Pending(pending)) => {
            audit::of_test_send(&ask.tenant, &to, &pending);
            api.deliver(*pending, background).await
        }
        Err(error) => {
            metrics::sent(channel, outcome(&error));
            Err(error)
        }
    };
    let sent = sent?;
    let body = SentAnswer::new(&sent, ask.values.text("client_reference"));
    Ok(Reply::new(sent.delivery.name(), answer(&body)))
}

impl Api {
    /// Delivers a stored message now, or leaves it to a task that a shutdown waits for.
    pub(crate) async fn deliver(
        &self,
        mut pending: Pending,
        background: bool,
    ) -> Result<Sent, SendError> {
        if !background {
            return deliver_now(pending).await;
        }
        pending.acknowledge().await;
        let sent = pending.sent().clone();
        self.tasks.spawn(async move {
            if let Err(error) = deliver_now(pending).await {
                tracing::warn!(%error, "a delivery in the background failed");
            }
        });
        Ok(sent)
    }
}

async fn deliver_now(pending: Pending) -> Result<Sent, SendError> {
    let asked = pending.sent().channel;
    let taken = if pending.is_test() { "test" } else { "sent" };
    let watch = Stopwatch::start();
    let delivered = pending.deliver().await;
    let channel = delivered.as_ref().map_or(asked, |sent| sent.channel);
    metrics::delivered(channel, watch.elapsed());
    if channel != asked {
        metrics::sent(asked, "passed_on");
    }
    metrics::sent(channel, delivered.as_ref().map_or_else(outcome, |_| taken));
    delivered
}

fn request<'a>(
    api: &Api,
    ask: &'a Ask,
    channel: Channel,
    to: &'a Destination,
) -> Result<SendRequest<'a>, Problem> {
    let values = &ask.values;
    let mut request = SendRequest::new(&ask.tenant, channel, to);
    if let Some(purpose) = ask.purpose() {
        request.purpose = purpose;
    }
    request.binding = ask.binding();
    request.replaces = values.text("replaces").and_then(|id| id.parse().ok());
    request.locale = values.text("locale");
    request.form = form(api, ask)?;
    request.ttl_seconds = values.number("ttl_seconds");
    request.custom_code = custom_code(ask)?;
    request.end_user_ip = ask.source();
    request.known_device = values.flag("known_device");
    request.delivery = delivery(ask);
    request.decoy = values.flag("decoy");
    request.app_hash = values.text("app_hash");
    request.origin = values.text("origin");
    request.idempotency_key = ask.idempotency_key.as_deref();
    Ok(request)
}

/// When to answer: at once, if the caller asks for it.
pub(crate) fn delivery(ask: &Ask) -> DeliveryMode {
    match ask.values.text("delivery") {
        Some("background") => DeliveryMode::Background,
        _ => DeliveryMode::Wait,
    }
}

/// The form that was asked for; what it leaves open is the policy's.
fn form(api: &Api, ask: &Ask) -> Result<Option<CodeForm>, Problem> {
    let length = ask.values.number::<u8>("code_length");
    let alphabet = ask.values.text("alphabet");
    if length.is_none() && alphabet.is_none() {
        return Ok(None);
    }
    let usual = api.verifier.policy().code;
    let alphabet = match alphabet {
        Some("alphanumeric") => Alphabet::Alphanumeric,
        Some(_) => Alphabet::Digits,
        None => usual.alphabet(),
    };
    let form = CodeForm::new(length.unwrap_or(usual.length()), alphabet);
    form.map(Some)
        .map_err(|error| Problem::invalid("code_length", error.to_string()))
}

fn custom_code(ask: &Ask) -> Result<Option<Code>, Problem> {
    let Some(text) = ask.values.text("custom_code") else {
        return Ok(None);
    };
    for beside in ["code_length", "alphabet"] {
        if ask.values.has(beside) {
            let detail = "a custom code has a form already";
            return Err(Problem::invalid(beside, detail));
        }
    }
    let refused = |error| Problem::from(SendError::CustomCode(error));
    Code::from_custom(text).map(Some).map_err(refused)
}

/// A refusal in a word, for the count of sends.
pub(crate) fn outcome(error: &SendError) -> &'static str {
    match error {
        SendError::Throttled { .. } => "throttled",
        SendError::Locked => "locked",
        SendError::Unserved(_) => "unserved",
        SendError::Delivery { .. } => "undelivered",
        SendError::Store(_) | SendError::Random(_) => "unavailable",
        _ => "refused",
    }
}
