//! Where a provider is: encrypted, or on this very machine.

use reqwest::Url;

use crate::client::ClientConfigError;

/// Reads a base URL. None of its errors repeats any of it.
pub(crate) fn parse(text: &str) -> Result<Url, ClientConfigError> {
    let url = Url::parse(text).map_err(|_| ClientConfigError::Url)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ClientConfigError::Login);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ClientConfigError::Trailing);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        "http" => Err(ClientConfigError::Plain),
        _ => Err(ClientConfigError::Url),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let parsed = address.parse::<std::net::IpAddr>();
    host == "localhost" || parsed.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::client::ClientConfigError as E;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for text in [
            "https://api.twilio.com",
            "https://192.0.2.1:8443/prefix",
            "http://127.0.0.1:4010",
            "http://127.9.9.9",
            "http://[::1]:4010/v1",
            "http://localhost:4010",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://api.twilio.com",
            "http://192.0.2.1",
            "http://10.0.0.1:80",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://[::2]",
            "http://0.0.0.0",
        ] {
            assert_eq!(parse(text), Err(E::Plain), "{text}");
        }
    }

    #[test]
    fn what_is_no_base_url_says_what_is_wrong() {
        for (text, expected) in [
            ("", E::Url),
            ("api.twilio.com", E::Url),
            ("ftp://127.0.0.1", E::Url),
            ("https://", E::Url),
            ("https://user@api.twilio.com", E::Login),
            ("https://:secret@api.twilio.com", E::Login),
            ("https://api.twilio.com?x=1", E::Trailing),
            ("https://api.twilio.com/#x", E::Trailing),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
            assert!(!expected.to_string().contains("secret"));
        }
    }
}
