//! A19, A23, A54: the edges of a code's life, and parts that fail.

use std::sync::Arc;

use countersign::{
    Channel, Clock as _, Destination, RandomUnavailable, Randomness, SendError, SendRequest,
    Verdict,
};

use super::bench::{Bench, Setup};
use super::stores::on_every_store;

#[test]
fn a19_a_code_dies_at_its_very_millisecond() {
    on_every_store(|kind| async move {
        for (after, approved) in [(299_999, true), (300_000, false), (300_001, false)] {
            let bench = Bench::new(kind).await;
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
        let bench = Bench::new(kind).await;
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
    on_every_store(|kind| async move {
        let setup = Setup {
            randomness: Arc::new(Dry),
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        for round in 0..100 {
            let to = format!("user{round}@example.com");
            let to = Destination::parse(Channel::Email, &to).unwrap();
            let request = SendRequest::new(&bench.tenant, Channel::Email, &to);
            let refused = bench.verifier.send(&request).await;
            assert!(matches!(refused, Err(SendError::Random(_))), "{refused:?}");
        }
        let (messages, steps) = (bench.inbox.len(), bench.counted.steps());
        assert_eq!((messages, steps), (0, 0), "{kind:?}");
    });
}
