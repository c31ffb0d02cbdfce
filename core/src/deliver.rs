//! How a code leaves: the trait of a deliverer, and what it may answer.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::code::Code;
use crate::destination::{Channel, Destination};

/// One message to hand over: borrowed, so that it cannot outlive the call.
///
/// The only way to the code is [`Message::code`]; never log what it returns.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Message<'a> {
    /// Where the code goes, in the exact form that was given.
    pub destination: &'a Destination,
    /// How it travels.
    pub channel: Channel,
    /// The code. Its `Debug` is redacted; [`Code::reveal`] gives the text.
    pub code: &'a Code,
    /// The person's language as a BCP 47 tag, if the caller named one.
    pub locale: Option<&'a str>,
    /// Seconds for which the code is good from now.
    pub expires_in: u64,
    /// Whose message this is.
    pub tenant: &'a str,
    /// Why the code was asked for.
    pub purpose: &'a str,
    /// The Android app hash that the caller wants at the end of an SMS.
    pub app_hash: Option<&'a str>,
    /// The web origin (a domain) to which an SMS code is to be bound.
    pub origin: Option<&'a str>,
    /// The same for one send however often it is handed over: for providers that
    /// take an idempotency key. It says nothing about the destination or the code.
    pub message_id: &'a str,
    /// What a provider is to give back in its delivery reports ([`Report`](crate::Report)): plain
    /// characters of URLs, at most 64. It says nothing about the destination or the code.
    pub report_token: Option<&'a str>,
}

impl<'a> Message<'a> {
    /// A message with the given essentials, in no particular language.
    #[must_use]
    pub fn new(destination: &'a Destination, channel: Channel, code: &'a Code) -> Self {
        Self {
            destination,
            channel,
            code,
            locale: None,
            expires_in: 300,
            tenant: "",
            purpose: "verify",
            app_hash: None,
            origin: None,
            message_id: "",
            report_token: None,
        }
    }
}

/// What a provider said when it took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The deliverer's name, for instance `smtp`.
    pub provider: &'static str,
    /// The provider's own id of the message, if it gave one: at most 64 printable
    /// ASCII characters, none of them from the message itself.
    pub reference: Option<String>,
}

impl Receipt {
    /// A receipt of `provider` without a reference.
    #[must_use]
    pub const fn new(provider: &'static str) -> Self {
        Self {
            provider,
            reference: None,
        }
    }

    /// The same receipt with the provider's id. What is longer than 64 characters or
    /// not printable ASCII is left out.
    #[must_use]
    pub fn with_reference(mut self, reference: &str) -> Self {
        let fits = !reference.is_empty()
            && reference.len() <= 64
            && reference.bytes().all(|b| b.is_ascii_graphic());
        self.reference = fits.then(|| reference.to_owned());
        self
    }
}

/// Why a message was not taken for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Permanent {
    /// The provider says that there is no such destination.
    InvalidDestination,
    /// The provider refused this message.
    Refused,
    /// The provider refused us: credentials, account or sender.
    Unauthorised,
    /// The destination or its operator blocks such messages.
    Blocked,
}

/// Why a delivery failed: an answer to the caller's questions, and nothing of the
/// provider's own text, which often echoes the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverError {
    permanent: Option<Permanent>,
    retry_after: Option<Duration>,
    may_have_left: bool,
}

impl DeliverError {
    /// The provider could not be reached or asked for another try later.
    #[must_use]
    pub const fn transient() -> Self {
        Self {
            permanent: None,
            retry_after: None,
            may_have_left: false,
        }
    }

    /// The provider asked for a pause.
    #[must_use]
    pub const fn throttled(retry_after: Duration) -> Self {
        Self {
            permanent: None,
            retry_after: Some(retry_after),
            may_have_left: false,
        }
    }

    /// Another try of the same message would fail alike.
    #[must_use]
    pub const fn permanent(reason: Permanent) -> Self {
        Self {
            permanent: Some(reason),
            retry_after: None,
            may_have_left: false,
        }
    }

    /// The same failure, after which the message may have left all the same: the
    /// answer was lost after the message was handed over.
    #[must_use]
    pub const fn may_have_left(mut self) -> Self {
        self.may_have_left = true;
        self
    }

    /// Whether another try may succeed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.permanent.is_none()
    }

    /// Why it failed for good, if it did.
    #[must_use]
    pub const fn reason(&self) -> Option<Permanent> {
        self.permanent
    }

    /// How long the provider asked to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the message may have left in spite of the failure: then another
    /// deliverer must not be tried, or the person gets two.
    #[must_use]
    pub const fn left_possibly(&self) -> bool {
        self.may_have_left
    }

    /// Whether the reason is this deliverer's own: it is down or refuses. What is wrong with
    /// the destination itself is wrong everywhere.
    ///
    /// Alone it is no leave to try another: [`DeliverError::another_may_take_it`] is.
    #[must_use]
    pub const fn is_refused_here(&self) -> bool {
        matches!(
            self.permanent,
            None | Some(Permanent::Refused | Permanent::Unauthorised)
        )
    }

    /// Whether another deliverer or channel may be tried: the reason is this one's own, and
    /// nothing has left.
    #[must_use]
    pub const fn another_may_take_it(&self) -> bool {
        self.is_refused_here() && !self.may_have_left
    }
}

