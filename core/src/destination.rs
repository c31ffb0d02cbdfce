//! Destinations: strictly parsed, masked in every output, canonical for limits.

mod email;
mod phone;

use std::fmt;

use thiserror::Error;

pub use self::email::EmailAddress;
pub use self::phone::PhoneNumber;

/// How a code travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Channel {
    /// A text message.
    Sms,
    /// A phone call that speaks the code.
    Voice,
    /// An email.
    Email,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Sms, Self::Voice, Self::Email];

    /// The name in the API: `sms`, `voice` or `email`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Email => "email",
        }
    }

    /// A channel that reaches what is written so: with an `@` an address, else a number.
    pub(crate) fn of_text(text: &str) -> Self {
        if text.contains('@') {
            Self::Email
        } else {
            Self::Sms
        }
    }

    /// The channel of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// Why a text is not one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// Nothing was given.
    #[error("a destination is needed")]
    Empty,
    /// Longer than any destination.
    #[error("a destination has at most 254 bytes")]
    TooLong,
    /// More than one, or a form with a name or comment.
    #[error("exactly one bare destination is expected")]
    NotOne,
    /// Control characters, spaces or other characters that no destination has.
    #[error("the destination has a character that is not allowed")]
    Character,
    /// Not a phone number in E.164.
    #[error(
        "a phone number is written in E.164: `+`, the country code and at most 15 digits in all"
    )]
    NotE164,
    /// A phone number with the zero of its national form, where it is not dialled.
    #[error("leave out the 0 that the national form has after the country code")]
    TrunkZero,
    /// Not an email address.
    #[error("an email address is written local@domain")]
    NotEmail,
    /// An email address whose domain is not in ASCII.
    #[error("write the international domain in its ASCII form, which begins with xn--")]
    Idn,
}

/// One place to which a code can be sent.
///
/// Its `Debug` and [`Destination::masked`] show a small part only.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// Reached by SMS and voice.
    Phone(PhoneNumber),
    /// Reached by email.
    Email(EmailAddress),
}

impl Destination {
    /// Reads the destination of a channel: a phone number for SMS and voice, an email
    /// address for email.
    ///
    /// # Errors
    /// [`DestinationError`] for anything but exactly one well-formed destination.
    pub fn parse(channel: Channel, text: &str) -> Result<Self, DestinationError> {
        match channel {
            Channel::Sms | Channel::Voice => PhoneNumber::parse(text).map(Self::Phone),
            Channel::Email => EmailAddress::parse(text).map(Self::Email),
        }
    }

    /// Reads a destination of either sort: with an `@` an email address, else a number.
    ///
    /// # Errors
    /// [`DestinationError`] for anything but exactly one well-formed destination.
    pub fn parse_any(text: &str) -> Result<Self, DestinationError> {
        Self::parse(Channel::of_text(text), text)
    }

    /// The exact form to deliver to. Never log it.
    #[must_use]
    pub fn exact(&self) -> &str {
        match self {
            Self::Phone(number) => number.as_str(),
            Self::Email(address) => address.exact(),
        }
    }

    /// The form that limits count by: one for all spellings that reach one person.
    /// Never log it.
    #[must_use]
    pub fn canonical(&self) -> &str {
        match self {
            Self::Phone(number) => number.as_str(),
            Self::Email(address) => address.canonical(),
        }
    }

    /// Whether a channel can reach this destination.
    #[must_use]
    pub const fn is_reached_by(&self, channel: Channel) -> bool {
        match self {
            Self::Phone(_) => matches!(channel, Channel::Sms | Channel::Voice),
            Self::Email(_) => matches!(channel, Channel::Email),
        }
    }

    /// The destination for people and logs: enough to recognise one's own, too little
    /// to learn another's.
    ///
    /// ```
    /// use countersign::{Channel, Destination};
    /// let number = Destination::parse(Channel::Sms, "+4712345678")?;
    /// assert_eq!(number.masked(), "+47••••••78");
    /// let address = Destination::parse(Channel::Email, "user@example.com")?;
    /// assert_eq!(address.masked(), "u•••@e•••.com");
    /// # Ok::<(), countersign::DestinationError>(())
    /// ```
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(number) => number.masked(),
            Self::Email(address) => address.masked(),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a26_a_list_of_destinations_is_refused() {
        for text in [
            "victim@example.com,attacker@example.com",
            "victim@example.com;attacker@example.com",
            "<victim@example.com>,<attacker@example.com>",
            "victim@example.com attacker@example.com",
            "victim@example.com\nattacker@example.com",
            "[\"victim@example.com\",\"attacker@example.com\"]",
            "+4712345678,+4787654321",
            "+4712345678;+4787654321",
            "+4712345678 +4787654321",
            "+4712345678\n+4787654321",
            "+4712345678/79",
            "+4712345678, attacker@example.com",
        ] {
            for channel in Channel::ALL {
                assert!(Destination::parse(channel, text).is_err(), "{text:?}");
            }
            assert!(Destination::parse_any(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_channel_says_what_is_expected() {
        assert!(Destination::parse(Channel::Sms, "user@example.com").is_err());
        assert!(Destination::parse(Channel::Voice, "user@example.com").is_err());
        assert!(Destination::parse(Channel::Email, "+4712345678").is_err());
        for channel in Channel::ALL {
            assert_eq!(Channel::from_name(channel.name()), Some(channel));
            let text = if channel == Channel::Email {
                "user@example.com"
            } else {
                "+4712345678"
            };
            let parsed = Destination::parse(channel, text).unwrap();
            assert_eq!(parsed, Destination::parse_any(text).unwrap());
            assert!(parsed.is_reached_by(channel));
            assert_eq!(parsed.exact(), text);
            let reached = Channel::ALL
                .into_iter()
                .filter(|other| parsed.is_reached_by(*other));
            assert_eq!(
                reached.count(),
                if channel == Channel::Email { 1 } else { 2 }
            );
        }
        assert_eq!(Channel::from_name("SMS"), None);
    }

    #[test]
    fn a37_debug_shows_no_more_than_the_mask() {
        let number = Destination::parse_any("+4712345678").unwrap();
        assert_eq!(format!("{number:?}"), "Destination(+47••••••78)");
        let address = Destination::parse_any("some.user+tag@example.com").unwrap();
        assert_eq!(format!("{address:?}"), "Destination(s•••@e•••.com)");
        for text in [format!("{number:#?}"), format!("{address:#?}")] {
            assert!(!text.contains("3456") && !text.contains("user") && !text.contains("xample"));
        }
    }
}
