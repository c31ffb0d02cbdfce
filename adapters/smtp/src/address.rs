//! Addresses and names as they may stand in a header or an SMTP command.

use lettre::Address;
use lettre::message::Mailbox;

use crate::config::SmtpConfigError;

/// Longer names are cut by mail clients anyhow.
const MAX_NAME_CHARS: usize = 64;

/// An address of ASCII without anything that ends a command or a header. A local part
/// beyond ASCII would need SMTPUTF8 on every server on the way, so it is refused.
pub(crate) fn address(text: &str) -> Option<Address> {
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>()[],:;\\\"".contains(&b);
    if text.len() > 254 || !text.bytes().all(plain) {
        return None;
    }
    let (local, domain) = text.rsplit_once('@')?;
    if local.contains('@') {
        return None;
    }
    Address::new(local, domain).ok()
}

/// Reads the sender, `Name <address>` or a bare address.
pub(crate) fn sender(text: &str) -> Result<Mailbox, SmtpConfigError> {
    if !is_one_line(text) {
        return Err(SmtpConfigError::From);
    }
    let text = text.trim();
    let (name, bare) = match text
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((name, bare)) => (unquoted(name.trim()), bare),
        None => ("", text),
    };
    if name.chars().count() > MAX_NAME_CHARS || name.contains(['<', '>', '"', '\\']) {
        return Err(SmtpConfigError::From);
    }
    let address = address(bare).ok_or(SmtpConfigError::From)?;
    Ok(Mailbox::new(
        (!name.is_empty()).then(|| name.to_owned()),
        address,
    ))
}

/// Whether a text can be the value of a header: no control, no line break of any sort.
pub(crate) fn is_one_line(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

fn unquoted(name: &str) -> &str {
    name.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::{address, sender};

    #[test]
    fn senders_are_read() {
        let with_name = sender("Example, Inc. <no-reply@example.com>").unwrap();
        assert_eq!(with_name.name.as_deref(), Some("Example, Inc."));
        assert_eq!(with_name.email.as_ref() as &str, "no-reply@example.com");
        assert_eq!(
            sender("\"Ørsted\" <a@b.example>").unwrap().name.as_deref(),
            Some("Ørsted")
        );
        assert_eq!(sender("a@b.example").unwrap().name, None);
    }

    #[test]
    fn a39_a_sender_with_line_breaks_is_refused() {
        for text in [
            "Example\r\nBcc: <a@b.example>",
            "Example\nBcc: x <a@b.example>",
            "Exa\u{2028}mple <a@b.example>",
            "Example <a@b.example\r\n>",
            "Example <a@b.example>, <c@d.example>",
            "Example <a@b.example> <c@d.example>",
            "Example",
            "Example <>",
            "",
        ] {
            assert!(sender(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a39_an_address_that_could_end_a_command_is_none() {
        assert!(address("user+tag@example.com").is_some());
        for text in [
            "a@b.example\r\nBcc: c",
            "a@b.example>",
            "<a@b.example",
            "a b@c.example",
            "a@b.example,c@d.example",
            "\"a\r\nb\"@c.example",
            "\"a\"@c.example",
            "a@b.example SIZE=1",
            "a@[127.0.0.1]",
            "mıke@b.example",
            "a@b@c.example",
            "a@",
            "@b",
            "",
        ] {
            assert!(address(text).is_none(), "{text:?}");
        }
    }
}
