//! What providers say, at once and later: a receipt, a failure or a report, whatever comes;
//! never a panic, a word of theirs in an error, or belief in what they did not sign.
//!
//! An input is text. Its first line is `answer PROVIDER STATUS [RETRY-AFTER]` with the body of
//! an HTTP answer below it, or `report PROVIDER QUERY` with that of a callback; `signed` in
//! place of `report` signs it as the provider would.
#![no_main]

#[path = "answer/callbacks.rs"]
mod callbacks;
#[path = "answer/providers.rs"]
mod providers;

use countersign::{Channel, Code, DeliverError, Destination, Message, Receipt};
use libfuzzer_sys::fuzz_target;

use self::callbacks::Callbacks;
use self::providers::{Providers, Scripted};

/// What the message holds, and no error may.
const CODE: &str = "918273";

fuzz_target!(|text: &str| {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let words: Vec<_> = head.splitn(4, ' ').collect();
    match words[..] {
        ["answer", provider, status, ref rest @ ..] => {
            let status = status.parse().unwrap_or(200);
            let retry_after = rest.first().copied();
            answered(provider, &Scripted::new(status, retry_after, body));
        }
        ["report", provider, query, ..] => Callbacks::get().told(provider, query, body, false),
        ["signed", provider, query, ..] => Callbacks::get().told(provider, query, body, true),
        _ => {}
    }
});

fn answered(provider: &str, answer: &Scripted) {
    let providers = Providers::get();
    let Some((deliverer, channel)) = providers.named(provider) else {
        return;
    };
    let to = Destination::parse(Channel::Sms, "+4740000000").expect("a number");
    let code = Code::from_custom(CODE).expect("a code");
    let mut message = Message::new(&to, channel, &code);
    message.message_id = "msg_1";
    message.report_token = Some("token");
    match providers.deliver(deliverer, message, answer) {
        Ok(receipt) => assert_taken(&receipt, answer),
        Err(error) => assert_failed(&error),
    }
}

fn assert_taken(receipt: &Receipt, answer: &Scripted) {
    assert!(answer.is_success(), "{receipt:?}");
    if let Some(reference) = &receipt.reference {
        let plain = reference.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(plain && (1..=64).contains(&reference.len()), "{reference}");
    }
}

fn assert_failed(error: &DeliverError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(CODE), "an error that holds a code");
    assert!(
        !(error.is_transient() && error.reason().is_some()),
        "{shown}"
    );
    let pause = error.retry_after().unwrap_or_default();
    assert!(
        pause.as_secs() <= 3600,
        "nobody waits for longer than an hour: {shown}"
    );
}
