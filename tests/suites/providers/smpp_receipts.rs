//! SMPP receipts: in which forms they come, and what becomes of them.

use std::sync::Arc;

use countersign::DeliveryOutcome::{self, Delivered, Failed};
use countersign::Report;
use countersign_sms::smpp::Smpp;
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use crate::parts::smsc::Smsc;
use crate::smpp::{config, deliver_in, smpp, with_words, words};
use crate::stage::deliver;

/// Sends a message with a token, and returns its ids at the message centre.
async fn sent(smsc: &mut Smsc, smpp: &Arc<Smpp>, token: &str) -> Vec<Value> {
    deliver_in(smpp, None, Some(token)).await.unwrap();
    let submits = smsc.submits().await;
    for submit in &submits {
        assert_eq!(
            submit["registered"], 1,
            "the final outcome, and nothing else"
        );
    }
    submits
}

async fn reported(reports: &mut Receiver<Report>) -> (String, DeliveryOutcome) {
    let report = tokio::time::timeout(crate::stage::PATIENT, reports.recv()).await;
    let Report { token, outcome } = report.expect("a report").expect("a report");
    (token, outcome)
}

/// Whatever was said before the answer to a question has been read when that is there.
async fn settled(smsc: &mut Smsc) {
    smsc.order(json!({"raw": "00000010000000150000000000000063"}))
        .await;
    smsc.next("enquire_link_resp").await;
}

fn text(id: &str, state: &str) -> Value {
    let text = format!(
        "id:{id} sub:001 dlvrd:001 submit date:2611260101 done date:2611260102 stat:{state} err:000 text:"
    );
    json!({"esm_class": 4, "short_message": text})
}

#[tokio::test]
async fn receipts_in_every_form_find_their_message() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let mut reports = smpp.reports().unwrap();
    let mut number = 0;
    for ids in ["decimal", "hexadecimal"] {
        smsc.order(json!({"ids": ids})).await;
        for form in [
            "decimal",
            "hexadecimal",
            "padded",
            "parameters",
            "payload",
            "data_sm",
        ] {
            number += 1;
            let token = format!("token-{number}");
            let submits = sent(&mut smsc, &smpp, &token).await;
            let decimal = submits[0]["decimal"].as_str().unwrap().to_owned();
            let hexadecimal = format!("{:x}", decimal.parse::<u32>().unwrap());
            let parameters = json!({
                "esm_class": 4, "receipted_message_id": submits[0]["id"], "message_state": 2,
            });
            smsc.order(match form {
                "decimal" => json!({"deliver": text(&decimal, "DELIVRD")}),
                "hexadecimal" => json!({"deliver": text(&hexadecimal, "DELIVRD")}),
                "padded" => json!({"deliver": text(&format!("{hexadecimal:0>10}"), "DELIVRD")}),
                "parameters" => json!({"deliver": parameters}),
                "payload" => json!({"deliver": {
                    "esm_class": 4, "message_payload": text(&decimal, "DELIVRD")["short_message"],
                }}),
                _ => json!({"data": parameters}),
            })
            .await;
            let answer = if form == "data_sm" {
                "data_sm_resp"
            } else {
                "deliver_sm_resp"
            };
            assert_eq!(smsc.next(answer).await["status"], 0, "{ids} {form}");
            assert_eq!(
                reported(&mut reports).await,
                (token, Delivered),
                "{ids} {form}"
            );
        }
    }
}

