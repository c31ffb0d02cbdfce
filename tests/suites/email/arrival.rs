//! What a person gets.

use countersign::{Channel, Code, Deliverer, Destination, Message};

use crate::parts::exim::Exim;
use crate::parts::mail::Mail;
use crate::parts::smtp::SmtpServer;
use crate::parts::{PASSWORD, USER};
use crate::stage::{CODE, FROM, PATIENT, config, deliver, deliver_in, smtp};

/// Every header that a message has, and no other.
pub(crate) const HEADERS: [&str; 8] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "mime-version",
    "content-type",
];

/// That the message has its headers once each, the text part first, and safe encodings.
pub(crate) fn assert_well_formed(mail: &Mail) {
    let mut names = mail.header_names();
    names.sort_unstable();
    let mut expected = HEADERS;
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(mail.0["type"], "multipart/alternative");
    assert_eq!(mail.part_types(), ["text/plain", "text/html"]);
    for encoding in mail.encodings() {
        assert!(
            ["quoted-printable", "base64"].contains(&encoding),
            "{encoding}"
        );
    }
    assert_eq!(mail.0["ascii"], true);
    assert_eq!(mail.0["defects"].as_array().map(Vec::len), Some(0));
    assert!(mail.0["longest_line"].as_u64().unwrap() <= 998);
}

#[tokio::test]
async fn a_code_arrives_under_starttls_and_login() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(PATIENT));
    smtp.check().await.unwrap();
    assert_eq!(server.happened().mails_begun, 0);

    let receipt = deliver(&smtp, "user+tag@example.org").await.unwrap();
    assert_eq!(receipt.provider, "smtp");
    let got = server.only_message();
    assert!(got.tls && got.login);
    assert_eq!(got.sender, "no-reply@example.org");
    assert_eq!(got.recipients, ["user+tag@example.org"]);
    assert_well_formed(&got.mail);
    assert_eq!(got.mail.header("to"), "user+tag@example.org");
    assert_eq!(got.mail.header("from"), FROM);
    assert_eq!(got.mail.header("auto-submitted"), "auto-generated");
    assert!(got.mail.header("message-id").ends_with("@example.org>"));
}

#[tokio::test]
async fn a_code_arrives_under_implicit_tls() {
    let mut server = SmtpServer::start();
    let url = format!("smtps://{USER}@127.0.0.1:{}", server.port("tls"));
    let settings = countersign_smtp::SmtpConfig::new(&url, FROM)
        .password(PASSWORD)
        .ca_pem(server.ca.pem())
        .timeout(PATIENT);
    deliver(&smtp(settings), "user@example.org").await.unwrap();
    let got = server.only_message();
    assert!(got.tls && got.login);
}

#[tokio::test]
async fn the_subject_begins_with_brand_and_code_and_the_preheader_repeats_neither() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(PATIENT));
    let messages = countersign_messages::Messages::new("Example", None).unwrap();
    assert_eq!(messages.locales().len(), 15);
    for locale in messages.locales() {
        deliver_in(&smtp, "user@example.org", Some(locale))
            .await
            .unwrap();
        let mail = server.only_message().mail;
        let begins = format!("Example: {CODE} ");
        assert!(
            mail.header("subject").starts_with(&begins),
            "{}",
            mail.header("subject")
        );
        assert!(mail.text().contains(CODE));
        let html = mail.html();
        assert_eq!(
            html.matches(CODE).count(),
            1,
            "the code stands in its own place only"
        );
        let hidden = html
            .split("display:none")
            .nth(1)
            .unwrap()
            .split("</div>")
            .next()
            .unwrap();
        for absent in ["example.org", "user", "http", "href", CODE] {
            assert!(!hidden.contains(absent), "{locale}: {hidden}");
        }
        for absent in [
            "http:",
            "https:",
            "href",
            "src=",
            "<img",
            "url(",
            "user@example.org",
        ] {
            assert!(!html.contains(absent), "{locale}: {absent}");
        }
    }
}

