//! What single bytes of a session stand for. A byte that no writer writes stands for nothing.

use crate::code::{Alphabet, CodeForm};
use crate::destination::Channel;
use crate::record::view::{DeliveryState, SessionState};

/// What a session was opened as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Flags {
    pub(crate) known_device: bool,
    pub(crate) decoy: bool,
    pub(crate) custom: bool,
}

/// The flags, and whether a prefix follows at the end.
#[inline]
pub(crate) const fn flags(byte: u8) -> Option<(Flags, bool)> {
    if byte > 0b1111 {
        return None;
    }
    Some(known_flags(byte))
}

/// The same of a byte that was read strictly before.
#[inline]
pub(crate) const fn known_flags(byte: u8) -> (Flags, bool) {
    let flags = Flags {
        known_device: byte & 1 != 0,
        decoy: byte & 2 != 0,
        custom: byte & 4 != 0,
    };
    (flags, byte & 8 != 0)
}

pub(crate) fn of_flags(flags: Flags, prefix: bool) -> u8 {
    u8::from(flags.known_device)
        | u8::from(flags.decoy) << 1
        | u8::from(flags.custom) << 2
        | u8::from(prefix) << 3
}

#[inline]
pub(crate) const fn state(byte: u8) -> Option<SessionState> {
    Some(match byte {
        0 => SessionState::Live,
        1 => SessionState::Verified,
        2 => SessionState::Exhausted,
        3 => SessionState::Expired,
        4 => SessionState::Cancelled,
        5 => SessionState::Undeliverable,
        _ => return None,
    })
}

pub(crate) const fn of_state(state: SessionState) -> u8 {
    match state {
        SessionState::Live => 0,
        SessionState::Verified => 1,
        SessionState::Exhausted => 2,
        SessionState::Expired => 3,
        SessionState::Cancelled => 4,
        SessionState::Undeliverable => 5,
    }
}

#[inline]
pub(crate) const fn channel_and_delivery(byte: u8) -> Option<(Channel, DeliveryState)> {
    let channel = match byte >> 4 {
        0 => Channel::Sms,
        1 => Channel::Voice,
        2 => Channel::Email,
        _ => return None,
    };
    let delivery = match byte & 0xf {
        0 => DeliveryState::Unknown,
        1 => DeliveryState::Accepted,
        2 => DeliveryState::Failed,
        3 => DeliveryState::Delivered,
        _ => return None,
    };
    Some((channel, delivery))
}

pub(crate) const fn of_channel_and_delivery(channel: Channel, delivery: DeliveryState) -> u8 {
    let channel = match channel {
        Channel::Sms => 0,
        Channel::Voice => 1,
        Channel::Email => 2,
    };
    let delivery = match delivery {
        DeliveryState::Unknown => 0,
        DeliveryState::Accepted => 1,
        DeliveryState::Failed => 2,
        DeliveryState::Delivered => 3,
    };
    channel << 4 | delivery
}

#[inline]
pub(crate) fn form(byte: u8) -> Option<CodeForm> {
    let alphabet = match byte >> 4 {
        0 => Alphabet::Digits,
        1 => Alphabet::Alphanumeric,
        _ => return None,
    };
    CodeForm::new(byte & 0xf, alphabet).ok()
}

pub(crate) const fn of_form(form: CodeForm) -> u8 {
    let alphabet = match form.alphabet() {
        Alphabet::Digits => 0,
        Alphabet::Alphanumeric => 1,
    };
    alphabet << 4 | form.length()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes stand for something; each for another thing, and written as itself.
    fn read<T: PartialEq + std::fmt::Debug>(
        read: impl Fn(u8) -> Option<T>,
        write: impl Fn(&T) -> u8,
    ) -> usize {
        let known = (0..=u8::MAX).filter_map(|byte| Some((byte, read(byte)?)));
        known
            .inspect(|(byte, meaning)| assert_eq!(write(meaning), *byte, "{meaning:?}"))
            .count()
    }

    #[test]
    fn every_byte_stands_for_one_thing_or_nothing() {
        assert_eq!(read(flags, |(flags, prefix)| of_flags(*flags, *prefix)), 16);
        assert_eq!(read(state, |state| of_state(*state)), 6);
        let travels = |(channel, delivery): &(_, _)| of_channel_and_delivery(*channel, *delivery);
        assert_eq!(read(channel_and_delivery, travels), 12);
        // Codes of 4 to 10 digits or characters.
        assert_eq!(read(form, |form| of_form(*form)), 14);
    }
}