#[tokio::test]
async fn only_the_end_of_a_message_is_told() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let mut reports = smpp.reports().unwrap();
    for (state, outcome) in [
        ("DELIVRD", Delivered),
        ("EXPIRED", Failed),
        ("DELETED", Failed),
        ("UNDELIV", Failed),
        ("REJECTD", Failed),
    ] {
        let submits = sent(&mut smsc, &smpp, state).await;
        let id = submits[0]["id"].as_str().unwrap().to_owned();
        for on_the_way in ["ENROUTE", "ACCEPTD", "UNKNOWN"] {
            smsc.order(json!({"deliver": text(&id, on_the_way)})).await;
        }
        let mut intermediate = text(&id, "DELIVRD");
        intermediate["esm_class"] = json!(0x20);
        smsc.order(json!({"deliver": intermediate})).await;
        // A person's message that looks like a receipt.
        let mut person = text(&id, "DELIVRD");
        person["esm_class"] = json!(0);
        smsc.order(json!({"deliver": person})).await;
        settled(&mut smsc).await;
        assert!(reports.try_recv().is_err(), "{state}");
        smsc.order(json!({"deliver": text(&id, state)})).await;
        assert_eq!(reported(&mut reports).await, (state.to_owned(), outcome));
        // The same once more is no second report.
        smsc.order(json!({"deliver": text(&id, state)})).await;
        settled(&mut smsc).await;
        assert!(reports.try_recv().is_err(), "{state}");
    }
}

#[tokio::test]
async fn a_receipt_beside_or_before_the_answer_finds_its_message() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let mut reports = smpp.reports().unwrap();
    for when in ["same", "early"] {
        smsc.order(json!({"submit": [when], "ids": "hexadecimal"}))
            .await;
        sent(&mut smsc, &smpp, when).await;
        assert_eq!(reported(&mut reports).await, (when.to_owned(), Delivered));
    }
}

#[tokio::test]
async fn a_long_message_is_delivered_when_all_its_parts_are() {
    let mut smsc = Smsc::start();
    let (words, _folder) = words(&format!("{{{{ code }}}} {}", "a".repeat(400)));
    let smpp = with_words(config(&smsc), words);
    let mut reports = smpp.reports().unwrap();
    for (states, outcome) in [
        (["DELIVRD", "DELIVRD", "DELIVRD"], Delivered),
        (["DELIVRD", "UNDELIV", "DELIVRD"], Failed),
    ] {
        let submits = sent(&mut smsc, &smpp, "long").await;
        assert_eq!(submits.len(), 3);
        for (index, state) in [2, 0, 1].into_iter().zip(states) {
            settled(&mut smsc).await;
            if outcome == Delivered {
                assert!(reports.try_recv().is_err(), "a part is missing");
            }
            let id = submits[index]["id"].as_str().unwrap();
            smsc.order(json!({"deliver": text(id, state)})).await;
        }
        assert_eq!(reported(&mut reports).await, ("long".to_owned(), outcome));
        settled(&mut smsc).await;
        assert!(reports.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_not_reported() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let mut reports = smpp.reports().unwrap();
    smsc.order(json!({"submit": ["cut"]})).await;
    let lost = deliver_in(&smpp, None, Some("lost")).await;
    assert!(lost.unwrap_err().left_possibly());
    let id = smsc.submits().await[0]["id"].as_str().unwrap().to_owned();
    deliver(&*smpp).await.unwrap();
    smsc.order(json!({"deliver": text(&id, "DELIVRD")})).await;
    settled(&mut smsc).await;
    assert!(reports.try_recv().is_err());
}

#[tokio::test]
async fn receipts_are_asked_for_only_while_they_are_read() {
    let mut smsc = Smsc::start();
    let with_token = async |smpp: &Arc<Smpp>| {
        deliver_in(smpp, None, Some("token")).await.unwrap();
    };
    let registered = async |smsc: &mut Smsc| smsc.next("submit").await["registered"].clone();
    let smpp_read = smpp(config(&smsc));
    with_token(&smpp_read).await;
    assert_eq!(
        registered(&mut smsc).await,
        0,
        "nobody has asked for reports yet"
    );
    let reports = smpp_read.reports();
    with_token(&smpp_read).await;
    assert_eq!(registered(&mut smsc).await, 1);
    deliver(&*smpp_read).await.unwrap();
    assert_eq!(registered(&mut smsc).await, 0, "no token");
    drop(reports);
    with_token(&smpp_read).await;
    assert_eq!(registered(&mut smsc).await, 0, "nobody reads any more");

    let transmitter = smpp(config(&smsc).transmitter_only());
    let _reports = transmitter.reports();
    with_token(&transmitter).await;
    assert_eq!(
        registered(&mut smsc).await,
        0,
        "a transmitter receives none"
    );
}
