//! Senders and recipients: number, type of number (TON) and numbering plan (NPI).

use std::str::FromStr;

use rusmpp::types::COctetString;
use rusmpp::values::{Npi, Ton};

/// An address as SMPP carries it (3.4, 5.2.5 to 5.2.9).
#[derive(Clone)]
pub(super) struct Address {
    pub(super) ton: Ton,
    pub(super) npi: Npi,
    pub(super) text: COctetString<1, 21>,
}

impl Address {
    /// Reads what an operator named as the sender.
    pub(super) fn sender(text: &str) -> Option<Self> {
        if let Some(international) = Self::number(text) {
            return Some(international);
        }
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        if digits && (3..=8).contains(&text.len()) {
            return Self::new(Ton::NetworkSpecific, Npi::Unknown, text);
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b" -._&".contains(&b);
        let named = text.bytes().any(|b| b.is_ascii_alphabetic());
        let fits = (1..=11).contains(&text.len()) && text.trim() == text;
        if named && fits && text.bytes().all(allowed) {
            return Self::new(Ton::Alphanumeric, Npi::Unknown, text);
        }
        None
    }

    /// Reads a number in international form (E.164), `+` and up to 15 digits.
    pub(super) fn number(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if fits && !digits.starts_with('0') {
            return Self::new(Ton::International, Npi::Isdn, digits);
        }
        None
    }

    fn new(ton: Ton, npi: Npi, text: &str) -> Option<Self> {
        let text = COctetString::from_str(text).ok()?;
        Some(Self { ton, npi, text })
    }
}

#[cfg(test)]
mod tests {
    use rusmpp::values::{Npi, Ton};

    use super::Address;

    #[test]
    fn ton_and_npi_follow_from_the_sender() {
        for (text, ton, npi, carried) in [
            ("Example", Ton::Alphanumeric, Npi::Unknown, "Example"),
            (
                "4u & me-2._",
                Ton::Alphanumeric,
                Npi::Unknown,
                "4u & me-2._",
            ),
            ("+4790000000", Ton::International, Npi::Isdn, "4790000000"),
            (
                "+123456789012345",
                Ton::International,
                Npi::Isdn,
                "123456789012345",
            ),
            ("2099", Ton::NetworkSpecific, Npi::Unknown, "2099"),
            ("12345678", Ton::NetworkSpecific, Npi::Unknown, "12345678"),
        ] {
            let read = Address::sender(text).expect(text);
            assert_eq!(
                (read.ton, read.npi, read.text.as_str()),
                (ton, npi, carried)
            );
        }
    }

    #[test]
    fn what_no_network_carries_as_a_sender_is_refused() {
        for text in [
            "",
            " ",
            "Twelve chars",
            " Ex",
            "Ex ",
            "Ørsted",
            "a\0b",
            "a\nb",
            "@home",
            "12",
            "123456789",
            "4790000000",
            "+",
            "+47",
            "+0790000000",
            "+1234567890123456",
            "+47 90",
        ] {
            assert!(Address::sender(text).is_none(), "{text:?}");
        }
    }
}
