//! The console deliverer: shows codes in the terminal, for trying things out.

use std::fmt::Write as _;
use std::io::Write as _;

use async_trait::async_trait;
use countersign::{DeliverError, Deliverer, Message, Receipt};
use zeroize::Zeroizing;

use crate::config::{Config, Provider};
use crate::failure::Failure;

/// Prints every code on standard output, where whoever sees the terminal reads it.
#[derive(Debug)]
pub(crate) struct Console;

#[async_trait]
impl Deliverer for Console {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let block = block(message);
        // A terminal that was paused blocks its writers, which must not be those that
        // serve requests.
        tokio::task::spawn_blocking(move || {
            let mut out = std::io::stdout().lock();
            out.write_all(block.as_bytes()).and_then(|()| out.flush())
        })
        .await
        .ok()
        .and_then(Result::ok)
        .map(|()| Receipt::new("console"))
        .ok_or(DeliverError::transient().may_have_left())
    }
}

/// One code as it is shown: three lines between empty ones.
fn block(message: Message<'_>) -> Zeroizing<String> {
    let mut block = Zeroizing::new(String::with_capacity(128));
    // Writing to a `String` cannot fail.
    let _ = write!(
        block,
        "\n  {} to {}\n  code   {}\n  valid  {} s\n\n",
        message.channel.name(),
        message.destination.masked(),
        message.code.reveal(),
        message.expires_in,
    );
    block
}

/// Refuses the console where strangers' codes would be shown: in production, and beside
/// a listener that others can reach.
pub(crate) fn permit(config: &Config) -> Result<(), Failure> {
    let Some(route) = config
        .routes
        .iter()
        .find(|route| route.via.contains(&Provider::Console))
    else {
        return Ok(());
    };
    let channel = route.channel.name();
    if config.production {
        return Err(Failure::config(format!(
            "production = true, and {channel} codes would be shown in the terminal: name real \
             deliverers, for instance [email] via = [\"smtp\"] with [smtp] url and from, and no \
             \"console\" in any `via`"
        )));
    }
    if !config.listen.ip().is_loopback() && !config.dangerous_console {
        return Err(Failure::config(format!(
            "listen = \"{}\" can be reached by others, and {channel} codes would be shown in the \
             terminal: name a real deliverer in [{channel}] via, listen on 127.0.0.1, or set \
             dangerous_console = true",
            config.listen
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use countersign::{Channel, Code, Destination};

    use super::*;

    fn config(text: &str) -> Config {
        Config::of(text).unwrap()
    }

    #[test]
    fn production_refuses_the_console_whether_named_or_by_default() {
        for text in [
            "production = true",
            "production = true\n[sms]\nvia = [\"console\"]\n[email]\nvia = [\"smtp\"]",
            "production = true\ndangerous_console = true",
        ] {
            let sentence = permit(&config(text)).unwrap_err().to_string();
            assert!(sentence.contains("via = [\"smtp\"]"), "{sentence}");
        }
        permit(&config("production = true\n[email]\nvia = [\"smtp\"]")).unwrap();
    }

    #[test]
    fn a_listener_that_others_reach_refuses_the_console_unless_danger_is_spelled() {
        for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080"] {
            let open = format!("listen = \"{listen}\"");
            let sentence = permit(&config(&open)).unwrap_err().to_string();
            assert!(sentence.contains("dangerous_console = true"), "{sentence}");
            permit(&config(&format!("{open}\ndangerous_console = true"))).unwrap();
        }
        for listen in ["127.0.0.1:8080", "127.0.0.9:1", "[::1]:8080"] {
            permit(&config(&format!("listen = \"{listen}\""))).unwrap();
        }
    }

    #[test]
    fn a_block_shows_channel_code_and_lifetime_and_masks_the_destination() {
        let to = Destination::parse(Channel::Sms, "+4712345678").unwrap();
        let code = Code::from_custom("012345").unwrap();
        let shown = block(Message::new(&to, Channel::Sms, &code));
        assert_eq!(
            shown.as_str(),
            "\n  sms to +47••••••78\n  code   012345\n  valid  300 s\n\n"
        );
    }
}
