//! Twilio's signature: HMAC-SHA1, by the account's auth token, over the address and the
//! sorted form fields (`www.twilio.com/docs/usage/security`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::Callback;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, verify};

use super::form::Fields;
use crate::credential::Credential;

/// What signs callbacks of one auth token.
pub(super) fn key(auth_token: &Credential) -> Key {
    Key::new(
        HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        auth_token.reveal().as_bytes(),
    )
}

/// Whether one of the keys signed the callback, whose body holds `fields`. The comparison
/// takes the same time whatever the signature is.
pub(super) fn is_valid(keys: &[Key], callback: &Callback<'_>, fields: &Fields) -> bool {
    let given = callback.header("x-twilio-signature").unwrap_or_default();
    let Ok(given) = STANDARD.decode(given) else {
        return false;
    };
    let content = content(fields);
    let signed = |key: &Key, url: &str| {
        let text = format!("{url}{content}");
        verify(key, text.as_bytes(), &given).is_ok()
    };
    let urls = spellings(callback.url);
    keys.iter()
        .any(|key| urls.iter().any(|url| signed(key, url)))
}

/// Names and values in the order of the names. Of a field that is there twice with the same
/// value Twilio signs one.
fn content(fields: &Fields) -> String {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    let parts = sorted.iter().flat_map(|(name, value)| [name, value]);
    parts.map(String::as_str).collect()
}

/// The address as it is, without its port, and with its scheme's own port: Twilio does not
/// always sign the one that it was given.
fn spellings(url: &str) -> Vec<String> {
    let mut spellings = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return spellings;
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let port = if scheme == "https" { 443 } else { 80 };
    match authority.rsplit_once(':') {
        // The colons of an address of IPv6 are not followed by a port.
        Some((host, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            spellings.push(format!("{scheme}://{host}{after}"));
        }
        _ => spellings.push(format!("{scheme}://{authority}:{port}{after}")),
    }
    spellings
}

#[cfg(test)]
mod tests {
    use countersign::Callback;

    use super::{is_valid, key, spellings};
    use crate::credential::Credential;
    use crate::twilio::form;

    /// The example of Twilio's documentation.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const BODY: &[u8] = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234\
        &From=%2B14158675309&To=%2B18005551212";
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    fn signed(token: &str, url: &str, body: &[u8], signature: &str) -> bool {
        let headers = [("x-twilio-signature", signature)];
        let callback = Callback {
            url,
            headers: &headers,
            body,
        };
        let keys = [key(&Credential::new("other")), key(&Credential::new(token))];
        is_valid(&keys, &callback, &form::read(body))
    }

    #[test]
    fn a70_the_published_example_is_taken_and_any_change_refused() {
        assert!(signed("12345", URL, BODY, SIGNATURE));
        let other_url = URL.replace("bar=2", "bar=3");
        let more = [BODY, b"&x="].concat();
        for (token, url, body, signature) in [
            ("1234", URL, BODY, SIGNATURE),
            ("12345", other_url.as_str(), BODY, SIGNATURE),
            ("12345", URL, more.as_slice(), SIGNATURE),
            ("12345", URL, &BODY[1..], SIGNATURE),
            ("12345", URL, b"", SIGNATURE),
            ("12345", URL, BODY, ""),
            ("12345", URL, BODY, "RSOYDt4T1cUTdK1PDd93/VVr8B8"),
            ("12345", URL, BODY, "RSOYDt4T1cUTdK1PDd93/VVr8B9="),
            ("12345", URL, BODY, "RSOYDt4T1cUTdK1PDd93/VVr"),
            ("12345", URL, BODY, "?"),
        ] {
            assert!(!signed(token, url, body, signature), "{url} {signature}");
        }
    }

    #[test]
    fn fields_are_signed_in_the_order_of_their_names() {
        let turned: Vec<&[u8]> = BODY.rsplit(|b| *b == b'&').collect();
        assert!(signed("12345", URL, &turned.join(&b'&'), SIGNATURE));
    }

    #[test]
    fn an_address_has_a_spelling_with_and_without_its_port() {
        for (url, other) in [
            ("https://a.com/p?q=1", "https://a.com:443/p?q=1"),
            ("http://a.com", "http://a.com:80"),
            (
                "https://a.com?q=http://b:1",
                "https://a.com:443?q=http://b:1",
            ),
            ("https://a.com:8443/p", "https://a.com/p"),
            ("https://[::1]/p", "https://[::1]:443/p"),
            ("https://[::1]:8443/p", "https://[::1]/p"),
        ] {
            assert_eq!(spellings(url), [url, other]);
        }
        assert_eq!(spellings("nothing"), ["nothing"]);
    }
}
