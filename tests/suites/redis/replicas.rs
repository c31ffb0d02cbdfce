//! Waiting for replicas: an answer that they do not have is withheld.

use std::time::Duration;

use countersign::{CheckRequest, StoreError};

use crate::parts::redis::sentinel::RedisSentinel;
use crate::stage::{Desk, connect, options, wrong};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_no_replica_has_is_withheld() {
    let site = RedisSentinel::start();
    let mut options = options();
    options.wait_for_replicas = 1;
    options.replica_timeout = Duration::from_millis(300);
    let desk = Desk::over(connect(&site.url(), options.clone()).await as _);
    let sent = desk.send(12).await;
    assert_eq!(desk.try_all(&sent[..10]).await, 10);
    let (guessed, named) = (&sent[10], &sent[11]);
    // Connected, and silent.
    let replica = &site.servers[1 - site.primary()];
    replica.pause();
    let lost = desk.check(&guessed.id, wrong(&guessed.code)).await;
    assert!(
        matches!(lost, Err(StoreError::Indeterminate { .. })),
        "{lost:?}"
    );
    // Repeated with its attempt id, an approval is still not the replica's; nor for
    // another process, whose connections have written nothing.
    let other = Desk::over(connect(&site.url(), options).await as _);
    let mut request = CheckRequest::new(&desk.tenant, &named.id, &named.code);
    request.attempt_id = Some("the-same-attempt");
    for asked in [&desk, &desk, &other] {
        let verdict = asked.verifier.check(&request).await;
        assert!(verdict.is_err(), "{verdict:?}");
    }
    replica.resume();
    assert!(other.verifier.check(&request).await.unwrap().is_verified());
}
