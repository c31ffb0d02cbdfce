//! Delivery reports: what a provider says later about a message.

use crate::error::StoreError;
use crate::keys::Tag;
use crate::record::{Action, Effect, SessionView};
use crate::report::Report;
use crate::report_token::ReportToken;
use crate::verifier::{Verifier, unexpected};

impl Verifier {
    /// Notes what a provider reports of a message, and shows how its session now stands;
    /// none where the token is of no message or its session is gone.
    ///
    /// Whoever calls this has verified that the provider said so. Only the session's last
    /// message counts: a report of one before a resend, or by a channel that did not take
    /// it, changes nothing. A message that arrived stays so, whatever is reported later.
    ///
    /// # Errors
    /// [`StoreError`] when it may not have been noted; the same report may come again.
    pub async fn report(&self, report: &Report) -> Result<Option<SessionView>, StoreError> {
        let token = ReportToken::parse(&report.token);
        // What was never sealed by one of our keys needs no store to be refused.
        let Some((record, posted)) = token.and_then(|token| token.open(&self.0.keys)) else {
            return Ok(None);
        };
        let action = Action::Report(posted, report.outcome);
        match self.apply(record, Tag::default(), action).await? {
            Effect::Session(session) => Ok(session),
            _ => Err(unexpected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::at_once::now;
    use crate::{
        Channel, DeliveryOutcome, Destination, KeyRing, MemoryStore, Recorder, Report, SendRequest,
        SessionState, Tenant, Verifier,
    };

    #[test]
    fn a_report_ends_no_session_of_another_life_of_the_store() {
        let (store, inbox) = (Arc::new(MemoryStore::new()), Arc::new(Recorder::new()));
        let verifier = Verifier::builder(KeyRing::generate().unwrap(), store.clone())
            .deliverer(Channel::Sms, inbox.clone())
            .build()
            .unwrap();
        let tenant = Tenant::new("acme").unwrap();
        let to = Destination::parse_any("+4740000070").unwrap();
        let request = SendRequest::new(&tenant, Channel::Sms, &to);
        now(verifier.send(&request)).unwrap();
        let token = inbox.messages().pop().unwrap().report_token.unwrap();
        store.fence();
        let outcome = DeliveryOutcome::Undeliverable;
        let seen = now(verifier.report(&Report { token, outcome })).unwrap();
        assert_eq!(seen.unwrap().state, SessionState::Expired);
    }
}
