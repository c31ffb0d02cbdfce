use std::sync::Arc;
use std::time::Duration;

use countersign::{Channel, Code, Deliverer, Destination, Message, Permanent, SystemClock};
use countersign_messages::Messages;

use super::Smpp;
use crate::smpp::config::{SmppConfig, SmppConfigError as Refused};

const LOCAL: &str = "smpp://esme@127.0.0.1:1";

fn config() -> SmppConfig {
    SmppConfig::new(LOCAL, "Example").password("s3cret77")
}

fn built(config: SmppConfig) -> Result<Smpp, Refused> {
    let messages = Arc::new(Messages::new("Example", None).unwrap());
    Smpp::new(config, messages, Arc::new(SystemClock::default()))
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_its_field() {
    let plain = |from: &str| SmppConfig::new(LOCAL, from).password("s3cret77");
    let seconds = Duration::from_secs;
    for (config, why) in [
        (SmppConfig::new(LOCAL, "Example"), Refused::Password),
        (config().password(""), Refused::Password),
        (config().password("123456789"), Refused::Password),
        (config().password("a\nb"), Refused::Password),
        (config().password("ø"), Refused::Password),
        (config().system_type("thirteenchars"), Refused::SystemType),
        (config().system_type("a\0"), Refused::SystemType),
        (plain("Twelve chars"), Refused::From),
        (plain("4790000000"), Refused::From),
        (config().window(0), Refused::Window),
        (config().window(1001), Refused::Window),
        (config().max_per_second(0), Refused::MaxPerSecond),
        (config().max_per_second(10_001), Refused::MaxPerSecond),
        (config().enquire_link(seconds(0)), Refused::EnquireLink),
        (config().enquire_link(seconds(601)), Refused::EnquireLink),
        (config().timeout(seconds(0)), Refused::Timeout),
        (config().timeout(seconds(61)), Refused::Timeout),
        (config().ca_pem("-----BEGIN"), Refused::CaWithoutTls),
        (
            SmppConfig::new("smpps://e@localhost", "Example").ca_pem("no"),
            Refused::Ca,
        ),
    ] {
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret77"), "{shown}");
        assert_eq!(built(config).err(), Some(why));
    }
    assert!(built(config()).is_ok());
}

#[test]
fn a37_nothing_secret_shows_in_debug() {
    let shown = format!("{:?} {:?}", config(), built(config()).unwrap());
    assert!(shown.contains("127.0.0.1:1"), "{shown}");
    assert!(!shown.contains("s3cret77"), "{shown}");
}

#[tokio::test]
async fn an_email_address_is_no_destination() {
    let to = Destination::parse(Channel::Email, "user@example.org").unwrap();
    let code = Code::from_custom("123456").unwrap();
    let message = Message::new(&to, Channel::Email, &code);
    let error = built(config()).unwrap().deliver(message).await.unwrap_err();
    assert_eq!(error.reason(), Some(Permanent::InvalidDestination));
}

#[tokio::test]
async fn after_it_was_closed_nothing_leaves() {
    let smpp = built(config()).unwrap();
    smpp.close().await;
    let to = Destination::parse(Channel::Sms, "+4790000000").unwrap();
    let code = Code::from_custom("123456").unwrap();
    let error = smpp.deliver(Message::new(&to, Channel::Sms, &code)).await;
    let error = error.unwrap_err();
    assert!(error.is_transient() && !error.left_possibly());
}

#[test]
fn reports_are_handed_out_once() {
    let smpp = built(config()).unwrap();
    assert!(smpp.reports().is_some());
    assert!(smpp.reports().is_none());
}
