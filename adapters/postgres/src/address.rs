//! The database's address: what the URL says, and whether the way there is encrypted.

use std::net::IpAddr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::Error;
use crate::options::Options;

/// Where to connect to. Not `Debug`: it holds the password.
pub(crate) struct Address {
    pub(crate) config: Config,
    /// Whether the connection is encrypted, and the server's certificate verified.
    pub(crate) tls: bool,
}

impl Address {
    /// Reads `url`. What is wrong with it is told without a part of it: a password with
    /// a stray `?` or `@` in it would be taken for something else, and shown.
    pub(crate) fn read(url: &str, options: &Options) -> Result<Self, Error> {
        let (url, mode) = split_mode(url)?;
        let mut config: Config = url.parse().map_err(|_| Error::Url)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(Error::NoHost);
        }
        let tls = match mode.as_deref() {
            Some("disable") => false,
            // libpq's `require` believes any certificate; here it must be the right one.
            Some("verify-full" | "require") => true,
            None => !is_local(&config),
            Some(_) => return Err(Error::SslMode),
        };
        config.ssl_mode(if tls {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        if config.get_hosts().len().max(config.get_hostaddrs().len()) > 1 {
            // Of several hosts the one that is no standby.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_application_name().is_none() {
            config.application_name("countersign");
        }
        config.connect_timeout(options.connect_timeout);
        config.tcp_user_timeout(options.statement_timeout);
        Ok(Self { config, tls })
    }

    /// How many times the time-out of one connection a whole try may take: a host that is
    /// silent takes one, and the next is to have its own; a name may stand for two addresses.
    pub(crate) fn dials(&self) -> u32 {
        let hosts = self.config.get_hosts().len();
        u32::try_from(hosts.max(self.config.get_hostaddrs().len()) + 1).unwrap_or(u32::MAX)
    }
}

/// Takes `sslmode` out of the URL: the client library does not know `verify-full`.
fn split_mode(url: &str) -> Result<(String, Option<String>), Error> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(Error::Url);
    }
    // The client library takes all before the first `@` for the login, question marks too.
    let login = url.find('@').map_or(0, |at| at + 1);
    let Some(mark) = url[login..].find('?').map(|mark| login + mark) else {
        return Ok((url.to_owned(), None));
    };
    let (front, query) = (&url[..mark], &url[mark + 1..]);
    let (mut mode, mut others) = (None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            _ => others.push(pair),
        }
    }
    let rest = if others.is_empty() {
        front.to_owned()
    } else {
        format!("{front}?{}", others.join("&"))
    };
    Ok((rest, mode))
}

/// Whether every way to the server stays on this machine.
fn is_local(config: &Config) -> bool {
    // An address, where one is given, is where the connection goes; the name is not.
    if !config.get_hostaddrs().is_empty() {
        return config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            let ip = name.parse::<IpAddr>();
            name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<bool, String> {
        Address::read(url, &Options::default())
            .map(|address| address.tls)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn only_loopback_is_plain_unless_it_is_written() {
        for (url, tls) in [
            ("postgres://u:p@127.0.0.1:5432/db", false),
            ("postgresql://u:p@localhost/db", false),
            ("postgres://u:p@[::1]/db", false),
            ("postgres://u@%2Frun%2Fpostgresql/db", false),
            ("postgres://u:p@db.example.com/db", true),
            ("postgres://u:p@10.0.0.7/db", true),
            ("postgres://u:p@localhost,10.0.0.7/db", true),
            ("postgres://u:p@localhost/db?hostaddr=10.0.0.7", true),
            ("postgres://u:p@db.example.com/db?sslmode=disable", false),
            ("postgres://u:p@localhost/db?sslmode=verify-full", true),
            ("postgres://u:p?x=y@localhost/db?sslmode=verify-full", true),
            ("postgres://u:p?sslmode=disable@db.example.com/db", true),
            (
                "postgres://u:p@localhost/db?sslmode=require&application_name=x",
                true,
            ),
        ] {
            assert_eq!(read(url), Ok(tls), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for url in [
            "postgres://u:hunter2@h:port/db",
            "postgres://u:p@h/db?hunter2=x",
            "postgres://u:hunter2@h/db?sslmode=prefer",
            "postgres://u:hunter2@/db",
            "mysql://u:hunter2@h/db",
        ] {
            let error = read(url).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(
            read("postgres://u@h/db?sslmode=prefer")
                .unwrap_err()
                .contains("verify-full")
        );
    }
}
