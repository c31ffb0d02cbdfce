//! SMPP with a message centre that refuses, falls silent or goes away. What counts is how
//! many messages it got, and what the caller was told.

use std::sync::Arc;
use std::time::Duration;

use countersign::Permanent::{self, InvalidDestination, Refused, Unauthorised};
use countersign::{DeliverError, Receipt};
use countersign_sms::smpp::{Smpp, SmppConfig};
use serde_json::{Value, json};

use crate::parts::smsc::{Smsc, only};
use crate::smpp::{config, smpp, with_words, words};
use crate::stage::{CODE, PATIENT, SHORT, TO, assert_hides, deliver};

/// For a message centre that answers at first, on a loaded machine, and then no more.
const BRIEF: Duration = Duration::from_secs(3);

fn assert_not_left(error: &DeliverError) {
    assert!(error.is_transient() && !error.left_possibly(), "{error:?}");
}

fn assert_may_have_left(error: &DeliverError) {
    assert!(error.is_transient() && error.left_possibly(), "{error:?}");
}

fn together(smpp: &Arc<Smpp>, count: usize) -> Vec<tokio::task::JoinHandle<Delivered>> {
    let send = || {
        let smpp = Arc::clone(smpp);
        tokio::spawn(async move { deliver(&*smpp).await })
    };
    (0..count).map(|_| send()).collect()
}

type Delivered = Result<Receipt, DeliverError>;

#[tokio::test]
async fn a_refused_bind_is_told_by_its_status() {
    let mut smsc = Smsc::start();
    for (status, reason) in [
        (14, Some(Unauthorised)),
        (13, Some(Unauthorised)),
        (15, Some(Unauthorised)),
        (5, None),
        (8, None),
    ] {
        smsc.order(json!({"bind": status})).await;
        let smpp = smpp(config(&smsc).timeout(SHORT));
        let error = deliver(&*smpp).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{status}");
        assert!(!error.left_possibly());
        assert_hides(
            &format!("{error} {error:?} {smpp:?}"),
            &["esme", "s3cret77"],
        );
        smpp.close().await;
    }
    assert_eq!(smsc.submits().await.len(), 0);
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_by_every_message() {
    let mut smsc = Smsc::start();
    smsc.order(json!({"bind": 14})).await;
    let smpp = smpp(config(&smsc));
    for delivered in together(&smpp, 50) {
        let error = delivered.await.unwrap().unwrap_err();
        assert_eq!(error.reason(), Some(Unauthorised));
    }
    // One after the other they are told at once what the last bind found.
    for _ in 0..8 {
        let error = deliver(&*smpp).await.unwrap_err();
        assert_eq!(error.reason(), Some(Unauthorised));
    }
    let binds = only(smsc.happened().await, "bind").len();
    assert!((1..=5).contains(&binds), "{binds} binds for 58 messages");
    // Once the operator has mended it, the next bind finds out by itself.
    smsc.order(json!({"bind": 0})).await;
    smsc.next("bind").await;
    let mut last = deliver(&*smpp).await;
    while last
        .as_ref()
        .is_err_and(|error| error.reason() == Some(Unauthorised))
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
        last = deliver(&*smpp).await;
    }
    last.unwrap();
    assert_eq!(smsc.submits().await.len(), 1);
}

#[tokio::test]
async fn a_refused_submit_is_told_by_its_status() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let table: [(u32, Option<Permanent>, Option<u64>); 7] = [
        (0x58, None, Some(1)),
        (0x14, None, Some(10)),
        (0x45, None, None),
        (0x08, None, None),
        (0x0b, Some(InvalidDestination), None),
        (0x0a, Some(Unauthorised), None),
        (0x01, Some(Refused), None),
    ];
    for (status, reason, pause) in table {
        smsc.order(json!({"submit": [status]})).await;
        let error = deliver(&*smpp).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{status:#x}");
        assert_eq!(
            error.retry_after(),
            pause.map(Duration::from_secs),
            "{status:#x}"
        );
        assert!(!error.left_possibly());
        assert_hides(&format!("{error} {error:?}"), &["esme"]);
    }
    // None of it costs the connection, and none is submitted again.
    smsc.happened().await;
    deliver(&*smpp).await.unwrap();
    let happened = smsc.happened().await;
    assert_eq!(only(happened.clone(), "submit").len(), 1);
    assert_eq!(only(happened, "bind").len(), 0);
}

#[tokio::test]
async fn a_part_that_is_refused_after_another_was_taken_says_so() {
    let mut smsc = Smsc::start();
    let (words, _folder) = words(&format!("{{{{ code }}}} {}", "a".repeat(300)));
    let smpp = with_words(config(&smsc), words);
    smsc.order(json!({"submit": ["ok", 0x58]})).await;
    let error = deliver(&*smpp).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert!(error.left_possibly(), "the first part has left");
    smsc.order(json!({"submit": [0x58]})).await;
    let error = deliver(&*smpp).await.unwrap_err();
    assert!(!error.left_possibly());
    assert_eq!(smsc.submits().await.len(), 1);
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_may_have_sent_it_once() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    for how in ["cut", "half"] {
        smsc.order(json!({"submit": [how]})).await;
        assert_may_have_left(&deliver(&*smpp).await.unwrap_err());
        // The next one goes over the next connection, and the lost one is not repeated.
        deliver(&*smpp).await.unwrap();
        let happened = smsc.happened().await;
        assert_eq!(only(happened, "submit").len(), 2, "{how}");
    }
}

