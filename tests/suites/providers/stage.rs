//! What every test of this suite needs: a message, and the words.

use std::sync::Arc;
use std::time::Duration;

use countersign::{Channel, Code, DeliverError, Deliverer, Destination, Message, Receipt};
use countersign_messages::Messages;

/// The code in every message.
pub(crate) const CODE: &str = "012345";
/// Where every message goes.
pub(crate) const TO: &str = "+4790000001";
/// What a provider is to give back in its reports.
pub(crate) const TOKEN: &str = "rep_AAAAAAAAAAAAAAAAAAAAAAA";

/// Long enough for a loaded machine where the provider answers.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);
/// For a provider that never answers.
pub(crate) const SHORT: Duration = Duration::from_secs(1);

/// The built-in words.
pub(crate) fn messages() -> Arc<Messages> {
    Arc::new(Messages::new("Example", None).unwrap())
}

/// Delivers the code after `change` had its way with the message.
pub(crate) async fn deliver_with(
    deliverer: &dyn Deliverer,
    channel: Channel,
    change: impl FnOnce(&mut Message<'_>) + Send,
) -> Result<Receipt, DeliverError> {
    let destination = Destination::parse(channel, TO).unwrap();
    let code = Code::from_custom(CODE).unwrap();
    let mut message = Message::new(&destination, channel, &code);
    message.message_id = "msg_1";
    change(&mut message);
    deliverer.deliver(message).await
}

/// Delivers the code by SMS.
pub(crate) async fn deliver(deliverer: &dyn Deliverer) -> Result<Receipt, DeliverError> {
    deliver_with(deliverer, Channel::Sms, |_| ()).await
}

/// That none of these texts is in `shown`, nor the code, nor the destination.
pub(crate) fn assert_hides(shown: &str, secrets: &[&str]) {
    for secret in [CODE, TO, &TO[1..]].iter().chain(secrets) {
        assert!(!shown.contains(secret), "{shown}");
    }
}
