//! A delivery receipt: which message, and what became of it.

use rusmpp::pdus::{DataSm, DeliverSm};
use rusmpp::tlvs::{Tlv, TlvValue};
use rusmpp::values::{EsmClass, MessageState, MessageType};
use zeroize::Zeroizing;

/// The end of a message. States on the way to it are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    Failed,
}

/// What a receipt says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeliveryReceipt {
    /// The message's id, as it is written in the receipt; two where the optional
    /// parameter and the text differ.
    pub(super) ids: Vec<String>,
    pub(super) fate: Fate,
}

impl DeliveryReceipt {
    /// Reads a `deliver_sm`; none if it is no receipt, or says nothing final.
    pub(super) fn of_deliver_sm(pdu: &DeliverSm) -> Option<Self> {
        read(pdu.esm_class, pdu.short_message(), pdu.tlvs())
    }

    /// Reads a `data_sm`, in which some message centres send receipts.
    pub(super) fn of_data_sm(pdu: &DataSm) -> Option<Self> {
        read(pdu.esm_class, &[], pdu.tlvs())
    }
}

fn read(class: EsmClass, text: &[u8], tlvs: &[Tlv]) -> Option<DeliveryReceipt> {
    let values = || tlvs.iter().filter_map(Tlv::value);
    let id = values().find_map(|value| match value {
        TlvValue::ReceiptedMessageId(id) => Some(id.as_str().to_owned()),
        _ => None,
    });
    let state = values().find_map(|value| match value {
        TlvValue::MessageState(state) => Some(*state),
        _ => None,
    });
    let payload = values().find_map(|value| match value {
        TlvValue::MessagePayload(payload) => Some(payload.value.as_ref()),
        _ => None,
    });
    match class.message_type {
        MessageType::ShortMessageContainsMCDeliveryReceipt => {}
        // Some forget the class and send the optional parameters all the same.
        MessageType::Default if id.is_some() => {}
        _ => return None,
    }
    let text = Text::read(if text.is_empty() {
        payload.unwrap_or_default()
    } else {
        text
    });
    let fate = match state {
        Some(state) => of_state(state),
        None => text.field("stat").as_deref().and_then(of_word),
    };
    let mut ids: Vec<_> = [id, text.field("id")].into_iter().flatten().collect();
    ids.retain(|id| !id.is_empty());
    ids.dedup();
    Some(DeliveryReceipt { ids, fate: fate? })
}

const fn of_state(state: MessageState) -> Option<Fate> {
    match state {
        MessageState::Delivered => Some(Fate::Delivered),
        MessageState::Expired
        | MessageState::Deleted
        | MessageState::Undeliverable
        | MessageState::Rejected => Some(Fate::Failed),
        _ => None,
    }
}

fn of_word(word: &str) -> Option<Fate> {
    match word.to_ascii_uppercase().as_str() {
        "DELIVRD" => Some(Fate::Delivered),
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" => Some(Fate::Failed),
        _ => None,
    }
}

/// The text of a receipt: `id:… sub:… dlvrd:… submit date:… done date:… stat:… err:…
/// text:…` (SMPP 3.4, appendix B).
struct Text(Zeroizing<String>);

impl Text {
    fn read(octets: &[u8]) -> Self {
        // Without its zeros UCS-2 reads as ASCII, of which all fields are.
        let plain = octets.iter().filter(|b| **b != 0).map(|b| char::from(*b));
        let mut text: Zeroizing<String> = Zeroizing::new([' '].into_iter().chain(plain).collect());
        // What follows is the message's own, which may say anything, a code too.
        let start = text
            .as_bytes()
            .windows(6)
            .position(|six| six.eq_ignore_ascii_case(b" text:"));
        if let Some(end) = start {
            text.truncate(end);
        }
        Self(text)
    }

    fn field(&self, name: &str) -> Option<String> {
        self.0.split_ascii_whitespace().find_map(|word| {
            let (key, value) = word.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }
}

#[cfg(test)]
mod tests;
