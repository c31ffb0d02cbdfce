//! Email addresses: a strict part of RFC 5321.

use std::fmt;

use super::DestinationError;

/// An email address: one bare `local@domain` of at most 254 bytes (RFC 5321).
///
/// The local part is a dot-atom in ASCII of at most 64 bytes, the domain at least two
/// labels of letters, digits and hyphens. Refused, although some servers take them, are
/// quoted local parts, `%` and `!` (by which old servers relay elsewhere), address
/// literals, and everything beyond ASCII: a server that folds `ı` to `i` would hand one
/// person's code to another. An international domain is given in its `xn--` form.
///
/// ```
/// use countersign::EmailAddress;
/// let address = EmailAddress::parse("Some.User+news@GMail.com")?;
/// assert_eq!(address.exact(), "Some.User+news@gmail.com");
/// assert_eq!(address.canonical(), "someuser@gmail.com");
/// # Ok::<(), countersign::DestinationError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    exact: String,
    canonical: String,
}

const MAX_BYTES: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;

impl EmailAddress {
    /// Reads one email address.
    ///
    /// # Errors
    /// [`DestinationError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        if text.is_empty() {
            return Err(DestinationError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(DestinationError::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(DestinationError::Character);
        }
        if text.contains([',', ';', '<', '>', '(', ')']) {
            return Err(DestinationError::NotOne);
        }
        let (local, domain) = text.split_once('@').ok_or(DestinationError::NotEmail)?;
        if domain.contains('@') {
            return Err(DestinationError::NotOne);
        }
        check_local(local)?;
        check_domain(domain)?;
        let domain = domain.to_ascii_lowercase();
        Ok(Self {
            canonical: canonical(local, &domain),
            exact: format!("{local}@{domain}"),
        })
    }

    /// The address to deliver to: the local part byte for byte as it was given, for only
    /// its own server may say that two are the same; the domain in lower case. Never log
    /// it.
    #[must_use]
    pub fn exact(&self) -> &str {
        &self.exact
    }

