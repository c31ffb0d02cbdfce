//! Which numbers are served, at what price, and what they are counted by.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use countersign::Channel::{Email, Sms, Voice};
use countersign::{Channel, NumberPlan, Served, Unserved};
use countersign_numbers::{Numbers, NumbersConfig, NumbersConfigError, Sort};

fn numbers(config: &NumbersConfig) -> Numbers {
    Numbers::new(config).unwrap()
}

fn serve(numbers: &Numbers, channel: Channel, number: &str) -> Result<Served, Unserved> {
    numbers.serve(channel, &numbers.read(number).unwrap())
}

fn country(name: &str) -> Result<Served, Unserved> {
    Err(Unserved::Country(name.to_owned()))
}

#[test]
fn a48_no_country_is_served_until_it_is_listed() {
    let nobody = numbers(&NumbersConfig::new());
    let norway = numbers(&NumbersConfig::new().countries(Sms, ["NO"]));
    for (number, name) in [
        ("+4740612345", "NO"),
        ("+46701234567", "SE"),
        ("+2203012345", "GM"),
        ("+9607712345", "MV"),
        ("+998912345678", "UZ"),
    ] {
        for channel in [Sms, Voice] {
            assert_eq!(serve(&nobody, channel, number), country(name));
        }
        // A list is of one channel.
        assert_eq!(serve(&norway, Voice, number), country(name));
        let served = serve(&norway, Sms, number);
        if name == "NO" {
            assert_eq!(served, Ok(Served::new("+47406", 0)));
        } else {
            assert_eq!(served, country(name));
        }
    }
}

#[test]
fn a48_a_country_is_not_its_calling_code() {
    let config = NumbersConfig::new().countries(Sms, ["US", "GB", "NO", "FI", "RU"]);
    let numbers = numbers(&config);
    for (number, name) in [
        ("+18762101234", "JM"),
        ("+18092345678", "DO"),
        ("+15062345678", "CA"),
        ("+447797712345", "JE"),
        ("+447781123456", "GG"),
        ("+441624756789", "IM"),
        ("+77710009998", "KZ"),
    ] {
        assert_eq!(serve(&numbers, Sms, number), country(name), "{name}");
    }
    for number in [
        "+12015550123",
        "+447400123456",
        "+358412345678",
        "+79123456789",
    ] {
        assert!(serve(&numbers, Sms, number).is_ok(), "{number}");
    }
}

#[test]
fn a48_numbers_of_no_country_are_never_served() {
    let every = Numbers::new(&NumbersConfig::new()).unwrap();
    for number in [
        "+870301234567",
        "+881612345678",
        "+8823421234",
        "+883510012345",
        "+80012345678",
    ] {
        assert_eq!(serve(&every, Sms, number), country("001"), "{number}");
    }
    let listed = Numbers::new(&NumbersConfig::new().countries(Sms, ["001"]));
    assert!(matches!(listed, Err(NumbersConfigError::Country { .. })));
}

#[test]
fn a48_costly_sorts_are_refused_in_a_listed_country() {
    let config = NumbersConfig::new();
    let config = config.countries(Sms, ["NO", "GB", "US", "BE", "BR", "CH", "IT", "NL"]);
    let numbers =
        numbers(&config.countries(Voice, ["NO", "GB", "US", "BE", "BR", "CH", "IT", "NL"]));
    let neither = |sort: Sort| (Some(sort), Some(sort));
    for (number, (by_sms, by_voice)) in [
        ("+4740612345", (None, None)),
        ("+12015550123", (None, None)),
        ("+4721234567", (Some(Sort::Fixed), None)),
        ("+4785012345", neither(Sort::Voip)),
        ("+4780012345", neither(Sort::TollFree)),
        ("+4782012345", neither(Sort::Premium)),
        ("+4781021234", neither(Sort::SharedCost)),
        ("+4788012345", neither(Sort::Personal)),
        ("+449012345678", neither(Sort::Premium)),
        ("+447012345678", neither(Sort::Personal)),
        ("+447640123456", neither(Sort::Pager)),
        ("+445512345678", neither(Sort::CompanyWide)),
        ("+41860123456789", neither(Sort::Voicemail)),
        ("+3290123456", neither(Sort::Premium)),
    ] {
        for (channel, refused) in [(Sms, by_sms), (Voice, by_voice)] {
            let answer = serve(&numbers, channel, number).err();
            let expected = refused.map(|sort| Unserved::Sort(sort.name()));
            assert_eq!(answer, expected, "{number} {channel:?}");
        }
    }
}

#[test]
fn some_sorts_are_served_where_asked_for() {
    let config = NumbersConfig::new()
        .countries(Sms, ["NO"])
        .countries(Voice, ["NO"]);
    let generous = numbers(&config.voip(Voice).fixed_lines_by_sms());
    assert!(serve(&generous, Sms, "+4721234567").is_ok());
    assert!(serve(&generous, Voice, "+4785012345").is_ok());
    assert_eq!(
        serve(&generous, Sms, "+4785012345"),
        Err(Unserved::Sort("internet telephony"))
    );
}