impl fmt::Display for DeliverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.permanent {
            None if self.retry_after.is_some() => "the provider asked for a pause",
            None if self.may_have_left => "the provider's answer was lost",
            None => "the provider could not take the message now",
            Some(Permanent::InvalidDestination) => "the provider knows no such destination",
            Some(Permanent::Refused) => "the provider refused the message",
            Some(Permanent::Unauthorised) => "the provider refused our credentials or sender",
            Some(Permanent::Blocked) => "the destination blocks such messages",
        })
    }
}

impl std::error::Error for DeliverError {}

/// Hands a message to a provider.
///
/// An implementation answers within its own time-out, follows no redirects, and
/// keeps nothing of the message. A wrong answer costs this: a success that was none
/// leaves a person without a code until they ask again; a failure that was none may
/// make them get two; a code in an error or a log breaks the promise of the whole
/// crate (invariant I7).
#[async_trait]
pub trait Deliverer: Send + Sync + fmt::Debug {
    /// Delivers one message, or says why not.
    ///
    /// # Errors
    /// A [`DeliverError`] that tells whether another try makes sense and whether the
    /// message may have left.
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_answers_the_callers_questions() {
        let pause = Duration::from_secs(7);
        assert!(DeliverError::transient().is_transient());
        assert!(DeliverError::throttled(pause).is_transient());
        assert_eq!(DeliverError::throttled(pause).retry_after(), Some(pause));
        assert_eq!(DeliverError::transient().retry_after(), None);
        for reason in [
            Permanent::InvalidDestination,
            Permanent::Refused,
            Permanent::Unauthorised,
            Permanent::Blocked,
        ] {
            let failure = DeliverError::permanent(reason);
            assert!(!failure.is_transient());
            assert_eq!(failure.reason(), Some(reason));
        }
    }

    #[test]
    fn a_failure_says_in_words_what_it_is() {
        let pause = DeliverError::throttled(Duration::from_secs(7));
        for (failure, words) in [
            (pause, "the provider asked for a pause"),
            (
                DeliverError::transient(),
                "the provider could not take the message now",
            ),
            (
                DeliverError::transient().may_have_left(),
                "the provider's answer was lost",
            ),
            (
                DeliverError::permanent(Permanent::Blocked),
                "the destination blocks such messages",
            ),
        ] {
            assert_eq!(failure.to_string(), words);
        }
    }

    #[test]
    fn another_may_take_what_was_refused_here_and_did_not_leave() {
        let taken_elsewhere = |failure: DeliverError| {
            let lost = failure.may_have_left();
            assert!(!lost.another_may_take_it());
            assert_eq!(lost.is_refused_here(), failure.is_refused_here());
            failure.another_may_take_it()
        };
        assert!(taken_elsewhere(DeliverError::transient()));
        assert!(taken_elsewhere(DeliverError::throttled(
            Duration::from_secs(7)
        )));
        for (reason, expected) in [
            (Permanent::Refused, true),
            (Permanent::Unauthorised, true),
            (Permanent::InvalidDestination, false),
            (Permanent::Blocked, false),
        ] {
            let failure = DeliverError::permanent(reason);
            assert_eq!(taken_elsewhere(failure), expected, "{reason:?}");
        }
    }

    #[test]
    fn what_may_have_left_is_said_beside_the_reason() {
        for failure in [
            DeliverError::transient(),
            DeliverError::permanent(Permanent::Refused),
        ] {
            assert!(!failure.left_possibly());
            assert!(failure.may_have_left().left_possibly());
            assert_eq!(
                failure.may_have_left().is_transient(),
                failure.is_transient()
            );
        }
    }

    #[test]
    fn a70_a_reference_that_is_no_short_plain_id_is_left_out() {
        let receipt = |text: &str| Receipt::new("smtp").with_reference(text).reference;
        let longest = "r".repeat(64);
        for text in ["250", "<id@host>", longest.as_str()] {
            assert_eq!(receipt(text).as_deref(), Some(text));
        }
        for text in ["", "a b", "a\r\nb", "é", "r\0", &"r".repeat(65)] {
            assert_eq!(receipt(text), None, "{text:?}");
        }
        let replaced = Receipt::new("smtp")
            .with_reference("1")
            .with_reference("not plain");
        assert_eq!(replaced.reference, None);
    }

    #[test]
    fn a37_a_message_does_not_show_its_code_or_destination_in_debug() {
        let destination = Destination::parse(Channel::Email, "some.user@example.com").unwrap();
        let code = Code::from_custom("918273").unwrap();
        let text = format!("{:?}", Message::new(&destination, Channel::Email, &code));
        assert!(
            !text.contains("918273") && !text.contains("some.user"),
            "{text}"
        );
        assert!(text.contains("s•••@e•••.com"), "{text}");
    }
}
