//! Whom an SMS comes from.

use countersign_provider::twilio::AccountConfigError;

/// Whom an SMS comes from: this stands on the person's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sender {
    /// One of the account's numbers as `+15550100`, its short code, or a name of up to 11
    /// letters, digits and spaces, where the person's country has such names.
    From(String),
    /// The SID (`MG…`) of a messaging service, which chooses.
    MessagingService(String),
}

impl Sender {
    pub(super) fn check(&self) -> Result<(), AccountConfigError> {
        match self {
            Self::From(text) if is_number(text) || is_name(text) => Ok(()),
            Self::From(_) => Err(AccountConfigError::From),
            Self::MessagingService(sid) if is_service(sid) => Ok(()),
            Self::MessagingService(_) => Err(AccountConfigError::MessagingService),
        }
    }

    /// The form field that names it.
    pub(super) fn field(&self) -> (&'static str, &str) {
        match self {
            Self::From(text) => ("From", text),
            Self::MessagingService(sid) => ("MessagingServiceSid", sid),
        }
    }
}

/// E.164, or a short code of 3 to 8 digits.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+');
    let lengths = if digits.is_some() { 7..=15 } else { 3..=8 };
    let digits = digits.unwrap_or(text);
    lengths.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b" +-_&".contains(&b);
    (1..=11).contains(&text.len())
        && text.bytes().all(allowed)
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.trim() == text
}

fn is_service(sid: &str) -> bool {
    sid.strip_prefix("MG")
        .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::Sender;
    use countersign_provider::twilio::AccountConfigError as E;

    #[test]
    fn a_sender_is_a_number_a_short_code_a_name_or_a_service() {
        for text in [
            "+15005550006",
            "12345",
            "Example",
            "My Bank",
            "A",
            "24-7 Shop",
        ] {
            assert_eq!(Sender::From(text.to_owned()).check(), Ok(()), "{text}");
        }
        for text in [
            "",
            "+",
            "+1500",
            "+1500555000612345",
            "12",
            "123456789",
            "Twelve chars",
            " Bank",
            "Bänk",
            "a\nb",
            "1 2",
        ] {
            assert_eq!(
                Sender::From(text.to_owned()).check(),
                Err(E::From),
                "{text}"
            );
        }
        let service = |sid: &str| Sender::MessagingService(sid.to_owned()).check();
        assert_eq!(service("MG0123456789abcdef0123456789abcdef"), Ok(()));
        for sid in ["", "MG1", "AC0123456789abcdef0123456789abcdef"] {
            assert_eq!(service(sid), Err(E::MessagingService), "{sid}");
        }
    }
}
