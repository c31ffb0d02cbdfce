//! A19, A23, A54: the edges of a code's life, and parts that fail.

use std::sync::Arc;

use countersign::{
    Channel, Clock as _, Destination, KeyRing, MemoryStore, RandomUnavailable, Randomness,
    Recorder, SendError, SendRequest, Tenant, Verdict, Verifier,
};

use crate::bench::{Bench, on_every_store};

#[test]
fn a19_a_code_dies_at_its_very_millisecond() {
    on_every_store(|kind| async move {
        for (after, approved) in [(299_999, true), (300_000, false), (300_001, false)] {
            let bench = Bench::new(kind);
            let (sent, code) = bench.send("user@example.com").await.unwrap();
            bench.clock.advance_millis(after);
            let verdict = bench.check(&sent, &code).await;
            assert_eq!(
                verdict.is_verified(),
                approved,
                "{kind:?} after {after} ms: {verdict:?}"
            );
        }
    });
}

#[test]
fn a63_a_clock_that_went_back_revives_nothing() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind);
        let (sent, code) = bench.send("user@example.com").await.unwrap();
        let begun = bench.clock.now();
        bench.clock.set(countersign::Timestamp::from_millis(
            begun.as_millis() - 5001,
        ));
        assert_eq!(
            bench.check(&sent, &code).await,
            Verdict::Expired,
            "{kind:?}"
        );
    });
}

#[derive(Debug)]
struct Dry;

impl Randomness for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomUnavailable> {
        Err(RandomUnavailable::default())
    }
}

#[test]
fn a23_without_randomness_nothing_is_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (inbox, store) = (Arc::new(Recorder::new()), Arc::new(MemoryStore::new()));
        let verifier = Verifier::builder(KeyRing::generate().unwrap(), store.clone())
            .deliverer(Channel::Email, inbox.clone())
            .randomness(Arc::new(Dry))
            .build()
            .unwrap();
        let tenant = Tenant::new("acme").unwrap();
        let to = Destination::parse(Channel::Email, "user@example.com").unwrap();
        let refused = verifier
            .send(&SendRequest::new(&tenant, Channel::Email, &to))
            .await;
        assert!(matches!(refused, Err(SendError::Random(_))), "{refused:?}");
        assert_eq!((inbox.len(), store.len()), (0, 0), "no message, no session");
    });
}
