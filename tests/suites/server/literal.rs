//! A41: what looks like a template or like HTML arrives as it is: a brand, and a value that one's
//! own template is given, in the mail that a real SMTP server is handed.

use std::fs;

use serde_json::json;

use crate::api::Api;
use crate::configuration::refused;
use crate::mail::Mailboxes;
use crate::parts::ledger::{From, note};
use crate::parts::server::Home;

const BRANDS: [&str; 9] = [
    "{{code}}",
    "{{ code }}{{ code }}",
    "{% raw %}",
    "{% if true %}",
    "{#",
    "${code}",
    "{{ brand|safe }}",
    "<b>&\"'</b>",
    "<img src=x onerror=1>",
];
/// What mail programs make links of, whoever wrote it.
const LINKS: [&str; 4] = [
    "https://evil.example",
    "www.evil.example",
    "Pay at evil.example",
    "pay@evil.example",
];
/// Templates of one's own, by their locale, that do nothing with their values.
const OWN: &str = "nn";

/// As HTML shows it; a slash and an apostrophe would be safe without, and are escaped too.
fn escaped(text: &str) -> String {
    let symbol = |symbol| match symbol {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#x27;".to_owned(),
        '/' => "&#x2f;".to_owned(),
        plain => plain.to_string(),
    };
    text.chars().map(symbol).collect()
}

/// A server of this name, with templates of its own beside the built-in ones.
fn home(brand: &str, mail: &Mailboxes) -> Home {
    let home = Home::with_config(&format!(
        "{}[messages]\nbrand = {}\ndir = \"templates\"\n",
        mail.email_config(),
        // A string of JSON is one of TOML.
        json!(brand)
    ));
    let folder = home.path().join("templates").join(OWN);
    fs::create_dir_all(&folder).expect("a folder");
    for part in ["email.subject.j2", "email.text.j2", "email.html.j2"] {
        let template = "{{ brand }}: {{ code }}\n";
        fs::write(folder.join(part), template).expect("a template");
    }
    home
}

#[tokio::test]
async fn a41_what_looks_like_a_template_arrives_as_it_is() {
    let (mail, mut mails) = (Mailboxes::start(), 0);
    for (nth, brand) in BRANDS.into_iter().enumerate() {
        let home = home(brand, &mail);
        let _server = home.serve().await;
        let api = Api::new(&home.base(), &home.key("a41", &["send", "check"]));
        for locale in ["en", OWN] {
            let to = format!("a41-{nth}-{locale}@example.org");
            let body = json!({ "to": to, "channel": "email", "locale": locale });
            let sent = api.post("/v1/verify/send", &body).await;
            assert_eq!(sent.status, 200, "{brand}: {sent:?}");
            let letter = mail.first_to(&to).await.mail;
            let (subject, text, html) = (letter.header("subject"), letter.text(), letter.html());
            let named = format!("{brand}: ");
            assert!(subject.starts_with(&named), "{brand}: {subject}");
            // No value is a template: the code is where the template has it, and nowhere else.
            let code = &subject[named.len()..][..6];
            assert!(
                code.bytes().all(|digit| digit.is_ascii_digit()),
                "{subject}"
            );
            for part in [subject, &text, &html] {
                assert_eq!(part.matches(code).count(), 1, "{brand}: {part}");
            }
            assert!(text.contains(brand), "{brand}: {text}");
            assert!(html.contains(&escaped(brand)), "{brand}: {html}");
            for added in ["<b>", "<img", "<a ", "href", "://"] {
                assert!(!html.contains(added), "{brand}: {added} in {html}");
            }
            mails += 1;
        }
        // What a caller names is a language, or nothing at all.
        let body = json!({ "to": "a41@example.org", "channel": "email", "locale": brand });
        let refused = api.post("/v1/verify/send", &body).await;
        assert_eq!(refused.status, 422, "{brand}: {refused:?}");
    }
    assert!(mail.messages_to("a41@example.org").is_empty());
    let tried = format!(
        "{mails} mails of {} brands that look like more",
        BRANDS.len()
    );
    let showed = "each as it is, escaped in HTML, with its code once and no link";
    println!("a41: {tried}: {showed}");
    note("a41", "none", From::Outside, &tried, showed);
}

/// No mail shows it as it is without a link, so none is sent.
#[test]
fn a41_a_brand_that_becomes_a_link_stops_the_start() {
    let mail = Mailboxes::start();
    for brand in LINKS {
        let home = home(brand, &mail);
        // It ends in any case, as a server that starts does not.
        let checked = home.run(&["check-config"]);
        assert!(!checked.status.success(), "{brand}: {checked:?}");
        refused(&home, brand, "looks like an address or a link");
    }
    let tried = format!("{} brands that become links", LINKS.len());
    let showed = "0 servers start with one";
    println!("a41: {tried}: {showed}");
    note("a41", "none", From::Outside, &tried, showed);
}
