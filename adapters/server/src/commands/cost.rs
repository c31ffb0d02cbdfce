//! What a message to a number would cost, channel by channel, as the number plan has it.

use countersign::{Channel, Destination, NumberPlan as _, PhoneNumber};
use countersign_numbers::Numbers;

/// Which number it is, masked, and one sentence on every phone channel.
///
/// # Errors
/// What is wrong with the number.
pub(super) fn of(numbers: &Numbers, text: &str) -> Result<(String, String), String> {
    let number = numbers.read(text).map_err(|error| error.to_string())?;
    let country = numbers.facts(&number).country;
    let channels = [Channel::Sms, Channel::Voice].map(|channel| one(numbers, channel, &number));
    let name = Destination::Phone(number).masked();
    let country = country.unwrap_or_else(|| "no country's number".to_owned());
    Ok((name, format!("{country}; {}", channels.join("; "))))
}

fn one(numbers: &Numbers, channel: Channel, number: &PhoneNumber) -> String {
    let name = channel.name();
    match numbers.serve(channel, number) {
        Ok(served) if served.price_micros == 0 => format!("{name} has no price"),
        Ok(served) => format!("{name} {}", decimal(served.price_micros)),
        Err(unserved) => format!("{name} is refused: {unserved}"),
    }
}

/// Millionths as a decimal number, without zeros at its end.
fn decimal(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use countersign_numbers::NumbersConfig;

    use super::*;

    #[test]
    fn every_channel_is_told_and_the_number_is_masked() {
        let config = NumbersConfig::new()
            .countries(Channel::Sms, ["NO"])
            .providers(Channel::Sms, ["twilio"])
            .price(Channel::Sms, "NO", "twilio", "0.0520");
        let numbers = Numbers::new(&config).unwrap();
        let (name, told) = of(&numbers, "+47 406 12 345").unwrap();
        assert!(!name.contains("406"), "{name}");
        assert!(
            told.starts_with("NO; sms 0.052; voice is refused: "),
            "{told}"
        );
        assert!(of(&numbers, "12").is_err());
    }

    #[test]
    fn millionths_are_a_decimal_number() {
        let pairs = [(1, "0.000001"), (52_100, "0.0521"), (2_000_000, "2")];
        for (micros, text) in pairs {
            assert_eq!(decimal(micros), text);
        }
    }
}
