//! What went wrong in the conversation with the server, and what that means.

use std::error::Error as _;

use countersign::{DeliverError, Permanent};
use lettre::transport::smtp::Error;

/// The point of the conversation: the same reply code means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// TCP, the greeting and EHLO.
    Connect,
    /// TLS.
    Tls,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA and the text, up to its last byte.
    Data,
    /// The answer to the text.
    Answer,
}

/// Why the conversation ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server does not offer STARTTLS, or somebody took the offer out.
    NoStartTls,
    /// The server offers neither AUTH PLAIN nor AUTH LOGIN.
    NoLogin,
    /// The server's reply. Of its text only the enhanced status is kept (RFC 3463).
    Reply {
        stage: Stage,
        code: u16,
        enhanced: Option<(u16, u16)>,
    },
    /// The connection failed, or the server said something that is not SMTP.
    Lost { stage: Stage },
}

impl Failure {
    /// Takes what the client says apart, and drops the server's words.
    pub(crate) fn at(stage: Stage, error: &Error) -> Self {
        match error.status() {
            Some(code) => Self::Reply {
                stage,
                code: code.into(),
                enhanced: error.source().and_then(|text| enhanced(&text.to_string())),
            },
            None if stage == Stage::Connect && is_tls(error) => Self::Lost { stage: Stage::Tls },
            None => Self::Lost { stage },
        }
    }

    /// A reply that is neither the one expected nor an error.
    pub(crate) const fn unexpected(stage: Stage) -> Self {
        Self::Lost { stage }
    }

    /// Whether the server answered and keeps the connection: it can be used again.
    pub(crate) const fn leaves_connection(&self) -> bool {
        matches!(self, Self::Reply { code, stage: Stage::Sender | Stage::Recipient | Stage::Answer, .. }
            if *code != 421)
    }

    /// The same for whoever asked for the delivery. TLS trouble is transient: it is
    /// cured by the operator or by the end of an attack, and nothing has left.
    pub(crate) fn for_caller(&self) -> DeliverError {
        match *self {
            Self::NoLogin => DeliverError::permanent(Permanent::Unauthorised),
            Self::Lost {
                stage: Stage::Answer,
            } => DeliverError::transient().may_have_left(),
            Self::Lost { .. } | Self::NoStartTls => DeliverError::transient(),
            Self::Reply {
                stage,
                code,
                enhanced,
            } => match reason(stage, code, enhanced) {
                Some(reason) => DeliverError::permanent(reason),
                None => DeliverError::transient(),
            },
        }
    }
}

/// Why a reply is for good, or none when it is not (RFC 5321, 4.2.1).
fn reason(stage: Stage, code: u16, enhanced: Option<(u16, u16)>) -> Option<Permanent> {
    if !(500..600).contains(&code) {
        return None;
    }
    Some(match (stage, code, enhanced) {
        // Whatever is said before the recipient is named concerns us.
        (Stage::Connect | Stage::Tls | Stage::Login | Stage::Sender, ..)
        | (_, 530 | 534 | 535 | 538, _) => Permanent::Unauthorised,
        // X.7.Z: a policy forbids it.
        (_, 550..=599, Some((7, _))) | (_, 571, _) => Permanent::Blocked,
        // X.1.Z: something is wrong with the address. X.2.1: the mailbox is closed.
        (Stage::Recipient, _, Some((1, _) | (2, 1))) | (Stage::Recipient, 550 | 551 | 553, _) => {
            Permanent::InvalidDestination
        }
        (_, 554, _) => Permanent::Blocked,
        _ => Permanent::Refused,
    })
}

/// Subject and detail of the enhanced status at the beginning of a reply.
fn enhanced(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().next()?.split('.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    if !matches!(class, "4" | "5") || numbers.next().is_some() {
        return None;
    }
    Some((subject.parse().ok()?, detail.parse().ok()?))
}

/// The TLS library reports what it does not accept as invalid data.
fn is_tls(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::InvalidData
        {
            return true;
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};

    use super::{Failure, Stage, enhanced, reason};

    #[test]
    fn replies_mean_what_their_stage_says() {
        for (stage, code, status, expected) in [
            (Stage::Recipient, 450, None, None),
            (Stage::Recipient, 451, Some((7, 1)), None),
            (Stage::Recipient, 452, None, None),
            (Stage::Connect, 421, None, None),
            (Stage::Login, 454, None, None),
            (Stage::Recipient, 550, None, Some(InvalidDestination)),
            (Stage::Recipient, 551, None, Some(InvalidDestination)),
            (Stage::Recipient, 553, None, Some(InvalidDestination)),
            (
                Stage::Recipient,
                550,
                Some((1, 1)),
                Some(InvalidDestination),
            ),
            (
                Stage::Recipient,
                554,
                Some((1, 2)),
                Some(InvalidDestination),
            ),
            (Stage::Recipient, 550, Some((7, 1)), Some(Blocked)),
            (Stage::Recipient, 552, Some((2, 2)), Some(Refused)),
            (Stage::Recipient, 530, Some((7, 0)), Some(Unauthorised)),
            (Stage::Sender, 550, None, Some(Unauthorised)),
            (Stage::Sender, 530, None, Some(Unauthorised)),
            (Stage::Login, 535, Some((7, 8)), Some(Unauthorised)),
            (Stage::Login, 534, None, Some(Unauthorised)),
            (Stage::Login, 538, None, Some(Unauthorised)),
            (Stage::Connect, 554, None, Some(Unauthorised)),
            (Stage::Answer, 550, None, Some(Refused)),
            (Stage::Answer, 552, None, Some(Refused)),
            (Stage::Answer, 554, None, Some(Blocked)),
            (Stage::Answer, 571, None, Some(Blocked)),
        ] {
            assert_eq!(
                reason(stage, code, status),
                expected,
                "{stage:?} {code} {status:?}"
            );
        }
    }

    #[test]
    fn only_a_lost_answer_may_have_left() {
        for stage in [
            Stage::Connect,
            Stage::Tls,
            Stage::Login,
            Stage::Sender,
            Stage::Recipient,
            Stage::Data,
        ] {
            let error = Failure::Lost { stage }.for_caller();
            assert!(error.is_transient() && !error.left_possibly(), "{stage:?}");
        }
        let error = Failure::Lost {
            stage: Stage::Answer,
        }
        .for_caller();
        assert!(error.is_transient() && error.left_possibly());
        let refused = Failure::Reply {
            stage: Stage::Answer,
            code: 550,
            enhanced: None,
        }
        .for_caller();
        assert!(!refused.left_possibly());
    }

    #[test]
    fn only_an_enhanced_status_is_read_from_a_reply() {
        assert_eq!(enhanced("5.1.1 user unknown"), Some((1, 1)));
        assert_eq!(enhanced("4.7.26"), Some((7, 26)));
        for text in [
            "",
            "user",
            "5.1 x",
            "5.1.1.1 x",
            "2.1.1",
            "5.1.x",
            "127.0.0.1 is listed",
        ] {
            assert_eq!(enhanced(text), None, "{text:?}");
        }
    }
}
