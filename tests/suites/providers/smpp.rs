//! SMS by SMPP: what a message centre (node-smpp) receives.

use std::collections::HashSet;
use std::sync::Arc;

use countersign::{
    Channel, Clock, Code, DeliverError, Deliverer, Destination, Message, Receipt, SystemClock,
};
use countersign_messages::Messages;
use countersign_messages::segments::segments;
use countersign_sms::smpp::{Smpp, SmppCheckError, SmppConfig};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::parts::smsc::{Smsc, only};
use crate::stage::{CODE, PATIENT, SHORT, TO, deliver, deliver_with, messages};

/// The user and password that tests bind with; the message centre takes any.
const PASSWORD: &str = "s3cret77";

pub(crate) fn config(smsc: &Smsc) -> SmppConfig {
    let url = format!("smpp://esme@127.0.0.1:{}", smsc.port("plain"));
    SmppConfig::new(&url, "Example")
        .password(PASSWORD)
        .timeout(PATIENT)
}

pub(crate) fn smpp(config: SmppConfig) -> Arc<Smpp> {
    with_words(config, messages())
}

pub(crate) fn with_words(config: SmppConfig, words: Arc<Messages>) -> Arc<Smpp> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    Arc::new(Smpp::new(config, words, clock).unwrap())
}

/// Words of one's own, in one language.
pub(crate) fn words(template: &str) -> (Arc<Messages>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let english = folder.path().join("en");
    std::fs::create_dir(&english).unwrap();
    std::fs::write(english.join("sms.text.j2"), template).unwrap();
    let words = Messages::new("Example", Some(folder.path())).unwrap();
    (Arc::new(words), folder)
}

/// Delivers the code in a language, with a token for its report.
pub(crate) async fn deliver_in(
    smpp: &Smpp,
    locale: Option<&str>,
    token: Option<&str>,
) -> Result<Receipt, DeliverError> {
    let to = Destination::parse(Channel::Sms, TO).unwrap();
    let code = Code::from_custom(CODE).unwrap();
    let mut message = Message::new(&to, Channel::Sms, &code);
    message.locale = locale;
    message.report_token = token;
    smpp.deliver(message).await
}

/// The text that `deliver_in` sends.
fn text_of(words: &Messages, locale: Option<&str>) -> String {
    let to = Destination::parse(Channel::Sms, TO).unwrap();
    let code = Code::from_custom(CODE).unwrap();
    let mut message = Message::new(&to, Channel::Sms, &code);
    message.locale = locale;
    words.sms(&message).unwrap()
}

#[tokio::test]
async fn a_code_arrives_with_all_that_belongs_to_it() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc).system_type("verify"));
    let receipt = deliver(&*smpp).await.unwrap();
    assert_eq!(receipt.provider, "smpp");
    let bind = smsc.next("bind").await;
    assert_eq!(bind["command"], "bind_transceiver");
    assert_eq!(
        (&bind["system_id"], &bind["password"]),
        (&json!("esme"), &json!(PASSWORD))
    );
    assert_eq!(
        (&bind["system_type"], &bind["interface_version"]),
        (&json!("verify"), &json!(0x34))
    );
    let submit = smsc.next("submit").await;
    assert_eq!(receipt.reference.as_deref(), submit["id"].as_str());
    assert_eq!(submit["source"], json!([5, 0, "Example"]));
    assert_eq!(submit["destination"], json!([1, 1, &TO[1..]]));
    assert_eq!(submit["text"], text_of(&messages(), None));
    assert_eq!(
        (&submit["esm_class"], &submit["data_coding"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(submit["registered"], 0, "nobody reads reports");
    smpp.close().await;
    assert_eq!(only(smsc.happened().await, "unbind").len(), 1);
}

#[tokio::test]
async fn a_message_is_valid_for_as_long_as_its_code() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc).transmitter_only());
    let sent = deliver_with(&*smpp, Channel::Sms, |message| message.expires_in = 3_661);
    sent.await.unwrap();
    assert_eq!(smsc.next("bind").await["command"], "bind_transmitter");
    let submit = smsc.next("submit").await;
    // What waiting for the bind took is gone from it.
    let validity = submit["validity"].as_str().unwrap().to_owned();
    assert!(
        ("000000010000000R"..="000000010101000R").contains(&validity.as_str()),
        "{validity}"
    );
}

