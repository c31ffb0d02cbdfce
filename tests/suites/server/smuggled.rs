//! A40: a second mail inside of the first. Templates of one's own hold what ends a mail for one
//! server or another, and then an envelope; a real SMTP server is handed one mail of it.

use std::fs;

use serde_json::json;

use crate::api::Api;
use crate::mail::Mailboxes;
use crate::parts::ledger::{From, note};
use crate::parts::server::Home;
use crate::parts::smtp::Happened;

/// What some server takes for the end of a mail, with the locale whose template holds it.
const ENDS: [(&str, &str); 10] = [
    ("da", "\n.\n"),
    ("de", "\r.\r"),
    ("fi", "\r\n.\r\n"),
    ("fr", "\r\n\r\n."),
    ("is", "\n.\r\n"),
    ("it", "\r\n.\n"),
    ("nl", "\r.\r\n"),
    ("nn", "\n\n.\n\n"),
    ("sv", "."),
    ("uk", "\u{2028}.\u{85}"),
];
const SMUGGLED: &str = "MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.org>\r\n\
                        DATA\r\nSubject: evil\r\n\r\nevil";

/// A server whose text and HTML have a second mail after each of these ends, and a third one.
fn home(mail: &Mailboxes) -> Home {
    let home = Home::with_config(&format!(
        "{}[messages]\ndir = \"templates\"\n",
        mail.email_config()
    ));
    for (locale, end) in ENDS {
        let folder = home.path().join("templates").join(locale);
        fs::create_dir_all(&folder).expect("a folder");
        let subject = folder.join("email.subject.j2");
        fs::write(subject, "{{ code }}").expect("a template");
        for part in ["email.text.j2", "email.html.j2"] {
            let template = format!("{{{{ code }}}}{end}{SMUGGLED}{end}{SMUGGLED}{end}after");
            fs::write(folder.join(part), template).expect("a template");
        }
    }
    home
}

#[tokio::test]
async fn a40_what_ends_a_mail_in_its_text_ends_it_for_no_server() {
    let mut mail = Mailboxes::start();
    let home = home(&mail);
    let _server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("a40", &["send", "check"]));
    // What the server asked at its start is no mail.
    assert_eq!(mail.server.happened().mails_begun, 0);
    for (locale, end) in ENDS {
        let to = format!("a40-{locale}@example.org");
        let body = json!({ "to": to, "channel": "email", "locale": locale });
        let sent = api.post("/v1/verify/send", &body).await;
        assert_eq!(sent.status, 200, "{end:?}: {sent:?}");
        // The answer came after the mail was taken.
        assert_one_mail(&mail.server.happened(), &to, end);
    }
    assert!(mail.messages_to("victim@example.org").is_empty());
    let tried = format!(
        "{} mails with what ends one, each with two more behind it",
        ENDS.len()
    );
    let showed = "one mail each, to its one recipient, with all of it as text";
    println!("a40: {tried}: {showed}");
    note("a40", "none", From::Outside, &tried, showed);
}

/// One mail, to one person, in which everything is text. A server that takes a lone CR or LF for
/// the end of a line would read what this one, which doesn't, was handed: there is none.
fn assert_one_mail(happened: &Happened, to: &str, end: &str) {
    let messages = &happened.messages;
    assert_eq!((happened.mails_begun, messages.len()), (1, 1), "{end:?}");
    assert_eq!(messages[0].recipients, [to], "{end:?}");
    let mail = &messages[0].mail;
    assert_eq!(mail.0["lone_line_ends"], 0, "{end:?}");
    let (text, html) = (mail.text(), mail.html());
    let whole = format!("{end}{SMUGGLED}{end}{SMUGGLED}{end}after")
        .replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{85}'], "\n");
    for part in [text, html] {
        let (code, rest) = part.split_at(6);
        assert!(code.bytes().all(|digit| digit.is_ascii_digit()), "{part}");
        assert_eq!(rest, whole, "{end:?}");
    }
}
