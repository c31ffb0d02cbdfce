//! The faults of the idempotent send, once more on the real verifier: what it does today.

use std::sync::Arc;

use countersign::{
    Channel, Destination, FakeClock, KeyRing, MemoryStore, Opened, Recorder, SendError,
    SendRequest, Tenant, Timestamp, Verifier,
};

use crate::material::at_once;
use crate::values::START;

/// A known device may be sent one message in ten minutes. So a try that comes after a crash
/// is refused for the very message that it asks about, frees the key, and the next one sends
/// another.
#[test]
fn a_known_device_gets_two_messages_under_one_key() {
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
    let second = at_once(verifier.send(&request));
    assert!(
        matches!(second, Err(SendError::Throttled { .. })),
        "should tell of the session"
    );
    clock.advance_secs(600);
    let third = at_once(verifier.send(&request)).expect("the key was freed");
    assert_ne!(third.session_id, first, "should be the same session");
    assert_eq!(inbox.len(), 1, "should be none");
}
