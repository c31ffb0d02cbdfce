//! The templates that come with the crate.

use crate::part::Part;

macro_rules! locale {
    ($name:literal) => {
        [
            (
                $name,
                Part::EmailSubject,
                include_str!(concat!("../templates/", $name, "/email.subject.j2")),
            ),
            (
                $name,
                Part::EmailText,
                include_str!(concat!("../templates/", $name, "/email.text.j2")),
            ),
            (
                $name,
                Part::EmailHtml,
                include_str!(concat!("../templates/", $name, "/email.html.j2")),
            ),
            (
                $name,
                Part::Sms,
                include_str!(concat!("../templates/", $name, "/sms.text.j2")),
            ),
            (
                $name,
                Part::SmsShort,
                include_str!(concat!("../templates/", $name, "/sms.short.j2")),
            ),
            (
                $name,
                Part::Voice,
                include_str!(concat!("../templates/", $name, "/voice.text.j2")),
            ),
        ]
    };
}

/// Locale, part and source of every built-in template.
pub(crate) fn templates() -> impl Iterator<Item = (&'static str, Part, &'static str)> {
    [
        locale!("ar"),
        locale!("da"),
        locale!("de"),
        locale!("en"),
        locale!("es"),
        locale!("fi"),
        locale!("fr"),
        locale!("hi"),
        locale!("nb"),
        locale!("nl"),
        locale!("pl"),
        locale!("pt"),
        locale!("sv"),
        locale!("zh"),
        locale!("zh-hant"),
    ]
    .into_iter()
    .flatten()
}
