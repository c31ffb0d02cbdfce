//! Which of a provider's voices speaks the words of a locale.

/// A provider's name for a voice's language, and the tags that it serves, in lower case; a
/// language alone goes to where most of its speakers are.
pub(crate) type Voice = (&'static str, &'static [&'static str]);

/// The language of the words that are always there: every provider has a voice for it.
pub(crate) const ENGLISH: &str = "en-US";

/// The voice for words of the locale `template`, in lower case. Of the locale `asked` for
/// the region counts, where it is of the same language: `en-GB` is asked for and `en` is
/// what there are words in.
pub(crate) fn best(
    voices: &'static [Voice],
    template: &str,
    asked: Option<&str>,
) -> Option<&'static str> {
    let asked = asked.unwrap_or_default().replace('_', "-");
    let asked = asked.to_ascii_lowercase();
    let is_region = asked
        .strip_prefix(template)
        .is_some_and(|rest| rest.starts_with('-'));
    let mut tag = if is_region { asked.as_str() } else { template };
    loop {
        let serves = |(_, tags): &&Voice| tags.contains(&tag);
        if let Some((voice, _)) = voices.iter().find(serves) {
            return Some(voice);
        }
        (tag, _) = tag.rsplit_once('-')?;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{ENGLISH, Voice, best};

    /// What holds of every provider's voices: no tag has two of them, none is out of
    /// reach, and the languages that all of them speak are spoken by their own.
    #[track_caller]
    pub(crate) fn assert_sound(voices: &'static [Voice]) {
        let tags: Vec<_> = voices.iter().flat_map(|(_, tags)| *tags).collect();
        for tag in &tags {
            let times = tags.iter().filter(|other| *other == tag).count();
            assert_eq!(
                (times, **tag),
                (1, tag.to_ascii_lowercase().as_str()),
                "{tag}"
            );
        }
        assert_words(
            voices,
            &[
                ("en", None, Some(ENGLISH)),
                ("en", Some("en-GB"), Some("en-GB")),
                ("en", Some("en_gb_oxendict"), Some("en-GB")),
                ("en", Some("fi-FI"), Some(ENGLISH)),
                ("en", Some("eng"), Some(ENGLISH)),
                ("nb", Some("nn-NO"), Some("nb-NO")),
                ("nb", Some("no"), Some("nb-NO")),
                ("pt", Some("pt-PT"), Some("pt-PT")),
                ("pt", Some("pt_PT"), Some("pt-PT")),
                ("pt", None, Some("pt-BR")),
                ("lt", Some("lt-LT"), None),
            ],
        );
    }

    /// A template's locale, the locale asked for, and the voice that is to speak.
    pub(crate) type Spoken = (&'static str, Option<&'static str>, Option<&'static str>);

    #[track_caller]
    pub(crate) fn assert_words(voices: &'static [Voice], all: &[Spoken]) {
        for (template, asked, expected) in all {
            let voice = best(voices, template, *asked);
            assert_eq!(voice, *expected, "{template} {asked:?}");
        }
    }
}
