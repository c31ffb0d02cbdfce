//! What the messages say, in each language and channel.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use countersign::{Channel, Code, Destination, Message};
use countersign_messages::{Messages, TemplateError};

/// Every built-in language, and its words for "do not share it".
const LOCALES: [(&str, &str); 15] = [
    ("ar", "لا تشارك"),
    ("da", "Del den ikke med nogen"),
    ("de", "Geben Sie ihn an niemanden weiter"),
    ("en", "Do not share it with anyone"),
    ("es", "No lo compartas"),
    ("fi", "Älä kerro sitä kenellekään"),
    ("fr", "Ne le communiquez à personne"),
    ("hi", "किसी को न बताएँ"),
    ("nb", "Ikke del den med noen"),
    ("nl", "Deel de"),
    ("pl", "Nie udostępniaj go"),
    ("pt", "Não o revele"),
    ("sv", "Dela den inte med någon"),
    ("zh", "请勿"),
    ("zh-hant", "請勿"),
];

/// Calls `with` with a message of these values.
fn message<T>(code: &str, locale: &str, secs: u64, with: impl FnOnce(Message<'_>) -> T) -> T {
    let to = Destination::parse(Channel::Sms, "+4712345678").unwrap();
    let code = Code::from_custom(code).unwrap();
    let mut message = Message::new(&to, Channel::Sms, &code);
    message.locale = Some(locale);
    message.expires_in = secs;
    with(message)
}

fn own(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, source) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, source).unwrap();
    }
    dir
}

#[test]
fn every_text_says_the_code_and_not_to_share_it() {
    let messages = Messages::new("Example", None).unwrap();
    assert_eq!(messages.locales(), LOCALES.map(|(locale, _)| locale));
    for (locale, secrecy) in LOCALES {
        message("012345", locale, 300, |message| {
            let email = messages.email(&message).unwrap();
            let sms = messages.sms(&message).unwrap();
            assert!(email.subject.starts_with("Example: 012345 "));
            assert!(sms.starts_with("Example: 012345"));
            let preheader = email.html.split("hidden\">").nth(1).unwrap();
            assert!(preheader.split("</div>").next().unwrap().contains(secrecy));
            for text in [
                &email.text,
                &email.html,
                &sms,
                &messages.voice(&message).unwrap(),
            ] {
                assert!(text.contains(secrecy), "{locale}: {text}");
            }
            let direction = if locale == "ar" { "rtl" } else { "ltr" };
            let html = format!("<html lang=\"{locale}\" dir=\"{direction}\">");
            assert!(email.html.contains(&html), "{locale}");
            assert!(email.html.contains("<bdi dir=\"ltr\">012345</bdi>"));
            assert!(!format!("{email:?} {messages:?}").contains("012345"));
        });
    }
}

#[test]
fn a_voice_speaks_the_signs_one_by_one_and_twice() {
    let messages = Messages::new("Example", None).unwrap();
    for (locale, _) in LOCALES {
        let pause = match locale {
            "ar" => "، ",
            "zh" | "zh-hant" => "，",
            _ => ", ",
        };
        for (code, signs) in [
            ("012345", ["0", "1", "2", "3", "4", "5"]),
            ("A3C4D6", ["A", "3", "C", "4", "D", "6"]),
        ] {
            let voice = message(code, locale, 300, |message| {
                messages.voice(&message).unwrap()
            });
            assert_eq!(voice.matches(&signs.join(pause)).count(), 2, "{voice}");
            assert!(!voice.contains(code), "{voice}");
        }
    }
}

#[test]
fn minutes_have_their_plural_and_are_rounded_down() {
    let messages = Messages::new("Example", None).unwrap();
    for (locale, secs, words) in [
        ("en", 60, "1 minute."),
        ("en", 30, "1 minute."),
        ("en", 119, "1 minute."),
        ("en", 300, "5 minutes."),
        ("nb", 60, "1 minutt."),
        ("nb", 120, "2 minutter."),
        ("ar", 60, "لمدة دقيقة واحدة."),
        ("ar", 120, "لمدة دقيقتين."),
        ("ar", 180, "لمدة 3 دقائق."),
        ("ar", 300, "لمدة 5 دقائق."),
        ("ar", 600, "لمدة 10 دقائق."),
        ("ar", 660, "لمدة 11 دقيقة."),
        ("ar", 100 * 60, "لمدة 100 دقيقة."),
        ("ar", 103 * 60, "لمدة 103 دقائق."),
        ("ar", 1440 * 60, "لمدة 1440 دقيقة."),
        ("da", 60, "1 minut."),
        ("da", 120, "2 minutter."),
        ("de", 60, "1 Minute lang"),
        ("de", 120, "2 Minuten lang"),
        ("es", 60, "1 minuto."),
        ("es", 120, "2 minutos."),
        ("fi", 60, "1 minuutin."),
        ("fi", 120, "2 minuuttia."),
        ("fr", 60, "1 minute."),
        ("fr", 120, "2 minutes."),
        ("hi", 60, "1 मिनट "),
        ("hi", 120, "2 मिनट "),
        ("nl", 60, "1 minuut "),
        ("nl", 120, "2 minuten "),
        ("pl", 60, "1 minutę."),
        ("pl", 120, "2 minuty."),
        ("pl", 240, "4 minuty."),
        ("pl", 300, "5 minut."),
        ("pl", 660, "11 minut."),
        ("pl", 12 * 60, "12 minut."),
        ("pl", 14 * 60, "14 minut."),
        ("pl", 21 * 60, "21 minut."),
        ("pl", 22 * 60, "22 minuty."),
        ("pl", 112 * 60, "112 minut."),
        ("pl", 122 * 60, "122 minuty."),
        ("pl", 1440 * 60, "1440 minut."),
        ("pt", 60, "1 minuto."),
        ("pt", 120, "2 minutos."),
        ("sv", 60, "1 minut."),
        ("sv", 120, "2 minuter."),
        ("zh", 60, "1 分钟内"),
        ("zh-TW", 600, "10 分鐘內"),
    ] {
        let text = message("0000", locale, secs, |message| {
            messages.email(&message).unwrap().text
        });
        assert!(text.contains(words), "{locale} {secs}: {text}");
    }
}

