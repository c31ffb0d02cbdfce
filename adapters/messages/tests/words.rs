//! What the messages say, in each language and channel.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use countersign::{Channel, Code, Destination, Message};
use countersign_messages::{Messages, TemplateError};

const LOCALES: [&str; 3] = ["en", "nb", "ar"];

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
    assert_eq!(messages.locales(), ["ar", "en", "nb"]);
    for (locale, secrecy) in [
        ("en", "Do not share"),
        ("nb", "Ikke del"),
        ("ar", "لا تشارك"),
    ] {
        message("012345", locale, 300, |message| {
            let email = messages.email(&message).unwrap();
            let sms = messages.sms(&message).unwrap();
            assert!(email.subject.starts_with("Example: 012345 "));
            assert!(sms.starts_with("Example: 012345 "));
            for text in [
                &email.text,
                &email.html,
                &sms,
                &messages.voice(&message).unwrap(),
            ] {
                assert!(text.contains(secrecy), "{locale}: {text}");
            }
            assert!(email.html.contains(&format!("lang=\"{locale}\"")));
            assert!(email.html.contains("<bdi dir=\"ltr\">012345</bdi>"));
            assert!(!format!("{email:?} {messages:?}").contains("012345"));
        });
    }
}

#[test]
fn a_voice_speaks_the_signs_one_by_one_and_twice() {
    let messages = Messages::new("Example", None).unwrap();
    for (locale, spoken) in [
        ("en", "0, 1, 2, 3, 4, 5"),
        ("nb", "0, 1, 2, 3, 4, 5"),
        ("ar", "0، 1، 2، 3، 4، 5"),
    ] {
        let voice = message("012345", locale, 300, |message| {
            messages.voice(&message).unwrap()
        });
        assert_eq!(voice.matches(spoken).count(), 2, "{voice}");
        assert!(!voice.contains("012345"));
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
        ("ar", 60, "خلال دقيقة واحدة."),
        ("ar", 120, "خلال دقيقتين."),
        ("ar", 300, "خلال 5 دقائق."),
        ("ar", 600, "خلال 10 دقائق."),
        ("ar", 660, "خلال 11 دقيقة."),
        ("ar", 103 * 60, "خلال 103 دقائق."),
        ("ar", 1440 * 60, "خلال 1440 دقيقة."),
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
    for locale in [
        "de",
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
        (
            "pt-BR/sms.text.j2",
            "{{ brand }}: {{ code }} é o seu código",
        ),
        (".git/config", "not looked at"),
    ]);
    let messages = Messages::new("Example", Some(dir.path())).unwrap();
    message("0000", "pt-BR", 300, |message| {
        assert_eq!(
            messages.sms(&message).unwrap(),
            "Example: 0000 é o seu código"
        );
        // This language has no email, so the whole email is in English.
        let email = messages.email(&message).unwrap();
        assert_eq!(email.subject, "Example: 0000 it is");
        assert!(email.text.contains("Do not share"));
    });
    for locale in LOCALES {
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
    let half = refused(&[("de/email.text.j2", "{{ code }}")]);
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

#[test]
fn an_sms_carries_app_hash_and_origin_last() {
    let messages = Messages::new("Example", None).unwrap();
    message("012345", "en", 300, |mut message| {
        message.origin = Some("example.org");
        assert!(
            messages
                .sms(&message)
                .unwrap()
                .ends_with("\n\n@example.org #012345")
        );
        message.origin = Some("evil.example/a b");
        message.app_hash = Some("FA+9qCX9VSu");
        let sms = messages.sms(&message).unwrap();
        assert!(sms.ends_with("\nFA+9qCX9VSu") && !sms.contains("evil"));
        message.app_hash = Some("http://evil");
        assert!(!messages.sms(&message).unwrap().contains("evil"));
    });
}
