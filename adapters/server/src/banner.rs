//! What a newcomer sees: what listens where, what to paste, and what to do for real.

use std::fmt;
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::{Config, StoreUrl};

/// The lines that `serve` prints while only the terminal receives codes.
pub(crate) struct Banner<'a> {
    pub(crate) base: &'a str,
    pub(crate) admin: SocketAddr,
    pub(crate) config: &'a Config,
    pub(crate) key: String,
    pub(crate) token: Option<String>,
}

impl Banner<'_> {
    /// Prints it. Whoever has closed standard output does without.
    pub(crate) fn print(&self) {
        let mut out = std::io::stdout().lock();
        let _ = out
            .write_all(self.to_string().as_bytes())
            .and_then(|()| out.flush());
    }
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, config, .. } = self;
        let data = match &config.store.url {
            StoreUrl::Memory => "in memory, gone when this ends".to_owned(),
            store => {
                format!("{store}, secrets in {}", config.secret_file.display())
            }
        };
        let admin = url_of(self.admin);
        let token = self
            .token
            .as_ref()
            .map(|token| format!(" JWT_TOKEN={token}"));
        let (key, token) = (&self.key, token.unwrap_or_default());
        write!(
            f,
            "\n\
             Countersign {version} is up. Every code is shown here: nothing leaves this machine.\n\n\
             \x20 API      {base}  (documentation: {base}/docs)\n\
             \x20 health   {admin}/healthz  /readyz  /metrics\n\
             \x20 data     {data}\n\n\
             Paste into another terminal; this key ends with this process:\n\n\
             export VERIFY_API_KEY={key}{token}\n\n\
             curl {base}/v1/verify/send {HEADERS} -d '{{\"to\":\"+4712345678\",\"channel\":\"sms\"}}'\n\n\
             Then give it the session_id of the answer and the code that appears here:\n\n\
             read -r SESSION_ID CODE\n\n\
             curl {base}/v1/verify/check {HEADERS} \
             -d '{{\"session_id\":\"'$SESSION_ID'\",\"code\":\"'$CODE'\"}}'\n\n\
             For real:\n\
             \x20 name a mail server ([email] via = [\"smtp\"], [smtp] url, from) and set production = true;\n\
             \x20 try it with `countersign check-config --send-to YOUR-ADDRESS`;\n\
             \x20 make keys with `countersign key create --tenant NAME`, and keep a copy of the secrets.\n\n",
            version = env!("CARGO_PKG_VERSION"),
        )
    }
}

const HEADERS: &str = "-H \"X-API-Key: $VERIFY_API_KEY\" -H \"Content-Type: application/json\"";

/// The URL under which this machine reaches a listener.
pub(crate) fn url_of(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        let local = if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        };
        address.set_ip(local);
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_to_paste_stand_alone_and_name_the_listener() {
        let config = Config::of("").unwrap();
        let shown = Banner {
            base: "http://127.0.0.1:18080",
            admin: "127.0.0.1:19464".parse().unwrap(),
            config: &config,
            key: "countersign_verify_k".to_owned(),
            token: Some("a.b.c".to_owned()),
        }
        .to_string();
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines.contains(&"export VERIFY_API_KEY=countersign_verify_k JWT_TOKEN=a.b.c"));
        let curls: Vec<_> = lines
            .iter()
            .filter(|line| line.starts_with("curl "))
            .collect();
        assert_eq!(curls.len(), 2, "the first send and the first check");
        assert!(curls[0].starts_with("curl http://127.0.0.1:18080/v1/verify/send "));
        assert!(curls[0].ends_with(r#"-d '{"to":"+4712345678","channel":"sms"}'"#));
        assert!(curls[1].starts_with("curl http://127.0.0.1:18080/v1/verify/check "));
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with("export") || line.chars().count() <= 200)
        );
        assert!(lines.len() <= 26, "short: {} lines", lines.len());
    }

    #[test]
    fn a_listener_on_every_address_is_reached_on_this_machine() {
        for (address, url) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("192.0.2.7:80", "http://192.0.2.7:80"),
        ] {
            assert_eq!(url_of(address.parse().unwrap()), url);
        }
    }
}
