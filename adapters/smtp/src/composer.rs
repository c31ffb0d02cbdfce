//! The message on the wire: headers, and text and HTML parts.

use std::time::{Duration, SystemTime};

use countersign::{Clock, DeliverError, Message, Permanent, SystemClock};
use countersign_messages::Email;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message as Mime};
use zeroize::Zeroizing;

use crate::address::{address, is_one_line};
use crate::wire;

/// A message ready to be sent, with its one sender and its one recipient.
pub(crate) struct Composed {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

/// Puts the message together. It is refused rather than sent in a form that servers
/// could read in two ways.
pub(crate) fn compose(
    from: &Mailbox,
    message: &Message<'_>,
    email: Email,
) -> Result<Composed, DeliverError> {
    let refused = DeliverError::permanent(Permanent::Refused);
    let to = address(message.destination.exact())
        .ok_or(DeliverError::permanent(Permanent::InvalidDestination))?;
    if !is_one_line(&email.subject) {
        return Err(refused);
    }
    let mime = Mime::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(email.subject)
        .date(
            SystemTime::UNIX_EPOCH
                + Duration::from_millis(SystemClock::default().now().as_millis()),
        )
        .message_id(Some(message_id(message.message_id, from.email.domain())?))
        // RFC 3834: no holiday notice answers a code.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, email.text)?)
                .singlepart(part(ContentType::TEXT_HTML, email.html)?),
        )
        .map_err(|_| refused)?;
    let bytes = Zeroizing::new(mime.formatted());
    if !wire::is_unambiguous(&bytes) {
        return Err(refused);
    }
    Ok(Composed {
        from: from.email.clone(),
        to,
        bytes,
    })
}

/// Quoted-printable for mostly Latin text, base64 where it would treble the size. Never
/// 7bit or 8bit: encoded, no line of a text can be a dot, a header or too long.
fn part(kind: ContentType, text: String) -> Result<SinglePart, DeliverError> {
    let foreign = text.chars().filter(|c| !c.is_ascii()).count();
    let encoding = if foreign * 4 > text.chars().count() {
        ContentTransferEncoding::Base64
    } else {
        ContentTransferEncoding::QuotedPrintable
    };
    let body = Body::new_with_encoding(text, encoding)
        .map_err(|_| DeliverError::permanent(Permanent::Refused))?;
    Ok(SinglePart::builder().header(kind).body(body))
}

/// The send's own id, so that a message that was handed over twice is recognised as one;
/// random where there is none.
fn message_id(id: &str, domain: &str) -> Result<String, DeliverError> {
    let fits = (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if fits {
        return Ok(format!("<{id}@{domain}>"));
    }
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|_| DeliverError::transient())?;
    Ok(format!("<{:032x}@{domain}>", u128::from_be_bytes(random)))
}
