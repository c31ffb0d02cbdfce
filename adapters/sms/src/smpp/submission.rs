//! A message as `submit_sm`, part by part.

use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use countersign_messages::segments::Encoding;
use rusmpp::pdus::SubmitSm;
use rusmpp::types::OctetString;
use rusmpp::values::{
    DataCoding, EsmClass, IntermediateNotification, MCDeliveryReceipt, RegisteredDelivery,
    SmeOriginatedAcknowledgement,
};
use zeroize::Zeroizing;

use super::address::Address;
use super::validity::relative;
use crate::split::{Parts, split};

/// The header that puts parts together counts them in one octet.
const MAX_PARTS: usize = 255;
/// `esm_class`: the text begins with a user data header (SMPP 3.4, 5.2.12).
const WITH_HEADER: u8 = 0x40;

/// A message that is ready to be submitted.
pub(super) struct Submission {
    source: Address,
    destination: Address,
    text: Parts,
    reference: u8,
}

impl Submission {
    /// None for a text of more parts than can be put together.
    pub(super) fn new(
        source: &Address,
        destination: Address,
        text: &str,
        references: &References,
    ) -> Option<Self> {
        let text = split(text);
        let reference = match text.octets.len() {
            1 => 0,
            2..=MAX_PARTS => references.next(),
            _ => return None,
        };
        Some(Self {
            source: source.clone(),
            destination,
            text,
            reference,
        })
    }

    pub(super) fn parts(&self) -> usize {
        self.text.octets.len()
    }

    /// One part. `left`: the seconds for which the code is still good.
    pub(super) fn part(&self, index: usize, left: u64, receipt: bool) -> Option<SubmitSm> {
        let (class, octets) = self.user_data(index)?;
        // Lent to the codec rather than copied, so that it is wiped with the request.
        let octets = OctetString::from_bytes(Bytes::from_owner(octets)).ok()?;
        let pdu = SubmitSm::builder()
            .source_addr_ton(self.source.ton)
            .source_addr_npi(self.source.npi)
            .source_addr(self.source.text.clone())
            .dest_addr_ton(self.destination.ton)
            .dest_addr_npi(self.destination.npi)
            .destination_addr(self.destination.text.clone())
            // The codec's own default sets bits of ANSI-41.
            .esm_class(EsmClass::from(class))
            .validity_period(relative(left))
            .registered_delivery(registered(receipt))
            .data_coding(match self.text.encoding {
                Encoding::Gsm7 => DataCoding::McSpecific,
                Encoding::Ucs2 => DataCoding::Ucs2,
            })
            .short_message(octets);
        Some(pdu.build())
    }

    /// The class and the octets of a part, with its header if it is one of several (3GPP
    /// TS 23.040, 9.2.3.24.1: concatenated short messages, 8-bit reference number).
    fn user_data(&self, index: usize) -> Option<(u8, Zeroizing<Vec<u8>>)> {
        let part = self.text.octets.get(index)?;
        let (total, number) = (
            u8::try_from(self.parts()).ok()?,
            u8::try_from(index + 1).ok()?,
        );
        if total == 1 {
            return Some((0, part.clone()));
        }
        let mut octets = Zeroizing::new(Vec::with_capacity(6 + part.len()));
        octets.extend_from_slice(&[5, 0, 3, self.reference, total, number]);
        octets.extend_from_slice(part);
        Some((WITH_HEADER, octets))
    }
}

/// Named in full: the codec's default is not the same as none.
fn registered(receipt: bool) -> RegisteredDelivery {
    RegisteredDelivery::new(
        if receipt {
            MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccessOrFailure
        } else {
            MCDeliveryReceipt::NoMcDeliveryReceiptRequested
        },
        SmeOriginatedAcknowledgement::NoReceiptSmeAcknowledgementRequested,
        IntermediateNotification::NoIntermediaryNotificationRequested,
        0,
    )
}

/// Numbers by which a phone knows the parts of one message. They begin anywhere, so that
/// two servers, or one before and after a restart, rarely use the same.
#[derive(Debug)]
pub(super) struct References(AtomicU8);

impl References {
    pub(super) fn new() -> Self {
        let mut first = [0];
        // Without randomness they begin at zero, and are no worse than a counter.
        let _ = getrandom::fill(&mut first);
        Self(AtomicU8::new(first[0]))
    }

    fn next(&self) -> u8 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
