//! What a provider answered, and what its status alone says.

use std::fmt;
use std::time::Duration;

use countersign::{DeliverError, Permanent};
use serde::de::DeserializeOwned;

/// The pause when a provider asks for one and does not say how long.
const PAUSE: Duration = Duration::from_secs(5);

/// A provider's answer.
///
/// Its `Debug` leaves the body out, for providers often echo the code.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// HTTP's status code.
    pub status: u16,
    /// How long the provider asked to wait, at most an hour.
    pub retry_after: Option<Duration>,
    /// The body, or its beginning where it is longer than 64 KiB or was cut off.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the request was understood and taken (status 200 to 299).
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status / 100 == 2
    }

    /// The body as JSON of this shape; none if it is anything else.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The pause that a throttled caller makes: the one asked for, or 5 seconds.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.retry_after.unwrap_or(PAUSE)
    }

    /// What the status means for a message, where the provider says nothing finer.
    ///
    /// Of the server's errors only three say that nothing was done: 501 and 505, which
    /// refuse the request as such, and 503, which cannot take it now (RFC 9110, 15.6).
    /// After any other the message may be on its way, and the same document (9.2.2)
    /// forbids to repeat a `POST` unless it is known that the first was not applied. A
    /// redirect is not followed and nothing was done (15.4): somebody moved the service.
    #[must_use]
    pub fn failure(&self) -> DeliverError {
        match (self.status, self.retry_after) {
            (401 | 402 | 403 | 407, _) => DeliverError::permanent(Permanent::Unauthorised),
            (429, _) => DeliverError::throttled(self.pause()),
            (503, Some(pause)) => DeliverError::throttled(pause),
            (300..=399 | 408 | 421 | 425 | 501 | 503 | 505, _) => DeliverError::transient(),
            (400..=499, _) => DeliverError::permanent(Permanent::Refused),
            _ => DeliverError::transient().may_have_left(),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use countersign::Permanent::{Refused, Unauthorised};

    use super::{Answer, PAUSE};
    use std::time::Duration;

    fn answer(status: u16, retry_after: Option<Duration>) -> Answer {
        Answer {
            status,
            retry_after,
            body: b"918273".to_vec(),
        }
    }

    #[test]
    fn a_status_says_whose_fault_it_is() {
        for (status, reason) in [
            (400, Some(Refused)),
            (401, Some(Unauthorised)),
            (402, Some(Unauthorised)),
            (403, Some(Unauthorised)),
            (404, Some(Refused)),
            (407, Some(Unauthorised)),
            (408, None),
            (410, Some(Refused)),
            (421, None),
            (422, Some(Refused)),
            (425, None),
            (302, None),
            (308, None),
            (500, None),
            (503, None),
            (599, None),
            (999, None),
        ] {
            assert_eq!(answer(status, None).failure().reason(), reason, "{status}");
        }
    }

    #[test]
    fn only_a_server_that_erred_may_have_sent_the_message() {
        for status in 300..1000 {
            let left = answer(status, None).failure().left_possibly();
            let erred = status >= 500 && ![501, 503, 505].contains(&status);
            assert_eq!(left, erred, "{status}");
        }
    }

    #[test]
    fn a_pause_is_the_one_that_was_asked_for() {
        let pause = Some(Duration::from_secs(7));
        assert_eq!(answer(429, pause).failure().retry_after(), pause);
        assert_eq!(answer(503, pause).failure().retry_after(), pause);
        assert_eq!(answer(429, None).failure().retry_after(), Some(PAUSE));
        assert_eq!(answer(503, None).failure().retry_after(), None);
        assert_eq!(answer(500, pause).failure().retry_after(), None);
    }

    #[test]
    fn a70_a_body_does_not_show_in_debug_and_is_read_as_asked_or_not_at_all() {
        let answer = answer(400, None);
        assert!(!format!("{answer:?}").contains("918273"), "{answer:?}");
        assert!(!answer.is_success());
        assert_eq!(answer.json::<u32>(), Some(918_273));
        assert_eq!(answer.json::<String>(), None);
    }
}