#[tokio::test]
async fn a_connection_cut_after_the_bind_has_sent_nothing() {
    let mut smsc = Smsc::start();
    smsc.order(json!({"bind": "cut"})).await;
    let smpp = smpp(config(&smsc).timeout(SHORT));
    let error = deliver(&*smpp).await.unwrap_err();
    let submits = smsc.submits().await.len();
    // Written into a connection that is ending, it may have left for all we know.
    assert!(error.is_transient() && submits <= 1);
    assert!(error.left_possibly() || submits == 0);
    smsc.order(json!({"bind": 0})).await;
    smsc.next("bind").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_cut_in_the_middle_is_told_one_by_one() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc).window(4));
    smsc.order(json!({"submit": ["silent", "silent", "silent", "cut"]}))
        .await;
    let (mut left, mut not_left) = (0, 0);
    for delivered in together(&smpp, 10) {
        match delivered.await.unwrap() {
            Err(error) if error.left_possibly() => left += 1,
            Err(error) => {
                assert_not_left(&error);
                not_left += 1;
            }
            Ok(_) => panic!("none was taken"),
        }
    }
    assert_eq!((left, not_left), (4, 6));
    assert_eq!(smsc.submits().await.len(), 4);
    deliver(&*smpp).await.unwrap();
}

#[tokio::test]
async fn a_silent_message_centre_gets_no_more_than_the_window() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc).window(1).timeout(BRIEF));
    // Bound in good time, so that the time-out below is the submit's alone.
    smsc.order(json!({"submit": ["ok", "silent"]})).await;
    while deliver(&*smpp).await.is_err() {}
    assert_may_have_left(&deliver(&*smpp).await.unwrap_err());
    assert_not_left(&deliver(&*smpp).await.unwrap_err());
    let submits = smsc.submits().await;
    assert_eq!(submits.len(), 2, "{submits:?}");
}

#[tokio::test]
async fn a_bind_without_an_answer_has_sent_nothing() {
    let mut smsc = Smsc::start();
    smsc.order(json!({"bind": "silent"})).await;
    assert_not_left(
        &deliver(&*smpp(config(&smsc).timeout(SHORT)))
            .await
            .unwrap_err(),
    );
    let unused = crate::parts::ports::free_port();
    let nobody = SmppConfig::new(&format!("smpp://esme@127.0.0.1:{unused}"), "Example");
    let nobody = smpp(nobody.password("s3cret77").timeout(PATIENT));
    assert_not_left(&deliver(&*nobody).await.unwrap_err());
    assert_eq!(smsc.submits().await.len(), 0);
}

#[tokio::test]
async fn a_connection_that_does_not_answer_is_made_again() {
    let mut smsc = Smsc::start();
    let settings = config(&smsc)
        .enquire_link(Duration::from_secs(1))
        .timeout(BRIEF);
    let smpp = smpp(settings);
    while deliver(&*smpp).await.is_err() {}
    smsc.next("submit").await;
    smsc.next("enquire_link").await;
    smsc.next("enquire_link").await;
    smsc.order(json!({"enquire": false})).await;
    smsc.next("closed").await;
    smsc.order(json!({"enquire": true})).await;
    smsc.next("bind").await;
    while deliver(&*smpp).await.is_err() {}
    assert_eq!(smsc.submits().await.len(), 1);
}

#[tokio::test]
async fn what_a_message_centre_says_by_itself_is_answered() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let raw = |octets: &str| json!({"raw": octets});
    deliver(&*smpp).await.unwrap();
    // enquire_link; a command that nobody knows; both answered in place.
    smsc.order(raw("00000010000000150000000000000007")).await;
    assert_eq!(smsc.next("enquire_link_resp").await["sequence"], 7);
    smsc.order(raw("0000001000000eee0000000000000008")).await;
    let nack = smsc.next("generic_nack").await;
    assert_eq!((&nack["status"], &nack["sequence"]), (&json!(3), &json!(8)));
    // A length of 4 GB: nacked, and the connection is made again.
    smsc.order(raw("ffffffff000000150000000000000009")).await;
    assert_eq!(smsc.next("generic_nack").await["status"], 2);
    smsc.next("bind").await;
    deliver(&*smpp).await.unwrap();
    // A leave is answered, and the connection made again.
    smsc.order(json!({"unbind": true})).await;
    smsc.next("unbind_resp").await;
    smsc.next("bind").await;
    deliver(&*smpp).await.unwrap();
    // Half a PDU and the end: made again.
    smsc.order(raw("0000002000000005")).await;
    smsc.order(json!({"cut": true})).await;
    smsc.next("bind").await;
    deliver(&*smpp).await.unwrap();
    let last: Vec<Value> = smsc.submits().await;
    assert_eq!(last.len(), 1);
}

#[tokio::test]
async fn a37_nothing_of_a_message_shows() {
    let smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let receipt = deliver(&*smpp).await.unwrap();
    let shown = format!("{smpp:?} {receipt:?} {:?}", config(&smsc));
    assert_hides(&shown, &["s3cret77"]);
    assert!(!shown.contains(CODE) && !shown.contains(TO));
}