#[test]
fn nobodys_number_is_served_only_where_nothing_can_be_lost() {
    let strict = numbers(&NumbersConfig::new().countries(Sms, ["NO", "SE"]));
    for number in ["+4712345678", "+46999999999", "+999123456789", "+1234567"] {
        assert_eq!(
            serve(&strict, Sms, number),
            Err(Unserved::Invalid),
            "{number}"
        );
    }
    let console = numbers(&NumbersConfig::new().dangerous_any_number(Sms));
    for (number, prefix) in [
        ("+4712345678", "+47123"),
        ("+999123456789", "+9991234"),
        ("+4782012345", "+47820"),
        ("+18762101234", "+187621"),
    ] {
        assert_eq!(
            serve(&console, Sms, number),
            Ok(Served::new(prefix, 0)),
            "{number}"
        );
    }
    assert_eq!(
        serve(&console, Voice, "+4712345678"),
        Err(Unserved::Invalid)
    );
}

#[test]
fn a_prefix_is_a_block_of_100_000_numbers_and_never_a_person() {
    let numbers = numbers(&NumbersConfig::new().dangerous_any_number(Sms));
    for (number, prefix) in [
        ("+4740612345", "+47406"),
        ("+33612345678", "+336123"),
        ("+12015550123", "+120155"),
        ("+4915123456789", "+49151234"),
        ("+298211234", "+2982"),
        // Four digits are a whole country.
        ("+6834002", "+683"),
        ("+123456789012345", "+1234567890"),
    ] {
        assert_eq!(
            serve(&numbers, Sms, number).unwrap().prefix,
            prefix,
            "{number}"
        );
    }
    let of = |number| serve(&numbers, Sms, number).unwrap().prefix;
    assert_eq!(of("+4740612345"), of("+4740699999"));
    assert_ne!(of("+4740612345"), of("+4740712345"));
}

#[test]
fn the_dearest_provider_is_the_price() {
    let config = NumbersConfig::new()
        .countries(Sms, ["NO", "SE", "DK"])
        .countries(Voice, ["NO"])
        .providers(Sms, ["twilio", "vonage"])
        .price(Sms, "NO", "twilio", "0.0521")
        .price(Sms, "NO", "vonage", "0.059")
        .price(Sms, "NO", "unused", "9")
        .price(Sms, "SE", "twilio", "0.04");
    let numbers = numbers(&config);
    assert_eq!(
        serve(&numbers, Sms, "+4740612345").unwrap().price_micros,
        59_000
    );
    // Vonage might take it, at a price that nobody knows.
    let no_price = |country: &str| Err(Unserved::NoPrice(country.to_owned()));
    assert_eq!(serve(&numbers, Sms, "+46701234567"), no_price("SE"));
    assert_eq!(serve(&numbers, Sms, "+4520123456"), no_price("DK"));
    assert_eq!(numbers.unpriced(Sms), ["DK", "SE"]);
    // Another channel keeps no prices.
    assert_eq!(
        serve(&numbers, Voice, "+4740612345").unwrap().price_micros,
        0
    );
    assert!(numbers.unpriced(Voice).is_empty() && numbers.unpriced(Email).is_empty());
}

#[test]
fn a_mistake_in_the_configuration_names_its_field() {
    let refused = |config: NumbersConfig| Numbers::new(&config).unwrap_err().to_string();
    for (config, begins) in [
        (NumbersConfig::new().region("XX"), "numbers.region: `XX`"),
        (NumbersConfig::new().region("no"), "numbers.region: `no`"),
        (NumbersConfig::new().region("001"), "numbers.region: `001`"),
        (NumbersConfig::new().region(""), "numbers.region: ``"),
        (
            NumbersConfig::new().countries(Sms, ["NO", "UK"]),
            "sms.countries: `UK`",
        ),
        (
            NumbersConfig::new().countries(Voice, ["*"]),
            "voice.countries: `*`",
        ),
        (
            NumbersConfig::new().countries(Email, ["NO"]),
            "countries: `email`",
        ),
        (
            NumbersConfig::new().dangerous_any_number(Email),
            "dangerous_any_number: `email`",
        ),
        (
            NumbersConfig::new().price(Email, "NO", "smtp", "0"),
            "prices: `email`",
        ),
        (
            NumbersConfig::new().price(Sms, "Norway", "twilio", "0"),
            "prices.sms.Norway.twilio: `Norway`",
        ),
        (
            NumbersConfig::new().price(Sms, "NO", "twilio", "0,05"),
            "prices.sms.NO.twilio: is not a price",
        ),
        (
            NumbersConfig::new().price(Voice, "NO", "twilio", "52100"),
            "prices.voice.NO.twilio: is above 1000",
        ),
        (
            NumbersConfig::new()
                .price(Sms, "NO", "twilio", "1")
                .price(Sms, "NO", "twilio", "1"),
            "prices.sms.NO.twilio: is given twice",
        ),
    ] {
        let message = refused(config);
        assert!(message.starts_with(begins), "{message}");
    }
}

#[test]
fn email_has_no_numbers() {
    let numbers = numbers(&NumbersConfig::new().countries(Sms, ["NO"]));
    assert_eq!(
        serve(&numbers, Email, "+4740612345"),
        Err(Unserved::Invalid)
    );
}
