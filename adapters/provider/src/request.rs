//! One request to a provider.

use std::fmt;

use crate::credential::Credential;

/// What is sent to a provider: a path below the client's base URL, headers, and a body.
///
/// Its `Debug` shows neither path nor headers nor body, for all of them may hold the
/// code, the destination or a credential.
pub struct Request {
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) login: Option<(String, Credential)>,
    pub(crate) body: Body,
}

/// The body decides the method: none is a `GET`, any other a `POST`.
pub(crate) enum Body {
    None,
    Form(Vec<(String, String)>),
    Bytes {
        content_type: &'static str,
        bytes: Vec<u8>,
    },
}

impl Request {
    /// A `GET`. The path begins with `/`, or is empty for the base URL itself.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::with(path.into(), Body::None)
    }

    /// A `POST` of form fields, in their order.
    #[must_use]
    pub fn form(path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::with(path.into(), Body::Form(fields.iter().map(owned).collect()))
    }

    /// A `POST` of JSON.
    #[must_use]
    pub fn json(path: impl Into<String>, value: &serde_json::Value) -> Self {
        Self::bytes(path, "application/json", value.to_string().into_bytes())
    }

    /// A `POST` of these very bytes, for what is signed.
    #[must_use]
    pub fn bytes(path: impl Into<String>, content_type: &'static str, bytes: Vec<u8>) -> Self {
        let body = Body::Bytes {
            content_type,
            bytes,
        };
        Self::with(path.into(), body)
    }

    /// Logs in by HTTP's basic scheme (RFC 7617).
    #[must_use]
    pub fn basic(mut self, user: &str, password: &Credential) -> Self {
        self.login = Some((user.to_owned(), Credential::new(password.reveal())));
        self
    }

    /// Adds a header. A value that no header can have fails the request before anything
    /// is sent.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    const fn with(path: String, body: Body) -> Self {
        Self {
            path,
            headers: Vec::new(),
            login: None,
            body,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Request;
    use crate::Credential;

    #[test]
    fn a37_a_request_shows_nothing_in_debug() {
        let request = Request::form("/918273", &[("Body", "918273")])
            .basic("918273", &Credential::new("918273"))
            .header("x-signature", "918273");
        assert_eq!(format!("{request:?}"), "Request { .. }");
    }
}