#[tokio::test]
async fn tls_is_for_the_named_host_by_the_named_authority() {
    let mut smsc = Smsc::start();
    let url = |port| format!("smpps://esme@localhost:{port}");
    let secure = url(smsc.port("tls"));
    let settings = SmppConfig::new(&secure, "+4790000000")
        .password(PASSWORD)
        .timeout(PATIENT);
    let smpp_by_tls = smpp(settings.ca_pem(smsc.ca.pem()));
    deliver(&*smpp_by_tls).await.unwrap();
    assert_eq!(smsc.next("bind").await["tls"], true);
    let submit = smsc.next("submit").await;
    assert_eq!(submit["source"], json!([1, 1, "4790000000"]));
    // Another authority, or none at all behind the port: no password is sent.
    let other = crate::parts::ca::TestCa::make();
    for settings in [
        SmppConfig::new(&secure, "Example").ca_pem(other.pem()),
        SmppConfig::new(&url(smsc.port("plain")), "Example").ca_pem(smsc.ca.pem()),
    ] {
        let smpp = smpp(settings.password(PASSWORD).timeout(SHORT));
        let error = deliver(&*smpp).await.unwrap_err();
        assert!(error.is_transient() && !error.left_possibly());
        let checked = smpp.check().await.unwrap_err();
        assert!(
            matches!(
                checked,
                SmppCheckError::Tls { .. } | SmppCheckError::TimedOut { .. }
            ),
            "{checked}"
        );
    }
    assert_eq!(only(smsc.happened().await, "bind").len(), 0);
}

#[tokio::test]
async fn the_check_asks_for_a_sign_of_life_and_submits_nothing() {
    let mut smsc = Smsc::start();
    smpp(config(&smsc)).check().await.unwrap();
    let happened = smsc.happened().await;
    let names: Vec<_> = happened
        .iter()
        .map(|event| event["event"].clone())
        .collect();
    assert_eq!(names[..3], ["bind", "enquire_link", "unbind"]);

    smsc.order(json!({"bind": 14})).await;
    let checked = smpp(config(&smsc)).check().await.unwrap_err();
    assert!(
        matches!(checked, SmppCheckError::Login { status: 14, .. }),
        "{checked}"
    );
    assert!(!checked.to_string().contains(PASSWORD) && !checked.to_string().contains("esme"));
    smsc.order(json!({"bind": 5})).await;
    let checked = smpp(config(&smsc)).check().await.unwrap_err();
    assert!(
        matches!(checked, SmppCheckError::Refused { status: 5, .. }),
        "{checked}"
    );
    smsc.order(json!({"bind": "silent"})).await;
    let checked = smpp(config(&smsc).timeout(SHORT))
        .check()
        .await
        .unwrap_err();
    assert!(
        matches!(checked, SmppCheckError::TimedOut { .. }),
        "{checked}"
    );
    smsc.order(json!({"bind": 0, "enquire": false})).await;
    let checked = smpp(config(&smsc).timeout(SHORT))
        .check()
        .await
        .unwrap_err();
    assert!(
        matches!(checked, SmppCheckError::TimedOut { .. }),
        "{checked}"
    );
    let unused = crate::parts::ports::free_port();
    let nobody = SmppConfig::new(&format!("smpp://esme@127.0.0.1:{unused}"), "Example");
    let checked = smpp(nobody.password(PASSWORD)).check().await.unwrap_err();
    assert!(
        matches!(checked, SmppCheckError::Unreachable { .. }),
        "{checked}"
    );
    let submits = only(smsc.happened().await, "submit");
    assert_eq!(submits.len(), 0);
}

/// The characters of the default alphabet and its extension table, from the message
/// centre's side: it decodes them by a table of its own.
const GSM: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
    ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€";

