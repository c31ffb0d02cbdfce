//! A34, A52: what an idempotent send leaves in the store: enough to be answered alike, and
//! no session id.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use countersign::{
    Channel, CheckRequest, Clock, DeliverError, Deliverer, DeliveryMode, Destination, FakeClock,
    KeyRing, Kind, MemoryStore, Message, Receipt, Recorder, Secret, SendError, SendRequest, Sent,
    SentDelivery, SessionStore, StoreError, Tenant, Timestamp, Verdict, Verifier,
};

use super::bench::Bench;
use super::stores::on_every_store;

/// The sealed part of an id: 16 bytes, behind that of its key.
fn sealed(id: &str) -> [u8; 16] {
    const SYMBOLS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0, 0_usize);
    for symbol in id.strip_prefix("sess_").unwrap().chars() {
        held = held << 6 | SYMBOLS.find(symbol).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).unwrap());
        }
    }
    bytes[1..].try_into().unwrap()
}

/// Every value in the store; in one that cannot list them, those that an idempotent send to
/// `to` left there.
async fn values(bench: &Bench, to: &Destination, name: &str) -> Vec<Vec<u8>> {
    let (store, tag) = (bench.verifier.store(), bench.tenant.tag());
    let own = [
        (Kind::Destination, to.canonical()),
        (Kind::Idempotency, name),
    ];
    let own = own.map(|(kind, about)| {
        let keys = bench.verifier.keys();
        keys.record_key(kind, tag, about.as_bytes())
    });
    let keys = match store.scan(None, 1000).await {
        Err(StoreError::Unsupported(_)) => own.to_vec(),
        listed => listed.unwrap(),
    };
    assert!(own.iter().all(|key| keys.contains(key)), "{keys:?}");
    let mut values = Vec::new();
    for key in keys {
        values.extend(store.load(key).await.unwrap().value);
    }
    values
}

fn holds(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}

/// The answer in full: what was sent, or the session and the end of a failed delivery.
fn told(answer: Result<Sent, SendError>) -> (String, String) {
    match answer {
        Ok(sent) => (sent.session_id.to_string(), format!("{sent:?}")),
        Err(SendError::Delivery {
            session_id,
            retryable,
            ..
        }) => (session_id.to_string(), format!("failed, {retryable}")),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a34_a52_an_answer_is_kept_without_its_session_id_and_told_again_alike() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        for (n, (delivery, failure)) in [
            (DeliveryMode::Wait, None),
            (DeliveryMode::Background, None),
            (DeliveryMode::Wait, Some(DeliverError::transient())),
        ]
        .into_iter()
        .enumerate()
        {
            let to = Destination::parse_any(&format!("User+{n}@person{n}.example")).unwrap();
            let name = format!("order-{n}");
            let mut request = SendRequest::new(&bench.tenant, Channel::Email, &to);
            request.idempotency_key = Some(&name);
            request.delivery = delivery;
            bench.inbox.fail_with(failure);
            let (id, first) = told(bench.verifier.send(&request).await);
            bench.inbox.fail_with(None);

            let values = values(&bench, &to, &name).await;
            assert!(values.len() >= 2, "{kind:?}: {} values", values.len());
            for value in &values {
                assert!(!holds(value, &id.as_bytes()[5..]), "{kind:?}: {first}");
                assert!(!holds(value, &sealed(&id)), "{kind:?}: {first}");
            }
            let sent = bench.inbox.len();
            for _ in 0..3 {
                let again = told(bench.verifier.send(&request).await);
                assert_eq!(again, (id.clone(), first.clone()), "{kind:?}");
            }
            assert_eq!(bench.inbox.len(), sent, "{kind:?}");
        }
    });
}

/// An instance with these master keys, the newest first.
fn instance(store: &Arc<MemoryStore>, post: Arc<dyn Deliverer>, masters: &[u8]) -> Verifier {
    let secret = |first: u8| Secret::new((first..first + 32).collect()).unwrap();
    let masters: Vec<_> = masters.iter().map(|first| secret(*first)).collect();
    let keys = KeyRing::new(&secret(0), &masters).unwrap();
    let store: Arc<dyn SessionStore> = store.clone();
    let built = Verifier::builder(keys, store).deliverer(Channel::Email, post);
    built.build().unwrap()
}

#[tokio::test]
async fn a52_a64_an_answer_outlives_the_promotion_of_another_key() {
    let (store, inbox) = (Arc::new(MemoryStore::new()), Arc::new(Recorder::new()));
    let verifier = |masters: &[u8]| instance(&store, inbox.clone(), masters);
    let tenant = Tenant::new("acme").unwrap();
    let to = Destination::parse_any("user@example.com").unwrap();
    let mut request = SendRequest::new(&tenant, Channel::Email, &to);
    request.idempotency_key = Some("order");
    let first = verifier(&[100]).send(&request).await.unwrap();

    let promoted = verifier(&[33, 100]);
    let again = promoted.send(&request).await.unwrap();
    assert_eq!(again, first);
    let (id, code) = (again.session_id.to_string(), inbox.last_code().unwrap());
    let check = CheckRequest::new(&tenant, &id, &code);
    let verdict = promoted.check(&check).await.unwrap();
    assert!(matches!(verdict, Verdict::Verified { .. }), "{verdict:?}");

    // Without its key the session is nobody's: its answer has its shape, and no more.
    let retired = verifier(&[33]);
    let shape = retired.send(&request).await.unwrap();
    assert_eq!((shape.form, inbox.len()), (first.form, 1));
}

/// A deliverer in whose hands every process dies: it has the message, and never answers.
#[derive(Debug)]
struct Grave(Arc<Recorder>);

#[async_trait]
impl Deliverer for Grave {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        self.0.deliver(message).await?;
        std::future::pending().await
    }
}

#[tokio::test]
async fn a53_a64_a_try_after_a_crash_finds_a_session_of_the_key_before() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
    let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let (store, inbox) = (Arc::new(store), Arc::new(Recorder::new()));
    let grave = Arc::new(Grave(inbox.clone()));
    let verifier = |masters: &[u8]| instance(&store, grave.clone(), masters);
    let tenant = Tenant::new("acme").unwrap();
    let to = Destination::parse_any("user@example.com").unwrap();
    let mut request = SendRequest::new(&tenant, Channel::Email, &to);
    request.idempotency_key = Some("order");
    let dying = verifier(&[100]);
    {
        let mut sending = pin!(dying.send(&request));
        let polled = sending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending) && inbox.len() == 1);
    }
    clock.advance_millis(61_000);

    let promoted = verifier(&[33, 100]);
    let sent = promoted.send(&request).await.unwrap();
    assert_eq!((sent.delivery, inbox.len()), (SentDelivery::Unknown, 1));
    let (id, code) = (sent.session_id.to_string(), inbox.last_code().unwrap());
    let check = CheckRequest::new(&tenant, &id, &code);
    let verdict = promoted.check(&check).await.unwrap();
    assert!(matches!(verdict, Verdict::Verified { .. }), "{verdict:?}");
}
