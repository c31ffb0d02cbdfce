//! What every test of this suite needs: a deliverer for a server, and a message.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Channel, Code, DeliverError, Deliverer, Destination, Message, Receipt};
use countersign_messages::Messages;
use countersign_smtp::{Smtp, SmtpConfig};

use crate::parts::{PASSWORD, USER};

/// The code in every message.
pub(crate) const CODE: &str = "012345";

pub(crate) const FROM: &str = "Example <no-reply@example.org>";

/// The settings that work with a test server's STARTTLS listener.
pub(crate) fn config(port: u16, ca: Vec<u8>) -> SmtpConfig {
    SmtpConfig::new(&format!("smtp://{USER}@localhost:{port}"), FROM)
        .password(PASSWORD)
        .ca_pem(ca)
}

/// A deliverer with the built-in messages.
pub(crate) fn smtp(config: SmtpConfig) -> Smtp {
    Smtp::new(config, Arc::new(Messages::new("Example", None).unwrap())).unwrap()
}

/// A deliverer with templates of its own.
pub(crate) fn smtp_with(config: SmtpConfig, dir: &Path) -> Smtp {
    Smtp::new(
        config,
        Arc::new(Messages::new("Example", Some(dir)).unwrap()),
    )
    .unwrap()
}

/// Long enough for a loaded machine where the server answers.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);
/// For a server that never answers.
pub(crate) const SHORT: Duration = Duration::from_secs(1);

/// Delivers the code to `to` in the language `locale`.
pub(crate) async fn deliver_in(
    smtp: &Smtp,
    to: &str,
    locale: Option<&str>,
) -> Result<Receipt, DeliverError> {
    let destination = Destination::parse(Channel::Email, to).unwrap();
    let code = Code::from_custom(CODE).unwrap();
    let mut message = Message::new(&destination, Channel::Email, &code);
    message.locale = locale;
    smtp.deliver(message).await
}

pub(crate) async fn deliver(smtp: &Smtp, to: &str) -> Result<Receipt, DeliverError> {
    deliver_in(smtp, to, None).await
}
