//! Which of Vonage's voices speaks a language.

use crate::voices::Voice;

/// What `talk` takes as `language` ("Supported languages", Vonage's guide "Text to Speech").
pub(super) const VOICES: &[Voice] = &[
    ("ar", &["ar"]),
    ("bn-IN", &["bn"]),
    ("ca-ES", &["ca"]),
    ("cmn-CN", &["zh"]),
    ("cmn-TW", &["zh-tw", "zh-hant"]),
    ("cs-CZ", &["cs"]),
    ("cy-GB", &["cy"]),
    ("da-DK", &["da"]),
    ("de-DE", &["de"]),
    ("el-GR", &["el"]),
    ("en-AU", &["en-au", "en-nz"]),
    ("en-GB", &["en-gb", "en-ie"]),
    ("en-GB-WLS", &["en-gb-wls"]),
    ("en-IN", &["en-in"]),
    ("en-US", &["en"]),
    ("en-ZA", &["en-za"]),
    ("es-ES", &["es"]),
    ("es-MX", &["es-mx", "es-419"]),
    ("es-US", &["es-us"]),
    ("eu-ES", &["eu"]),
    ("fi-FI", &["fi"]),
    ("fil-PH", &["fil", "tl"]),
    ("fr-CA", &["fr-ca"]),
    ("fr-FR", &["fr"]),
    ("he-IL", &["he"]),
    ("hi-IN", &["hi"]),
    ("hu-HU", &["hu"]),
    ("id-ID", &["id"]),
    ("is-IS", &["is"]),
    ("it-IT", &["it"]),
    ("ja-JP", &["ja"]),
    ("ko-KR", &["ko"]),
    ("ml-IN", &["ml"]),
    ("nb-NO", &["nb", "nn", "no"]),
    ("nl-NL", &["nl"]),
    ("pl-PL", &["pl"]),
    ("pt-BR", &["pt"]),
    ("pt-PT", &["pt-pt", "pt-ao", "pt-mz"]),
    ("ro-RO", &["ro"]),
    ("ru-RU", &["ru"]),
    ("sk-SK", &["sk"]),
    ("sv-SE", &["sv"]),
    ("ta-IN", &["ta"]),
    ("te-IN", &["te"]),
    ("th-TH", &["th"]),
    ("tr-TR", &["tr"]),
    ("uk-UA", &["uk"]),
    ("vi-VN", &["vi"]),
    ("yue-CN", &["yue", "zh-hk", "zh-mo"]),
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
                ("en", Some("en-CA"), Some("en-US")),
                ("ar", Some("ar-EG"), Some("ar")),
                ("zh", Some("zh-Hant-TW"), Some("cmn-TW")),
                ("zh", Some("zh-Hans-CN"), Some("cmn-CN")),
            ],
        );
    }
}
