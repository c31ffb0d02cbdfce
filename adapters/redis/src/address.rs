//! The store's address: what the URL says.

use std::fmt;

use crate::error::Error;

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26_379;

/// One server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Who asks. Not `Debug`: it holds the password.
#[derive(Clone, Default)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// How the servers are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Single,
    /// The sentinels know this master by name.
    Sentinel(String),
    Cluster,
}

/// Where the store is. Not `Debug`: it holds the password.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) kind: Kind,
    /// The server itself, the sentinels, or some nodes of the cluster.
    pub(crate) seeds: Vec<Endpoint>,
    pub(crate) tls: bool,
    pub(crate) login: Login,
    pub(crate) database: u16,
}

impl Address {
    /// Reads `url`. What is wrong with it is told without a part of it: a stray character
    /// would make the password look like something else, and show it.
    pub(crate) fn read(url: &str) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").ok_or(Error::Url)?;
        let (tls, shape) = match scheme.split_once('+') {
            None => (scheme, "single"),
            Some((tls, shape)) => (tls, shape),
        };
        let tls = match tls {
            "redis" => false,
            "rediss" => true,
            _ => return Err(Error::Url),
        };
        if rest.contains(['?', '#']) {
            return Err(Error::Url);
        }
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (read_login(login)?, rest),
            None => (Login::default(), rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (kind, port, database) = match (shape, path) {
            ("single", "") => (Kind::Single, REDIS_PORT, 0),
            ("single", number) => {
                let database = number.parse().map_err(|_| Error::Database)?;
                (Kind::Single, REDIS_PORT, database)
            }
            ("sentinel", "") => return Err(Error::NoMasterName),
            ("sentinel", name) => (Kind::Sentinel(unescape(name)?), SENTINEL_PORT, 0),
            ("cluster", "") => (Kind::Cluster, REDIS_PORT, 0),
            ("cluster", _) => return Err(Error::Database),
            _ => return Err(Error::Url),
        };
        let seeds = hosts.split(',').map(|host| Endpoint::read(host, port));
        let seeds = seeds.collect::<Result<Vec<_>, _>>()?;
        if kind == Kind::Single && seeds.len() != 1 {
            return Err(Error::ManyHosts);
        }
        Ok(Self {
            kind,
            seeds,
            tls,
            login,
            database,
        })
    }
}

impl Endpoint {
    pub(crate) fn new(host: impl Into<String>, port: u16) -> Self {
        let host = host.into();
        Self { host, port }
    }

    fn read(text: &str, default: u16) -> Result<Self, Error> {
        let (host, port) = match text.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or(Error::Url)?)),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err(Error::NoHost);
        }
        let port = match port {
            Some(port) => port.parse().map_err(|_| Error::Url)?,
            None => default,
        };
        Ok(Self::new(host, port))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn read_login(text: &str) -> Result<Login, Error> {
    let (user, password) = text.split_once(':').ok_or(Error::NoPassword)?;
    let some = |text: String| (!text.is_empty()).then_some(text);
    Ok(Login {
        user: some(unescape(user)?),
        password: some(unescape(password)?),
    })
}

/// `%41` is `A`.
fn unescape(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, others) = rest.split_at_checked(2).ok_or(Error::Url)?;
        let digits = std::str::from_utf8(digits).map_err(|_| Error::Url)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| Error::Url)?);
        rest = others;
    }
    String::from_utf8(bytes).map_err(|_| Error::Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address, String> {
        Address::read(url).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shape_is_read() {
        let ends = |url: &str| {
            let address = read(url).unwrap();
            let seeds: Vec<_> = address.seeds.iter().map(ToString::to_string).collect();
            (address.kind, address.tls, seeds.join(" "), address.database)
        };
        let sentinel = Kind::Sentinel("mymaster".to_owned());
        for (url, expected) in [
            ("redis://h", (Kind::Single, false, "h:6379", 0)),
            ("rediss://u:p@h:1/3", (Kind::Single, true, "h:1", 3)),
            ("redis://[::1]:7", (Kind::Single, false, "[::1]:7", 0)),
            ("redis://[::1]", (Kind::Single, false, "[::1]:6379", 0)),
            (
                "redis+sentinel://:p@a,b:9/mymaster",
                (sentinel.clone(), false, "a:26379 b:9", 0),
            ),
            (
                "rediss+sentinel://a/mymaster",
                (sentinel, true, "a:26379", 0),
            ),
            (
                "redis+cluster://a,b:2,c",
                (Kind::Cluster, false, "a:6379 b:2 c:6379", 0),
            ),
            ("rediss+cluster://a/", (Kind::Cluster, true, "a:6379", 0)),
        ] {
            let (kind, tls, seeds, database) = expected;
            assert_eq!(ends(url), (kind, tls, seeds.to_owned(), database), "{url}");
        }
    }

    #[test]
    fn a_login_is_unescaped() {
        let login = read("redis://me:a%40b%2fc@h").unwrap().login;
        assert_eq!(login.user.as_deref(), Some("me"));
        assert_eq!(login.password.as_deref(), Some("a@b/c"));
        let login = read("redis://:p:q@h").unwrap().login;
        assert_eq!((login.user, login.password.as_deref()), (None, Some("p:q")));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for url in [
            "redis://u:hunter2@h:port",
            "redis://u:hunter2@h/db",
            "redis://u:hunter2@",
            "redis://u:hunter2@a,b",
            "redis://hunter2@h",
            "redis://u:hunter2%zz@h",
            "redis://u:p?hunter2@h",
            "redis+sentinel://u:hunter2@h",
            "redis+cluster://u:hunter2@h/1",
            "redis+mesh://u:hunter2@h",
            "http://u:hunter2@h",
            "hunter2",
        ] {
            let error = read(url).map(drop).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
