//! Which of Twilio's voices speaks a language.

use crate::voices::{self, Voice};

/// The language of the words that are always there.
pub(super) const ENGLISH: &str = "en-US";

/// What `<Say>` takes as `language` (`www.twilio.com/docs/voice/twiml/say`).
const VOICES: [Voice; 34] = [
    ("arb", &["ar"]),
    ("ca-ES", &["ca"]),
    ("cy-GB", &["cy"]),
    ("da-DK", &["da"]),
    ("de-DE", &["de"]),
    ("en-AU", &["en-au", "en-nz"]),
    ("en-CA", &["en-ca"]),
    ("en-GB", &["en-gb", "en-ie"]),
    ("en-GB-WLS", &["en-gb-wls"]),
    ("en-IN", &["en-in"]),
    ("en-US", &["en"]),
    ("es-ES", &["es"]),
    ("es-MX", &["es-mx", "es-419"]),
    ("es-US", &["es-us"]),
    ("fi-FI", &["fi"]),
    ("fr-CA", &["fr-ca"]),
    ("fr-FR", &["fr"]),
    ("hi-IN", &["hi"]),
    ("is-IS", &["is"]),
    ("it-IT", &["it"]),
    ("ja-JP", &["ja"]),
    ("ko-KR", &["ko"]),
    ("nb-NO", &["nb", "nn", "no"]),
    ("nl-NL", &["nl"]),
    ("pl-PL", &["pl"]),
    ("pt-BR", &["pt"]),
    ("pt-PT", &["pt-pt", "pt-ao", "pt-mz"]),
    ("ro-RO", &["ro"]),
    ("ru-RU", &["ru"]),
    ("sv-SE", &["sv"]),
    ("tr-TR", &["tr"]),
    ("zh-CN", &["zh"]),
    ("zh-HK", &["zh-hk", "zh-mo", "yue"]),
    ("zh-TW", &["zh-tw", "zh-hant"]),
];

/// Twilio's voice for words of the locale `template`, in lower case, asked for as `asked`.
pub(super) fn of(template: &str, asked: Option<&str>) -> Option<&'static str> {
    voices::best(&VOICES, template, asked)
}

#[cfg(test)]
mod tests {
    use super::{VOICES, of};

    #[test]
    fn words_are_spoken_in_their_own_language() {
        for (template, asked, expected) in [
            ("en", None, Some("en-US")),
            ("en", Some("en-GB"), Some("en-GB")),
            ("en", Some("en_gb_oxendict"), Some("en-GB")),
            ("en", Some("en-ZA"), Some("en-US")),
            ("en", Some("fi-FI"), Some("en-US")),
            ("en", Some("eng"), Some("en-US")),
            ("nb", Some("nn-NO"), Some("nb-NO")),
            ("nb", Some("no"), Some("nb-NO")),
            ("ar", Some("ar-EG"), Some("arb")),
            ("pt", Some("pt-PT"), Some("pt-PT")),
            ("pt", None, Some("pt-BR")),
            ("zh", Some("zh-Hant-TW"), Some("zh-TW")),
            ("zh", Some("zh-Hant-HK"), Some("zh-TW")),
            ("zh-hant", None, Some("zh-TW")),
            ("zh", Some("zh-Hans-CN"), Some("zh-CN")),
            ("lt", Some("lt-LT"), None),
        ] {
            assert_eq!(of(template, asked), expected, "{template} {asked:?}");
        }
    }

    #[test]
    fn no_tag_has_two_voices_and_none_is_out_of_reach() {
        let tags: Vec<_> = VOICES.iter().flat_map(|(_, tags)| *tags).collect();
        for tag in &tags {
            assert_eq!(
                tags.iter().filter(|other| other == &tag).count(),
                1,
                "{tag}"
            );
            assert_eq!(**tag, tag.to_ascii_lowercase());
        }
    }
}
