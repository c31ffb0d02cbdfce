//! A deliverer that keeps what it is given: for tests.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::deliver::{DeliverError, Deliverer, Message, Receipt};
use crate::destination::Channel;

/// Keeps every message that it is given, in clear, for a test to read.
#[derive(Default)]
pub struct Recorder {
    messages: Mutex<Vec<Recorded>>,
    failure: Mutex<Option<DeliverError>>,
}

/// A message as a person would have received it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// How it travelled.
    pub channel: Channel,
    /// The exact destination.
    pub destination: String,
    /// The code, in clear.
    pub code: String,
    /// The language asked for.
    pub locale: Option<String>,
    /// Seconds for which the code is good.
    pub expires_in: u64,
    /// What a provider would give back in its delivery reports.
    pub report_token: Option<String>,
    /// By which a provider would recognise a repetition.
    pub message_id: String,
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("messages", &self.len())
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// An empty recorder that takes every message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on fails with `failure`, or takes messages again.
    pub fn fail_with(&self, failure: Option<DeliverError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// All messages so far, the oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Recorded> {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The code of the newest message.
    #[must_use]
    pub fn last_code(&self) -> Option<String> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.last().map(|message| message.code.clone())
    }

    /// The code of the newest message to exactly this destination.
    #[must_use]
    pub fn last_code_to(&self, destination: &str) -> Option<String> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut newest_first = messages.iter().rev();
        let to = newest_first.find(|message| message.destination == destination);
        to.map(|message| message.code.clone())
    }

    /// How many messages so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl Deliverer for Recorder {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        if let Some(failure) = *self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(failure);
        }
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Recorded {
                channel: message.channel,
                destination: message.destination.exact().to_owned(),
                code: message.code.reveal().to_owned(),
                locale: message.locale.map(str::to_owned),
                expires_in: message.expires_in,
                report_token: message.report_token.map(str::to_owned),
                message_id: message.message_id.to_owned(),
            });
        Ok(Receipt::new("recorder"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_once::now;
    use crate::code::Code;
    use crate::deliver::Permanent;
    use crate::destination::Destination;

    fn hand_over(recorder: &Recorder, message: Message<'_>) -> Result<Receipt, DeliverError> {
        now(recorder.deliver(message))
    }

    #[test]
    fn messages_are_kept_in_order_and_as_they_were() {
        let recorder = Recorder::new();
        assert!(recorder.is_empty() && recorder.last_code().is_none());
        let to = Destination::parse(Channel::Email, "Some.User@Example.com").unwrap();
        for text in ["004200", "004201"] {
            let code = Code::from_custom(text).unwrap();
            let mut message = Message::new(&to, Channel::Email, &code);
            message.locale = Some("nb");
            message.expires_in = 42;
            assert_eq!(hand_over(&recorder, message), Ok(Receipt::new("recorder")));
        }
        let messages = recorder.messages();
        assert_eq!((messages.len(), recorder.len()), (2, 2));
        assert_eq!(format!("{recorder:?}"), "Recorder { messages: 2, .. }");
        assert_eq!(
            format!("{:?}", messages[0]),
            "Recorded { channel: Email, .. }"
        );
        assert_eq!(messages[0].code, "004200");
        assert_eq!(messages[1].destination, "Some.User@example.com");
        assert_eq!(
            (messages[1].locale.as_deref(), messages[1].expires_in),
            (Some("nb"), 42)
        );
        assert_eq!(recorder.last_code().as_deref(), Some("004201"));
    }

    #[test]
    fn the_newest_code_to_somebody_is_found() {
        let recorder = Recorder::new();
        for (to, text) in [
            ("a@b.co", "004200"),
            ("a@b.co", "004201"),
            ("c@b.co", "004202"),
        ] {
            let to = Destination::parse(Channel::Email, to).unwrap();
            let code = Code::from_custom(text).unwrap();
            hand_over(&recorder, Message::new(&to, Channel::Email, &code)).unwrap();
        }
        assert_eq!(recorder.last_code_to("a@b.co").as_deref(), Some("004201"));
        assert_eq!(recorder.last_code_to("d@b.co"), None);
    }

    #[test]
    fn a_failing_recorder_keeps_nothing_until_it_takes_messages_again() {
        let recorder = Recorder::new();
        let to = Destination::parse(Channel::Sms, "+4712345678").unwrap();
        let code = Code::from_custom("004200").unwrap();
        let failure = DeliverError::permanent(Permanent::Blocked);
        recorder.fail_with(Some(failure));
        assert_eq!(
            hand_over(&recorder, Message::new(&to, Channel::Sms, &code)),
            Err(failure)
        );
        assert!(recorder.is_empty());
        recorder.fail_with(None);
        assert!(hand_over(&recorder, Message::new(&to, Channel::Voice, &code)).is_ok());
        assert_eq!(recorder.messages()[0].channel, Channel::Voice);
    }

    #[test]
    fn a37_what_was_recorded_does_not_show_in_debug() {
        let recorder = Recorder::new();
        let to = Destination::parse(Channel::Sms, "+4712345678").unwrap();
        let code = Code::from_custom("918273").unwrap();
        hand_over(&recorder, Message::new(&to, Channel::Sms, &code)).unwrap();
        let text = format!("{recorder:?} {:?}", recorder.messages());
        assert!(!text.contains("918273") && !text.contains("345"), "{text}");
    }
}
