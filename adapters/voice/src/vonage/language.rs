//! Which of Vonage's voices speaks a language.

use crate::voices::{self, Voice};

/// The language of the words that are always there.
pub(super) const ENGLISH: &str = "en-US";

/// What `talk` takes as `language` ("Supported languages", Vonage's guide "Text to Speech").
const VOICES: [Voice; 49] = [
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

/// The voice for words of the locale `template`, where a region of it may be `asked` for.
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
            ("en", Some("en-CA"), Some("en-US")),
            ("en", Some("fi-FI"), Some("en-US")),
            ("nb", Some("nn-NO"), Some("nb-NO")),
            ("ar", Some("ar-EG"), Some("ar")),
            ("pt", Some("pt_PT"), Some("pt-PT")),
            ("pt", None, Some("pt-BR")),
            ("zh", Some("zh-Hant-TW"), Some("cmn-TW")),
            ("zh", Some("zh-Hans-CN"), Some("cmn-CN")),
            ("lt", Some("lt-LT"), None),
        ] {
            assert_eq!(of(template, asked), expected, "{template} {asked:?}");
        }
    }

    #[test]
    fn no_tag_has_two_voices_and_none_is_out_of_reach() {
        let mut tags: Vec<_> = VOICES.iter().flat_map(|(_, tags)| *tags).collect();
        let count = tags.len();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), count);
        assert!(tags.iter().all(|tag| **tag == tag.to_ascii_lowercase()));
    }
}
