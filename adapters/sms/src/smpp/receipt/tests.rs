use std::str::FromStr;

use rusmpp::tlvs::{
    MessageDeliveryRequestTlvValue as Deliver, MessageSubmissionRequestTlvValue, Tlv,
};
use rusmpp::types::{AnyOctetString, COctetString};
use rusmpp::values::{EsmClass, MessagePayload, MessageState};

use super::{DeliveryReceipt, Fate, read};

const RECEIPT: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;

fn state(state: MessageState) -> Tlv {
    Tlv::from(rusmpp::tlvs::TlvValue::MessageState(state))
}

fn id(id: &str) -> Tlv {
    Tlv::from(rusmpp::tlvs::TlvValue::ReceiptedMessageId(
        COctetString::from_str(id).unwrap(),
    ))
}

fn of(class: u8, text: &str, tlvs: &[Tlv]) -> Option<DeliveryReceipt> {
    read(EsmClass::from(class), text.as_bytes(), tlvs)
}

fn receipt(ids: &[&str], fate: Fate) -> DeliveryReceipt {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    DeliveryReceipt { ids, fate }
}

#[test]
fn the_text_of_appendix_b_is_read() {
    for (word, fate) in [
        ("DELIVRD", Some(Fate::Delivered)),
        ("delivrd", Some(Fate::Delivered)),
        ("EXPIRED", Some(Fate::Failed)),
        ("DELETED", Some(Fate::Failed)),
        ("UNDELIV", Some(Fate::Failed)),
        ("REJECTD", Some(Fate::Failed)),
        ("ENROUTE", None),
        ("ACCEPTD", None),
        ("UNKNOWN", None),
        ("", None),
    ] {
        let text = format!(
            "id:0123456789 sub:001 dlvrd:001 submit date:2611260101 done date:2611260102 stat:{word} err:000 text:Your code"
        );
        let expected = fate.map(|fate| receipt(&["0123456789"], fate));
        assert_eq!(of(RECEIPT, &text, &[]), expected, "{word}");
    }
}

#[test]
fn the_optional_parameters_are_read_before_the_text() {
    let text = "id:77 stat:ENROUTE err:000";
    let both = [id("4d"), state(MessageState::Delivered)];
    assert_eq!(
        of(RECEIPT, text, &both),
        Some(receipt(&["4d", "77"], Fate::Delivered))
    );
    assert_eq!(
        of(RECEIPT, "", &both),
        Some(receipt(&["4d"], Fate::Delivered))
    );
    // Some leave the class out.
    assert_eq!(of(0, "", &both), Some(receipt(&["4d"], Fate::Delivered)));
    for (given, fate) in [
        (MessageState::Expired, Some(Fate::Failed)),
        (MessageState::Deleted, Some(Fate::Failed)),
        (MessageState::Undeliverable, Some(Fate::Failed)),
        (MessageState::Rejected, Some(Fate::Failed)),
        (MessageState::Enroute, None),
        (MessageState::Accepted, None),
        (MessageState::Unknown, None),
    ] {
        let expected = fate.map(|fate| receipt(&["77"], fate));
        assert_eq!(of(RECEIPT, "id:77 stat:DELIVRD", &[state(given)]), expected);
    }
}

#[test]
fn a_text_in_the_payload_or_in_ucs2_is_read() {
    let text = b"id:77 stat:UNDELIV err:001".to_vec();
    let payload = MessagePayload::new(AnyOctetString::from_vec(text.clone()));
    let payload = Tlv::from(rusmpp::tlvs::TlvValue::MessagePayload(payload));
    assert_eq!(
        of(RECEIPT, "", &[payload]),
        Some(receipt(&["77"], Fate::Failed))
    );
    let wide: Vec<_> = text.iter().flat_map(|b| [0, *b]).collect();
    let read = read(EsmClass::from(RECEIPT), &wide, &[]);
    assert_eq!(read, Some(receipt(&["77"], Fate::Failed)));
}

#[test]
fn a_message_that_quotes_a_receipt_says_nothing() {
    let quoted = "id:77 stat:ENROUTE err:000 Text:id:1 stat:DELIVRD";
    assert_eq!(of(RECEIPT, quoted, &[]), None);
    let only_quoted = "id:77 err:000 Text:your code is stat:DELIVRD";
    assert_eq!(of(RECEIPT, only_quoted, &[]), None);
    // Somebody's message to us is no receipt, whatever it says.
    assert_eq!(of(0, "id:77 stat:DELIVRD", &[]), None);
    let both = [id("77"), state(MessageState::Delivered)];
    assert_eq!(of(INTERMEDIATE, "id:77 stat:DELIVRD", &both), None);
}

#[test]
fn what_is_no_receipt_at_all_does_no_harm() {
    for text in [
        "",
        "id:",
        "stat:",
        ":::",
        "id:77",
        "stat:DELIVRD text:",
        "\u{7f}\u{1}",
    ] {
        let found = of(RECEIPT, text, &[]);
        assert!(
            found.is_none_or(|receipt| receipt.ids.is_empty()),
            "{text:?}"
        );
    }
}

#[test]
fn both_pdus_are_read() {
    let tlvs = vec![
        Deliver::ReceiptedMessageId(COctetString::from_str("77").unwrap()),
        Deliver::MessageState(MessageState::Delivered),
    ];
    let mut deliver = rusmpp::pdus::DeliverSm::builder().tlvs(tlvs).build();
    deliver.esm_class = EsmClass::from(RECEIPT);
    assert_eq!(
        DeliveryReceipt::of_deliver_sm(&deliver),
        Some(receipt(&["77"], Fate::Delivered))
    );
    let text = AnyOctetString::from_vec(b"id:77 stat:DELIVRD".to_vec());
    let payload = MessageSubmissionRequestTlvValue::MessagePayload(MessagePayload::new(text));
    let mut data = rusmpp::pdus::DataSm::builder().tlvs(vec![payload]).build();
    data.esm_class = EsmClass::from(RECEIPT);
    assert_eq!(
        DeliveryReceipt::of_data_sm(&data),
        Some(receipt(&["77"], Fate::Delivered))
    );
}
