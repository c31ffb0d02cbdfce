//! Values that would be more than values: counted by the server that receives them.

use std::sync::Arc;

use countersign::{Channel, Destination};
use countersign_messages::{Messages, TemplateError};
use countersign_smtp::{Smtp, SmtpConfig};

use crate::arrival::assert_well_formed;
use crate::parts::smtp::SmtpServer;
use crate::stage::{CODE, PATIENT, config, deliver, deliver_in, smtp, smtp_with};

const BREAKS: [&str; 8] = [
    "\r\nBcc: evil@example.net",
    "\nBcc: evil@example.net",
    "\rBcc: evil@example.net",
    "\u{2028}Bcc: evil@example.net",
    "\u{85}Bcc: evil@example.net",
    "\"\r\nBcc: evil@example.net\"",
    "\0",
    "\r\n\r\n.\r\nMAIL FROM:<evil@example.net>",
];

#[tokio::test]
async fn a39_no_value_adds_a_recipient_or_a_header() {
    let mut server = SmtpServer::start();
    let plain = || config(server.port("starttls"), server.ca.pem()).timeout(PATIENT);
    let good = smtp(plain());
    let mut sent = 0;
    for attack in BREAKS
        .into_iter()
        .chain(["%0d%0aBcc: evil@example.net", "%0aBcc%3Aevil"])
    {
        // Destination: before, inside and after the address.
        for to in [
            format!("user@example.org{attack}"),
            format!("user{attack}@example.org"),
            format!("{attack}user@example.org"),
            format!("\"user{attack}\"@example.org"),
        ] {
            if let Ok(destination) = Destination::parse(Channel::Email, &to) {
                deliver(&good, destination.exact()).await.unwrap();
                sent += 1;
            }
        }
        // Locale: falls back.
        deliver_in(&good, "user@example.org", Some(&format!("nb{attack}")))
            .await
            .unwrap();
        sent += 1;
        // Brand and sender's name: refused, or harmless.
        if let Ok(messages) = Messages::new(&format!("Ex{attack}"), None) {
            let smtp = Smtp::new(plain(), Arc::new(messages)).unwrap();
            deliver(&smtp, "user@example.org").await.unwrap();
            sent += 1;
        }
        let from = format!("Example{attack} <no-reply@example.org>");
        let url = format!("smtp://mailer@localhost:{}", server.port("starttls"));
        let settings = SmtpConfig::new(&url, &from)
            .password("correct horse")
            .ca_pem(server.ca.pem())
            .timeout(PATIENT);
        let messages = Arc::new(Messages::new("Example", None).unwrap());
        if let Ok(smtp) = Smtp::new(settings, messages) {
            deliver(&smtp, "user@example.org").await.unwrap();
            sent += 1;
        }
    }
    let got = server.happened().messages;
    assert_eq!(got.len(), sent);
    for message in got {
        assert_eq!(message.recipients.len(), 1);
        assert!(message.recipients[0].ends_with("@example.org"));
        assert_well_formed(&message.mail);
        assert!(message.mail.header("subject").contains(CODE));
    }
}

#[tokio::test]
async fn a39_a_template_cannot_add_a_header() {
    for attack in [
        "\nBcc: evil@example.net",
        "\r\nBcc: evil@example.net",
        "{{ '\\n' }}Bcc: x",
        "\u{2028}B",
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(
            &dir,
            "en",
            "email.subject.j2",
            &format!("{{{{ brand }}}}: {{{{ code }}}}{attack}"),
        );
        let refused = Messages::new("Example", Some(dir.path()));
        assert!(
            matches!(refused, Err(TemplateError::Rendering { .. })),
            "{attack:?}"
        );
    }
}

#[tokio::test]
async fn a40_a_text_with_dots_and_line_breaks_is_one_message() {
    let mut server = SmtpServer::start();
    let smuggled = "MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nevil";
    let ends = [
        "\n.\n",
        "\r.\r",
        "\r\n.\r\n",
        "\r\n\r\n.",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r\n",
        ".",
    ];
    for end in ends {
        let dir = tempfile::tempdir().unwrap();
        for file in ["email.text.j2", "email.html.j2"] {
            write(
                &dir,
                "en",
                file,
                &format!("{{{{ code }}}}{end}{smuggled}{end}after"),
            );
        }
        let settings = config(server.port("starttls"), server.ca.pem()).timeout(PATIENT);
        deliver(&smtp_with(settings, dir.path()), "user@example.org")
            .await
            .unwrap();
        let happened = server.happened();
        assert_eq!(
            (happened.mails_begun, happened.messages.len()),
            (1, 1),
            "{end:?}"
        );
        let mail = &happened.messages[0].mail;
        assert_well_formed(mail);
        assert!(
            mail.text().starts_with(CODE) && mail.text().ends_with("after"),
            "{end:?}"
        );
        let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        assert_eq!(
            mail.text(),
            lines(&format!("{CODE}{end}{smuggled}{end}after")),
            "{end:?}"
        );
    }
}

#[tokio::test]
async fn a41_values_are_rendered_literally_and_escaped() {
    let mut server = SmtpServer::start();
    for brand in [
        "{{code}}",
        "{% raw %}",
        "${code}",
        "<b>&\"'</b>",
        "{{ brand|safe }}",
        "{#",
    ] {
        let settings = config(server.port("starttls"), server.ca.pem()).timeout(PATIENT);
        let smtp = Smtp::new(settings, Arc::new(Messages::new(brand, None).unwrap())).unwrap();
        deliver_in(&smtp, "user@example.org", Some("{{code}}"))
            .await
            .unwrap();
        let mail = server.only_message().mail;
        assert_well_formed(&mail);
        assert!(
            mail.header("subject")
                .starts_with(&format!("{brand}: {CODE} "))
        );
        assert!(mail.text().contains(&format!("Your {brand} code")));
        let html = mail.html();
        assert_eq!(html.matches(CODE).count(), 1);
        for absent in ["<b>", "</b>", "href", "://"] {
            assert!(!html.contains(absent), "{brand}: {absent}");
        }
    }
    for brand in [
        "https://evil.example",
        "www.evil.example",
        "evil.example",
        "a@evil",
    ] {
        assert!(
            matches!(Messages::new(brand, None), Err(TemplateError::Brand(_))),
            "{brand}"
        );
    }
}

#[tokio::test]
async fn a41_a_wrong_template_is_found_at_start_with_file_and_line() {
    for (source, words) in [
        ("{{ code }}\n{% if %}", ["email.text.j2", "line 2"]),
        (
            "{{ code }} {{ destination }}",
            ["email.text.j2", "destination"],
        ),
        (
            "{{ code }}{% if minutes > 9000 %}{{ cde }}{% endif %}",
            ["email.text.j2", "cde"],
        ),
        ("no such thing", ["email.text.j2", "code"]),
        (
            "{{ code }}{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            ["email.text.j2", "fuel"],
        ),
        (
            "{{ code }}{% include '/etc/passwd' %}",
            ["email.text.j2", "line 1"],
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(&dir, "en", "email.text.j2", source);
        let error = Messages::new("Example", Some(dir.path()))
            .unwrap_err()
            .to_string();
        for word in words {
            assert!(error.contains(word), "{source}: {error}");
        }
    }
}

fn write(dir: &tempfile::TempDir, locale: &str, file: &str, source: &str) {
    let folder = dir.path().join(locale);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(file), source).unwrap();
}