    /// The address to count by: in lower case, and cut at the first `+`. For gmail.com,
    /// also known as googlemail.com, without dots. Nothing is delivered to it. Never log
    /// it.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The first characters of both parts and the top-level label. How many more there
    /// are is not told; a part of one character is hidden whole.
    pub(super) fn masked(&self) -> String {
        let (local, domain) = self.exact.split_once('@').unwrap_or_default();
        let (name, top) = domain.rsplit_once('.').unwrap_or_default();
        format!("{}•••@{}•••.{top}", initial(local), initial(name))
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

fn initial(text: &str) -> &str {
    if text.len() > 1 {
        text.get(..1).unwrap_or_default()
    } else {
        ""
    }
}

fn check_local(local: &str) -> Result<(), DestinationError> {
    if local.is_empty() || local.len() > MAX_LOCAL || local.split('.').any(str::is_empty) {
        return Err(DestinationError::NotEmail);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".#$&'*+-/=?^_`{|}~".contains(&byte);
    if local.bytes().all(allowed) {
        Ok(())
    } else {
        Err(DestinationError::Character)
    }
}

fn check_domain(domain: &str) -> Result<(), DestinationError> {
    if !domain.is_ascii() {
        return Err(DestinationError::Idn);
    }
    if domain
        .bytes()
        .any(|byte| !byte.is_ascii_alphanumeric() && byte != b'-' && byte != b'.')
    {
        return Err(DestinationError::Character);
    }
    let is_label = |label: &str| {
        let length = 1..=MAX_LABEL;
        length.contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    // A top-level label of digits would be an IP address.
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    let named = top.is_some_and(|top| top.bytes().any(|byte| byte.is_ascii_alphabetic()));
    if named && domain.split('.').all(is_label) {
        Ok(())
    } else {
        Err(DestinationError::NotEmail)
    }
}

fn canonical(local: &str, domain: &str) -> String {
    let local = local.to_ascii_lowercase();
    let name = match local.split_once('+') {
        Some((name, _)) if !name.is_empty() => name,
        _ => &local,
    };
    if domain == "gmail.com" || domain == "googlemail.com" {
        return format!("{}@gmail.com", name.replace('.', ""));
    }
    format!("{name}@{domain}")
}

#[cfg(test)]
mod tests {
    use super::DestinationError::{Character, Empty, Idn, NotEmail, NotOne, TooLong};
    use super::*;

    fn refused(text: &str) -> Option<DestinationError> {
        EmailAddress::parse(text).err()
    }

    fn counted(text: &str) -> String {
        EmailAddress::parse(text).unwrap().canonical().to_owned()
    }

    #[test]
    fn a26_more_than_one_bare_address_is_refused() {
        for text in [
            "a@example.com,b@example.com",
            "a@example.com;b@example.com",
            "<a@example.com>",
            "<a@example.com>,<b@example.com>",
            "User<a@example.com>",
            "a@example.com(comment)",
            "(comment)a@example.com",
            "a@b@example.com",
            "a@example.com@evil.com",
            "a,b@example.com",
        ] {
            assert_eq!(refused(text), Some(NotOne), "{text:?}");
        }
        for text in [
            "\"a\"@example.com",
            "[\"a@example.com\"]",
            "{\"to\":\"a@example.com\"}",
        ] {
            assert_eq!(refused(text), Some(Character), "{text:?}");
        }
    }

    #[test]
    fn a39_no_header_can_be_slipped_in() {
        for inserted in [
            "\r",
            "\n",
            "\r\n",
            "\r\nBcc: evil@example.com",
            "\u{2028}",
            "\u{2029}",
            "\u{85}",
            "\u{81}",
            "\0",
            "\t",
            " ",
            "\u{a0}",
            "\u{b}",
            "\u{7f}",
            "\u{3000}",
        ] {
            for text in [
                format!("{inserted}user@example.com"),
                format!("us{inserted}er@example.com"),
                format!("user{inserted}@example.com"),
                format!("user@exa{inserted}mple.com"),
                format!("user@example.com{inserted}"),
            ] {
                assert_eq!(refused(&text), Some(Character), "{text:?}");
            }
        }
        for text in [
            "user%0d%0aBcc:evil@example.com",
            "user%0a@example.com",
            "user@example.com%0d%0a",
            "user%evil.com@example.com",
            "evil.com!user@example.com",
            "\"user\"@example.com",
            "\"\\r\\nBcc:\"@example.com",
            "mailto:user@example.com",
            "us\\er@example.com",
            "=?utf-8?q?=0d=0a?=:@example.com",
            "user@[127.0.0.1]",
            "user@[IPv6:::1]",
            "user@exa_mple.com",
            "user@example.com:25",
            "user@example.com/..",
        ] {
            assert_eq!(refused(text), Some(Character), "{text:?}");
        }
    }

    #[test]
    fn a42_the_code_goes_to_the_bytes_that_were_given() {
        for text in [
            "mıke@example.com",
            "\u{212a}ate@example.com",
            "straße@example.com",
            "用户@example.com",
        ] {
            assert_eq!(refused(text), Some(Character), "{text}");
        }
        for text in [
            "mike@example.com\u{307}",
            "mike@exampIe.cоm",
            "mike@gıthub.com",
            "mike@GİTHUB.com",
            "mike@münchen.example",
            "mike@example。com",
            "mike@ｅxample.com",
            "mike@straße.de",
        ] {
            assert_eq!(refused(text), Some(Idn), "{text}");
        }
        for (text, exact) in [
            ("MiKe@example.com", "MiKe@example.com"),
            ("Mike.O'Hara+Tag@EXAMPLE.Com", "Mike.O'Hara+Tag@example.com"),
            ("mike@XN--MNCHEN-3YA.example", "mike@xn--mnchen-3ya.example"),
            ("F.O.O+x@GMAIL.com", "F.O.O+x@gmail.com"),
            ("user@GoogleMail.com", "user@googlemail.com"),
            ("k@example.com", "k@example.com"),
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().exact(), exact);
        }
    }

    #[test]
    fn a43_all_spellings_of_one_mailbox_have_one_budget() {
        for text in [
            "user@example.com",
            "USER@example.com",
            "uSeR@EXAMPLE.COM",
            "user+a@example.com",
            "user+b+c@example.com",
            "User+@Example.com",
            "user+.x@example.com",
        ] {
            assert_eq!(counted(text), "user@example.com", "{text}");
        }
        for text in [
            "someuser@gmail.com",
            "some.user@gmail.com",
            "s.o.m.e.u.s.e.r@gmail.com",
            "Some.User+news@GMAIL.com",
            "some.user@googlemail.com",
            "someuser.+x@gmail.com",
        ] {
            assert_eq!(counted(text), "someuser@gmail.com", "{text}");
        }
        // Dots matter elsewhere, and another domain is another person.
        for text in [
            "some.user@example.com",
            "some.user@gmail.com.example",
            "some.user@mail.gmail.com",
        ] {
            assert_eq!(counted(text), text);
        }
        for (text, error) in [
            ("\"user\"@example.com", Character),
            ("user@example.com.", NotEmail),
            ("user@bücher.example", Idn),
        ] {
            assert_eq!(refused(text), Some(error), "{text}");
        }
        assert_eq!(
            counted("user@XN--BCHER-KVA.example"),
            "user@xn--bcher-kva.example"
        );
        // A tag without a name is a name, or all of these would share a budget.
        assert_eq!(counted("+tag@example.com"), "+tag@example.com");
        assert_eq!(counted("+a.b@gmail.com"), "+ab@gmail.com");
    }

    #[test]
    fn malformed_addresses_are_refused() {
        let label = "a".repeat(64);
        for (text, error) in [
            ("", Empty),
            ("@", NotEmail),
            ("user", NotEmail),
            ("user@", NotEmail),
            ("@example.com", NotEmail),
            (".user@example.com", NotEmail),
            ("user.@example.com", NotEmail),
            ("us..er@example.com", NotEmail),
            ("user@localhost", NotEmail),
            ("user@127.0.0.1", NotEmail),
            ("user@1.2", NotEmail),
            ("user@.com", NotEmail),
            ("user@example..com", NotEmail),
            ("user@-a.com", NotEmail),
            ("user@a-.com", NotEmail),
            ("user@example.-", NotEmail),
            ("user@com.", NotEmail),
            (&format!("{label}a@example.com"), NotEmail),
            (&format!("user@{label}.com"), NotEmail),
            (&format!("{}.com", label.repeat(4)), TooLong),
        ] {
            assert_eq!(refused(text), Some(error), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_taken_to_their_limits() {
        let local = "l".repeat(64);
        let label = "d".repeat(63);
        assert_eq!(refused(&format!("{local}@example.com")), None);
        assert_eq!(refused(&format!("user@{label}.com")), None);
        let rest = "e".repeat(254 - 64 - 1 - 64 - 64 - 4);
        let longest = format!("{local}@{label}.{label}.{rest}.com");
        assert_eq!(longest.len(), 254);
        assert_eq!(refused(&longest), None);
        assert_eq!(refused(&longest.replace(".com", ".come")), Some(TooLong));
    }

    #[test]
    fn masks_never_show_a_part_whole() {
        for (text, masked) in [
            ("user@example.com", "u•••@e•••.com"),
            ("ab@cd.no", "a•••@c•••.no"),
            ("a@b.no", "•••@•••.no"),
            ("User+tag@mail.example.co.uk", "U•••@m•••.uk"),
        ] {
            let address = EmailAddress::parse(text).unwrap();
            assert_eq!(address.masked(), masked);
            assert_eq!(format!("{address:?}"), format!("EmailAddress({masked})"));
        }
    }
}