#[tokio::test]
async fn the_text_arrives_character_by_character() {
    let mut smsc = Smsc::start();
    let half = GSM.chars().count() / 2;
    let halves = [
        GSM.chars().take(half).collect::<String>(),
        GSM.chars().skip(half).collect(),
    ];
    let ucs2 = [
        "ç `’ я 😀 code".to_owned(),
        "\u{200f}رمز التحقق ✓".to_owned(),
    ];
    for (text, coding) in halves
        .iter()
        .map(|t| (t, 0))
        .chain(ucs2.iter().map(|t| (t, 8)))
    {
        let (words, _folder) = words(&format!("{{% raw %}}{text}{{% endraw %}} {{{{ code }}}}"));
        let expected = text_of(&words, None);
        let smpp = with_words(config(&smsc), words);
        deliver(&*smpp).await.unwrap();
        let submit = smsc.next("submit").await;
        assert_eq!(submit["text"], expected);
        assert_eq!(submit["data_coding"], coding, "{text}");
    }
}

#[tokio::test]
async fn the_built_in_words_arrive_in_every_language() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc));
    let words = messages();
    for locale in words.locales() {
        deliver_in(&smpp, Some(locale), None).await.unwrap();
        let expected = text_of(&words, Some(locale));
        assert_eq!(joined(&smsc.submits().await), expected, "{locale}");
    }
}

fn joined(submits: &[Value]) -> String {
    submits
        .iter()
        .map(|submit| submit["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn long_texts_arrive_in_parts_that_make_the_text_again() {
    let mut smsc = Smsc::start();
    let gsm = format!("{{{{ code }}}} {}€ {}", "a".repeat(145), "€".repeat(150));
    let ucs2 = format!("{{{{ code }}}} {}😀{}", "я".repeat(59), "😀".repeat(70));
    for template in [gsm, ucs2] {
        let (words, _folder) = words(&template);
        let text = text_of(&words, None);
        let counted = segments(&text);
        assert!(counted.parts >= 3);
        let smpp = with_words(config(&smsc), words);
        let receipt = deliver(&*smpp).await.unwrap();
        let submits = smsc.submits().await;
        assert_eq!(submits.len(), counted.parts);
        assert_eq!(receipt.reference.as_deref(), submits[0]["id"].as_str());
        let mut references = HashSet::new();
        for (index, submit) in submits.iter().enumerate() {
            assert_eq!(submit["esm_class"], 0x40);
            let header = submit["header"][0].as_str().unwrap();
            // 00: concatenated, by an 8-bit reference; then reference, total, number.
            assert_eq!(&header[..4], "0003");
            references.insert(header[4..6].to_owned());
            assert_eq!(
                header[6..],
                format!("{:02x}{:02x}", submits.len(), index + 1)
            );
        }
        assert_eq!(references.len(), 1);
        assert_eq!(joined(&submits), text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_messages_at_once_each_is_submitted_once() {
    let mut smsc = Smsc::start();
    let smpp = smpp(config(&smsc).window(10));
    let sends: Vec<_> = (0..200)
        .map(|n| {
            let smpp = Arc::clone(&smpp);
            tokio::spawn(async move {
                let to = Destination::parse(Channel::Sms, &format!("+4790001{n:03}")).unwrap();
                let code = Code::from_custom(CODE).unwrap();
                smpp.deliver(Message::new(&to, Channel::Sms, &code)).await
            })
        })
        .collect();
    let mut taken = HashSet::new();
    for send in sends {
        taken.insert(send.await.unwrap().unwrap().reference.unwrap());
    }
    let happened = smsc.happened().await;
    let submits = only(happened.clone(), "submit");
    let ids: HashSet<_> = submits
        .iter()
        .map(|s| s["id"].as_str().unwrap().to_owned())
        .collect();
    let to: HashSet<_> = submits
        .iter()
        .map(|s| s["destination"][2].to_string())
        .collect();
    assert_eq!((submits.len(), to.len()), (200, 200));
    assert_eq!(taken, ids, "each learned its own id");
    assert_eq!(only(happened, "bind").len(), 1);
}
