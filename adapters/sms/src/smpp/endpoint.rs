//! Where the message centre is: read from the URL.

use std::net::IpAddr;

use tokio_rustls::rustls::pki_types::ServerName;

use super::config::SmppConfigError;

/// A message centre, and the user to bind as.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
}

impl Endpoint {
    /// Reads a URL. None of its errors repeats any of it.
    pub(super) fn parse(url: &str) -> Result<Self, SmppConfigError> {
        let (scheme, rest) = url.split_once("://").ok_or(SmppConfigError::Scheme)?;
        let (tls, default_port) = match scheme {
            "smpps" => (true, 3550),
            "smpp" | "smpp+dangerous-plain" => (false, 2775),
            _ => return Err(SmppConfigError::Scheme),
        };
        let (user, address) = rest.rsplit_once('@').ok_or(SmppConfigError::User)?;
        if user.contains(':') {
            return Err(SmppConfigError::PasswordInUrl);
        }
        let address = address.strip_suffix('/').unwrap_or(address);
        if address.contains(['/', '?', '#']) {
            return Err(SmppConfigError::Trailing);
        }
        let (host, port) = host_and_port(address)?;
        if scheme == "smpp" && !is_this_machine(host) {
            return Err(SmppConfigError::Plain);
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: port.unwrap_or(default_port),
            user: decoded(user).ok_or(SmppConfigError::User)?,
        })
    }
}

fn host_and_port(address: &str) -> Result<(&str, Option<u16>), SmppConfigError> {
    let (host, port) = match address
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, "")) => (host, None),
        Some((host, after)) => (
            host,
            Some(after.strip_prefix(':').ok_or(SmppConfigError::Host)?),
        ),
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    if ServerName::try_from(host).is_err() {
        return Err(SmppConfigError::Host);
    }
    let port = port.map(|text| match text.parse::<u16>() {
        Ok(port) if port > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(port),
        _ => Err(SmppConfigError::Port),
    });
    Ok((host, port.transpose()?))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Undoes percent-encoding.
fn decoded(user: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(user.len());
    let mut rest = user.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let fits = (1..=15).contains(&bytes.len()) && bytes.iter().all(|b| (b' '..=b'~').contains(b));
    String::from_utf8(bytes).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::super::config::SmppConfigError as Refused;
    use super::Endpoint;

    #[test]
    fn urls_are_read() {
        for (url, tls, host, port, user) in [
            (
                "smpps://esme@smsc.example.com",
                true,
                "smsc.example.com",
                3550,
                "esme",
            ),
            ("smpp://esme@localhost", false, "localhost", 2775, "esme"),
            (
                "smpp://esme@127.0.0.1:2776/",
                false,
                "127.0.0.1",
                2776,
                "esme",
            ),
            ("smpp://e%40x%3a@[::1]:2776", false, "::1", 2776, "e@x:"),
            (
                "smpp+dangerous-plain://esme@10.0.0.7",
                false,
                "10.0.0.7",
                2775,
                "esme",
            ),
        ] {
            let (host, user) = (host.to_owned(), user.to_owned());
            let expected = Endpoint {
                tls,
                host,
                port,
                user,
            };
            assert_eq!(Endpoint::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn a_url_that_says_something_else_is_refused() {
        for (url, why) in [
            ("esme@smsc.example.com", Refused::Scheme),
            ("http://esme@smsc.example.com", Refused::Scheme),
            ("smpp://esme@smsc.example.com", Refused::Plain),
            ("smpp://esme@10.0.0.7:2775", Refused::Plain),
            ("smpp://esme@localhost.example.com", Refused::Plain),
            (
                "smpps://esme:secret@smsc.example.com",
                Refused::PasswordInUrl,
            ),
            ("smpps://smsc.example.com", Refused::User),
            ("smpps://@smsc.example.com", Refused::User),
            ("smpps://0123456789abcdef@smsc.example.com", Refused::User),
            ("smpps://%c3%b8@smsc.example.com", Refused::User),
            ("smpps://a%0@smsc.example.com", Refused::User),
            ("smpps://a%00b@smsc.example.com", Refused::User),
            ("smpps://esme@", Refused::Host),
            ("smpps://esme@a b", Refused::Host),
            ("smpps://esme@[::1", Refused::Host),
            ("smpps://esme@smsc.example.com:0", Refused::Port),
            ("smpps://esme@smsc.example.com:+1", Refused::Port),
            ("smpps://esme@smsc.example.com:65536", Refused::Port),
            ("smpps://esme@smsc.example.com/x", Refused::Trailing),
            ("smpps://esme@smsc.example.com?x", Refused::Trailing),
        ] {
            assert_eq!(Endpoint::parse(url), Err(why), "{url}");
        }
    }
}
