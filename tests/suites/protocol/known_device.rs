//! The idempotent send after a crash, on the real verifier.

use std::sync::Arc;

use countersign::{
    Channel, Destination, FakeClock, KeyRing, MemoryStore, Opened, Recorder, SendRequest,
    SentDelivery, Tenant, Timestamp, Verifier,
};

use crate::material::at_once;
use crate::values::START;

/// A known device may be sent one message in ten minutes. A try that comes after a crash would
/// be refused for the very message that it asks about: it finds its session instead, and no
/// try sends another message.
#[test]
fn a52_a53_a_try_after_a_crash_finds_its_session_before_any_limit() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(START)));
    let inbox = Arc::new(Recorder::new());
    let store = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _));
    let verifier = Verifier::builder(KeyRing::generate().expect("randomness"), store)
        .deliverer(Channel::Email, Arc::clone(&inbox) as _)
        .build()
        .expect("the default policy");
    let tenant = Tenant::new("acme").expect("a name");
    let to = Destination::parse(Channel::Email, "ada@example.com").expect("an address");
    let mut request = SendRequest::new(&tenant, Channel::Email, &to);
    request.known_device = true;
    request.idempotency_key = Some("one");

    // The server dies once the session is stored; its message may have left.
    let Ok(Opened::Pending(pending)) = at_once(verifier.open(&request)) else {
        unreachable!("nothing is in the way of the first try");
    };
    let first = pending.sent().session_id;
    drop(pending);
    clock.advance_secs(61);
    for _ in 0..3 {
        let again = at_once(verifier.send(&request)).expect("its session is told");
        assert_eq!(again.session_id, first);
        assert_eq!(again.delivery, SentDelivery::Unknown);
        clock.advance_secs(600);
    }
    assert_eq!(inbox.len(), 0, "nobody knows whether the first has left");
}
