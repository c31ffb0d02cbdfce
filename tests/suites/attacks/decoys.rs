//! A33, A69: a decoy asks for as much as a real session does.

use std::sync::{Arc, Mutex};

use countersign::{
    Channel, DeliveryMode, Destination, Opened, RandomUnavailable, Randomness, ResendRequest,
    SendRequest, SystemRandom,
};

use super::bench::{Bench, Setup};
use super::stores::on_every_store;

/// The system's randomness, and how many bytes were drawn each time.
#[derive(Debug, Default)]
struct Watched(Mutex<Vec<usize>>);

impl Watched {
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Randomness for Watched {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        self.0.lock().unwrap().push(bytes.len());
        SystemRandom::default().fill(bytes)
    }
}

/// What was drawn, and how many steps the store was asked to take.
type Asked = (Vec<usize>, usize);

/// What a send asks for up to its answer, and then a resend.
async fn asked(bench: &Bench, random: &Watched, to: &str, decoy: bool) -> [Asked; 2] {
    let to = Destination::parse_any(to).unwrap();
    let mut request = SendRequest::new(&bench.tenant, Channel::Email, &to);
    request.delivery = DeliveryMode::Background;
    request.decoy = decoy;
    request.end_user_ip = Some("2001:db8::1".parse().unwrap());
    request.idempotency_key = Some(if decoy { "decoy" } else { "real" });
    let before = bench.counted.steps();
    random.take();
    let opened = bench.verifier.open(&request).await.unwrap();
    let Opened::Pending(mut pending) = opened else {
        panic!("answered before");
    };
    pending.acknowledge().await;
    let send = (random.take(), bench.counted.steps() - before);

    let id = pending.sent().session_id;
    pending.deliver().await.unwrap();
    bench.clock.advance_secs(30);
    let before = bench.counted.steps();
    random.take();
    let mut request = ResendRequest::new(&bench.tenant, id, &to);
    request.delivery = DeliveryMode::Background;
    bench.verifier.reopen(&request).await.unwrap();
    [send, (random.take(), bench.counted.steps() - before)]
}

#[test]
fn a69_a_decoy_draws_as_much_and_asks_the_store_as_often() {
    on_every_store(|kind| async move {
        let random = Arc::new(Watched::default());
        let randomness = random.clone();
        let setup = Setup {
            randomness,
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        let real = asked(&bench, &random, "somebody@example.com", false).await;
        let decoy = asked(&bench, &random, "nobody@example.com", true).await;
        assert!(
            real.iter()
                .all(|(drawn, steps)| !drawn.is_empty() && *steps > 0)
        );
        assert_eq!(decoy, real, "{kind:?}");
    });
}
