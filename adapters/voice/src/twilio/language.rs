//! Which of Twilio's voices speaks a language.

use crate::voices::Voice;

/// What `<Say>` takes as `language` (`www.twilio.com/docs/voice/twiml/say`).
pub(super) const VOICES: &[Voice] = &[
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

#[cfg(test)]
mod tests {
    use super::VOICES;
    use crate::voices::tests::{assert_sound, assert_words};

    #[test]
    fn words_are_spoken_in_their_own_language() {
        assert_sound(VOICES);
        assert_words(
            VOICES,
            &[
                ("en", Some("en-ZA"), Some("en-US")),
                ("ar", Some("ar-EG"), Some("arb")),
                ("zh", Some("zh-Hant-TW"), Some("zh-TW")),
                ("zh", Some("zh-Hant-HK"), Some("zh-TW")),
                ("zh-hant", None, Some("zh-TW")),
                ("zh", Some("zh-Hans-CN"), Some("zh-CN")),
            ],
        );
    }
}
