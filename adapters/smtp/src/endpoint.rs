//! Where the server is: read from the URL.

use crate::config::SmtpConfigError;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// Plain until STARTTLS, which is required.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None at all.
    DangerousPlain,
}

/// A server, and the user to log in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) security: Security,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
}

impl Endpoint {
    /// Reads a URL. None of its errors repeats any of it.
    pub(crate) fn parse(url: &str) -> Result<Self, SmtpConfigError> {
        let (scheme, rest) = url.split_once("://").ok_or(SmtpConfigError::Scheme)?;
        let (security, default_port) = match scheme {
            "smtp" => (Security::StartTls, 587),
            "smtps" => (Security::Tls, 465),
            "smtp+dangerous-plain" => (Security::DangerousPlain, 25),
            _ => return Err(SmtpConfigError::Scheme),
        };
        let (user, address) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(SmtpConfigError::PasswordInUrl),
            Some((user, address)) => (Some(decoded_user(user)?), address),
            None => (None, rest),
        };
        let address = address.strip_suffix('/').unwrap_or(address);
        if address.contains(['/', '?', '#']) {
            return Err(SmtpConfigError::Trailing);
        }
        let (host, port) = host_and_port(address)?;
        Ok(Self {
            security,
            host,
            port: port.unwrap_or(default_port),
            user,
        })
    }
}

fn host_and_port(address: &str) -> Result<(String, Option<u16>), SmtpConfigError> {
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(SmtpConfigError::Host)?;
        host.parse::<std::net::Ipv6Addr>()
            .map_err(|_| SmtpConfigError::Host)?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':').ok_or(SmtpConfigError::Host)?),
        };
        (host, port)
    } else {
        match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        }
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    let is_v6 = address.starts_with('[');
    if host.is_empty() || host.len() > 253 || !(is_v6 || host.bytes().all(allowed)) {
        return Err(SmtpConfigError::Host);
    }
    let port = match port {
        None => None,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if port > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Some(port),
            _ => return Err(SmtpConfigError::Port),
        },
    };
    Ok((host.to_owned(), port))
}

/// Undoes percent-encoding.
fn decoded_user(user: &str) -> Result<String, SmtpConfigError> {
    let mut bytes = Vec::with_capacity(user.len());
    let mut rest = user.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else {
                return Err(SmtpConfigError::User);
            };
            bytes.push(u8::try_from(high * 16 + low).map_err(|_| SmtpConfigError::User)?);
        } else {
            bytes.push(byte);
        }
    }
    let user = String::from_utf8(bytes).map_err(|_| SmtpConfigError::User)?;
    if user.is_empty() || user.chars().any(char::is_control) {
        return Err(SmtpConfigError::User);
    }
    Ok(user)
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Security};
    use crate::config::SmtpConfigError as E;

    fn parsed(url: &str) -> (Security, String, u16, Option<String>) {
        let endpoint = Endpoint::parse(url).unwrap();
        (
            endpoint.security,
            endpoint.host,
            endpoint.port,
            endpoint.user,
        )
    }

    #[test]
    fn urls_are_read() {
        let user = Some("user".to_owned());
        let host = "mail.example.com".to_owned();
        assert_eq!(
            parsed("smtp://user@mail.example.com"),
            (Security::StartTls, host.clone(), 587, user.clone())
        );
        assert_eq!(
            parsed("smtps://user@mail.example.com/"),
            (Security::Tls, host, 465, user)
        );
        assert_eq!(
            parsed("smtp+dangerous-plain://[::1]:2525"),
            (Security::DangerousPlain, "::1".to_owned(), 2525, None)
        );
        assert_eq!(
            parsed("smtp://a%40b.example@h:1").3.as_deref(),
            Some("a@b.example")
        );
        assert_eq!(
            parsed("smtp://a@b.example@h:1").3.as_deref(),
            Some("a@b.example")
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (url, error) in [
            ("mail.example.com", E::Scheme),
            ("http://h", E::Scheme),
            ("smtp+plain://h", E::Scheme),
            ("smtp://user:pass@h", E::PasswordInUrl),
            ("smtp://", E::Host),
            ("smtp://h h", E::Host),
            ("smtp://h\r\nQUIT", E::Host),
            ("smtp://[::1", E::Host),
            ("smtp://h:0", E::Port),
            ("smtp://h:+25", E::Port),
            ("smtp://h:65536", E::Port),
            ("smtp://h/path", E::Trailing),
            ("smtp://h?tls=none", E::Trailing),
            ("smtp://@h", E::User),
            ("smtp://a%0d%0aQUIT@h", E::User),
            ("smtp://a%zz@h", E::User),
        ] {
            assert_eq!(Endpoint::parse(url), Err(error), "{url:?}");
        }
    }
}