#[tokio::test]
async fn every_language_arrives_intact() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(PATIENT));
    let messages = countersign_messages::Messages::new("Example", None).unwrap();
    let to = Destination::parse(Channel::Email, "user@example.org").unwrap();
    let code = Code::from_custom(CODE).unwrap();
    for (locale, word) in [
        ("nb-NO", "én gang"),
        ("ar", "دقائق"),
        ("xx", "once"),
        ("da", "én gang"),
        ("de", "können Sie"),
        ("es", "código"),
        ("fi", "Älä"),
        ("fr", "n’avez"),
        ("hi", "मिनट"),
        ("nl", "één keer"),
        ("pl", "udostępniaj"),
        ("pt-BR", "código"),
        ("sv", "någon"),
        ("zh-CN", "分钟"),
        ("zh-TW", "分鐘"),
    ] {
        let mut message = Message::new(&to, Channel::Email, &code);
        message.locale = Some(locale);
        smtp.deliver(message).await.unwrap();
        let expected = messages.email(&message).unwrap();
        let mail = server.only_message().mail;
        assert_well_formed(&mail);
        assert_eq!(mail.header("subject"), expected.subject);
        assert_eq!(mail.text(), expected.text);
        assert_eq!(mail.html(), expected.html);
        assert!(mail.text().contains(word), "{locale}");
    }
    let direction = messages.email(&{
        let mut message = Message::new(&to, Channel::Email, &code);
        message.locale = Some("ar");
        message
    });
    assert!(
        direction
            .unwrap()
            .html
            .contains("<html lang=\"ar\" dir=\"rtl\">")
    );
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(PATIENT));
    for _ in 0..5 {
        deliver(&smtp, "user@example.org").await.unwrap();
    }
    // A refusal leaves the connection as good as new.
    deliver(&smtp, "unknown@example.org").await.unwrap_err();
    deliver(&smtp, "user@example.org").await.unwrap();
    let happened = server.happened();
    assert_eq!(happened.messages.len(), 6);
    assert_eq!((happened.connections, happened.logins), (1, 1));
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_opened() {
    let mut server = SmtpServer::start();
    let settings = config(server.port("starttls"), server.ca.pem()).timeout(PATIENT);
    let smtp = std::sync::Arc::new(smtp(settings.max_connections(2)));
    let sends: Vec<_> = (0..8)
        .map(|_| {
            let smtp = std::sync::Arc::clone(&smtp);
            tokio::spawn(async move { deliver(&smtp, "user@example.org").await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    let happened = server.happened();
    assert_eq!(happened.messages.len(), 8);
    assert!(happened.connections <= 2, "{}", happened.connections);
}

#[tokio::test]
async fn exim_delivers_to_a_maildir() {
    let exim = Exim::start();
    let smtp = smtp(config(exim.port, exim.ca.pem()).timeout(PATIENT));
    smtp.check().await.unwrap();
    deliver_in(&smtp, "user@example.org", Some("ar"))
        .await
        .unwrap();
    let unknown = deliver(&smtp, "nobody@example.org").await.unwrap_err();
    assert_eq!(
        unknown.reason(),
        Some(countersign::Permanent::InvalidDestination)
    );
    let relayed = deliver(&smtp, "user@example.net").await.unwrap_err();
    assert_eq!(relayed.reason(), Some(countersign::Permanent::Blocked));

    let delivered = exim.delivered();
    assert_eq!(delivered.len(), 1);
    let mail = &delivered[0];
    assert_eq!(mail.header("envelope-to"), "user@example.org");
    assert_eq!(mail.header("to"), "user@example.org");
    assert_eq!(mail.header("return-path"), "<no-reply@example.org>");
    assert_eq!(mail.part_types(), ["text/plain", "text/html"]);
    assert!(mail.header("subject").starts_with("Example: 012345 "));
    assert!(mail.text().contains("دقائق"));
}
