//! Which of a provider's voices speaks the words of a locale.

/// A provider's name for a voice's language, and the tags that it serves, in lower case; a
/// language alone goes to where most of its speakers are.
pub(crate) type Voice = (&'static str, &'static [&'static str]);

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
