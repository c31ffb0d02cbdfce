//! Locale names, and where to look when a language is not there.

/// The longest tag that RFC 5646 tells everybody to make room for.
const MAX_LEN: usize = 35;

/// The language that is always there.
const LAST: &str = "en";

/// The canonical form of a BCP 47 tag (lower case, hyphens), or none when the text is
/// not one. Only letters, digits and separators pass, so a locale can never be a path.
pub(crate) fn canonical(tag: &str) -> Option<String> {
    if tag.len() > MAX_LEN {
        return None;
    }
    let tag = tag.replace('_', "-").to_ascii_lowercase();
    let mut subtags = tag.split('-');
    let language = subtags.next()?;
    let is_language =
        (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let rest = |s: &str| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_language && subtags.all(rest)).then_some(tag)
}

/// The locales to try, the best first: the tag itself, the same with subtags cut off
/// from the end (traditional characters where the territory writes them), the sister
/// language for Norwegian, and English.
pub(crate) fn chain(tag: Option<&str>) -> Vec<String> {
    let mut chain = Vec::new();
    if let Some(tag) = tag.and_then(canonical) {
        let mut rest = tag.as_str();
        loop {
            chain.push(rest.to_owned());
            if matches!(rest, "zh-tw" | "zh-hk" | "zh-mo") {
                chain.push("zh-hant".to_owned());
            }
            let Some((shorter, _)) = rest.rsplit_once('-') else {
                break;
            };
            rest = shorter;
        }
        // Bokmål and Nynorsk read each other; `no` is the common parent of both.
        match rest {
            "nb" | "nn" => chain.extend(["nb".to_owned(), "no".to_owned()]),
            "no" => chain.extend(["nb".to_owned(), "nn".to_owned()]),
            _ => {}
        }
    }
    chain.push(LAST.to_owned());
    chain
}

#[cfg(test)]
mod tests {
    use super::{canonical, chain};

    #[test]
    fn the_chain_ends_in_english() {
        assert_eq!(chain(Some("nb-NO")), ["nb-no", "nb", "nb", "no", "en"]);
        assert_eq!(chain(Some("nn")), ["nn", "nb", "no", "en"]);
        assert_eq!(chain(Some("no")), ["no", "nb", "nn", "en"]);
        assert_eq!(
            chain(Some("zh_Hant_TW")),
            ["zh-hant-tw", "zh-hant", "zh", "en"]
        );
        for (tag, expected) in [
            ("zh-TW", ["zh-tw", "zh-hant", "zh", "en"]),
            ("zh-HK", ["zh-hk", "zh-hant", "zh", "en"]),
            ("zh-Hans-CN", ["zh-hans-cn", "zh-hans", "zh", "en"]),
        ] {
            assert_eq!(chain(Some(tag)), expected);
        }
        assert_eq!(chain(Some("zh-CN")), ["zh-cn", "zh", "en"]);
        assert_eq!(chain(Some("pt-BR")), ["pt-br", "pt", "en"]);
        assert_eq!(chain(None), ["en"]);
    }

    #[test]
    fn a41_what_is_not_a_locale_falls_back() {
        for tag in [
            "",
            "e",
            "../en",
            "en/..",
            "en\\x",
            "en\0",
            "{{code}}",
            "en\r\nBcc: a",
            "en--x",
            "-en",
            "en-",
            "1a",
            "english-language-of-somebody-somewhere",
            "en\u{2028}",
            "%0d%0a",
            "en.j2",
            "٠١",
        ] {
            assert_eq!(canonical(tag), None, "{tag:?}");
            assert_eq!(chain(Some(tag)), ["en"], "{tag:?}");
        }
    }
}