#[test]
fn a_language_without_templates_falls_back() {
    let messages = Messages::new("Example", None).unwrap();
    let subject = |locale: &str| {
        message("0000", locale, 300, |message| {
            messages.email(&message).unwrap().subject
        })
    };
    let norwegian = "Example: 0000 er koden din";
    for locale in ["nb", "nb-NO", "NB-no", "nb_NO", "nn", "nn-NO", "no"] {
        assert_eq!(subject(locale), norwegian, "{locale}");
    }
    for (locale, expected) in [
        ("pt-BR", "é o seu código"),
        ("pt_PT", "é o seu código"),
        ("es-419", "es tu código"),
        ("de-AT", "ist Ihr Code"),
        ("sv-FI", "är din kod"),
        ("zh-CN", "是您的验证码"),
        ("zh-Hans-SG", "是您的验证码"),
        ("zh-TW", "是您的驗證碼"),
        ("zh-Hant-HK", "是您的驗證碼"),
        ("ar-EG", "هو رمزك"),
    ] {
        assert_eq!(subject(locale), format!("Example: 0000 {expected}"));
    }
    for locale in [
        "tlh",
        "xx-YY",
        "",
        "../nb",
        "nb/../en",
        "{{ code }}",
        "n",
        "en-GB",
    ] {
        assert_eq!(subject(locale), "Example: 0000 is your code", "{locale}");
    }
}

#[test]
fn own_files_go_over_the_built_in_ones() {
    let dir = own(&[
        ("en/email.subject.j2", "{{ brand }}: {{ code }} it is"),
        ("is/sms.text.j2", "{{ brand }}: {{ code }} er kóðinn þinn"),
        (".git/config", "not looked at"),
    ]);
    let messages = Messages::new("Example", Some(dir.path())).unwrap();
    message("0000", "is-IS", 300, |message| {
        assert_eq!(
            messages.sms(&message).unwrap(),
            "Example: 0000 er kóðinn þinn"
        );
        // This language has no email, so the whole email is in English.
        let email = messages.email(&message).unwrap();
        assert_eq!(email.subject, "Example: 0000 it is");
        assert!(email.text.contains("Do not share"));
    });
    for (locale, _) in LOCALES {
        assert!(messages.locales().contains(&locale));
    }
}

#[test]
fn a41_mistakes_in_a_directory_are_found_at_start() {
    let refused =
        |files: &[(&str, &str)]| Messages::new("Example", Some(own(files).path())).unwrap_err();
    assert!(matches!(
        refused(&[("en/mail.j2", "")]),
        TemplateError::UnknownFile { .. }
    ));
    assert!(matches!(
        refused(&[("x/sms.text.j2", "")]),
        TemplateError::Locale { .. }
    ));
    assert!(matches!(
        refused(&[("sms.text.j2", "")]),
        TemplateError::Locale { .. }
    ));
    let unused = refused(&[("is/sms.short.j2", "{{ code }}")]);
    assert!(matches!(
        unused,
        TemplateError::Incomplete {
            file: "sms.text.j2",
            ..
        }
    ));
    let half = refused(&[("is/email.text.j2", "{{ code }}")]);
    assert!(matches!(
        half,
        TemplateError::Incomplete {
            file: "email.subject.j2",
            ..
        }
    ));
    let long = refused(&[(
        "en/sms.text.j2",
        &format!("{{{{ code }}}}{}", "a".repeat(480)),
    )]);
    assert!(matches!(long, TemplateError::Rendering { .. }));
    let huge = refused(&[("en/sms.text.j2", &"a".repeat(65 * 1024))]);
    assert!(matches!(huge, TemplateError::NotText { .. }));
    let absent = Messages::new("Example", Some(std::path::Path::new("/no/such/folder")));
    assert!(matches!(absent, Err(TemplateError::Unreadable { .. })));
    let line = refused(&[("en/sms.text.j2", "{{ code }}\n\n{{ code | nosuch }}")]);
    assert!(
        matches!(
            line,
            TemplateError::Syntax { line: 3, .. } | TemplateError::Rendering { line: 3, .. }
        ),
        "{line}"
    );
}
