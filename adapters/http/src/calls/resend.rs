//! `resend`: another message of a live session.

use std::sync::Arc;

use countersign::{DeliveryMode, ResendRequest, SendError, SessionId};

use crate::answer::{SentAnswer, answer};
use crate::api::{Api, Reply};
use crate::ask::{self, Ask};
use crate::audit;
use crate::calls::send::{delivery, outcome};
use crate::metrics;
use crate::problem::Problem;

pub(crate) async fn resend(api: Arc<Api>, ask: Ask) -> Result<Reply, Problem> {
    let channel = ask.channel();
    let text = ask.values.text("to").unwrap_or_default();
    let to = ask::destination(&api.verifier, "to", text, channel)?;
    let session_id = ask.values.text("session_id").unwrap_or_default();
    // A text that is no id is the id of no live session.
    let session_id = session_id
        .parse::<SessionId>()
        .map_err(|_| SendError::NotLive)?;
    let mut request = ResendRequest::new(&ask.tenant, session_id, &to);
    if let Some(purpose) = ask.purpose() {
        request.purpose = purpose;
    }
    request.channel = channel;
    request.binding = ask.binding();
    request.locale = ask.values.text("locale");
    request.end_user_ip = ask.source();
    request.delivery = delivery(&ask);
    request.app_hash = ask.values.text("app_hash");
    request.origin = ask.values.text("origin");
    let background = request.delivery == DeliveryMode::Background;
    let sent = match api.verifier.reopen(&request).await {
        Ok(pending) => {
            audit::of_test_send(&ask.tenant, &to, &pending);
            api.deliver(pending, background).await?
        }
        Err(error) => {
            // Before the session is found its channel is not known unless it was named.
            if let Some(channel) = channel {
                metrics::sent(channel, outcome(&error));
            }
            return Err(error.into());
        }
    };
    let body = SentAnswer::new(&sent, None);
    Ok(Reply::new(sent.delivery.name(), answer(&body)))
}
