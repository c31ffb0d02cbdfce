//! How keys are named in Redis.

use countersign::RecordKey;

/// Keys in a cluster are spread over so many slots.
pub(crate) const SLOTS: u16 = 16_384;

/// `cs:` and 16 hexadecimal digits, 19 bytes: short, and readable in `redis-cli`.
pub(crate) fn name(key: RecordKey) -> [u8; 19] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut name = *b"cs:0000000000000000";
    for (pair, byte) in name[3..].chunks_exact_mut(2).zip(key.to_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    name
}

/// The slot of a key in a cluster: CRC-16 (polynomial 0x1021, from zero) of its whole name,
/// which has no `{tag}`.
pub(crate) fn slot(name: &[u8]) -> u16 {
    let crc = name.iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_readable() {
        let key = RecordKey::from_bytes([0x00, 0x01, 0x2f, 0xa0, 0xff, 0x7f, 0x80, 0x0e]);
        assert_eq!(&name(key), b"cs:00012fa0ff7f800e");
    }

    #[test]
    fn slots_are_those_of_redis() {
        // The first is the check value of this CRC; all are what CLUSTER KEYSLOT answers.
        for (name, expected) in [("123456789", 0x31c3), ("foo", 12_182), ("", 0)] {
            assert_eq!(slot(name.as_bytes()), expected % SLOTS, "{name}");
        }
    }
}
