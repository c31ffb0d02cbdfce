//! SMS and calls through `countersign serve`: each provider by a counterpart on this
//! machine, from the request to the approval.

use countersign::Stopwatch;
use serde_json::json;

use crate::api::{Answer, Api};
use crate::parts::http_fake::{Asked, HttpFake, Play};
use crate::parts::second_opinion;
use crate::parts::server::{Home, PATIENCE, Server, pause};
use crate::parts::smsc::Smsc;
use crate::parts::twilio::{TOKEN, code_in, taken, twilio};

const TO: &str = "+4740612345";
const PUBLIC: &str = "https://verify.example.com";

/// A server of this configuration, and the calls of its one tenant.
pub(crate) struct Site {
    pub(crate) home: Home,
    pub(crate) server: Server,
    pub(crate) api: Api,
}

impl Site {
    pub(crate) async fn start(config: &str) -> Self {
        let home = Home::with_config(&format!("public_url = \"{PUBLIC}\"\n{config}"));
        let server = home.serve().await;
        let api = Api::new(&home.base(), &home.key("acme", &["send", "check", "admin"]));
        Self { home, server, api }
    }

    async fn state(&self, session: &str) -> String {
        let status = self.api.status(session).await;
        status.json()["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    }

    /// Waits for a status that comes by another way than this test's.
    async fn becomes(&self, session: &str, wanted: &str) {
        let clock = Stopwatch::start();
        while self.state(session).await != wanted {
            assert!(clock.elapsed() < PATIENCE, "never {wanted}");
            pause().await;
        }
    }
}

async fn approves(api: &Api, sent: &Answer, code: &str) {
    let session = sent.session();
    assert!(api.check(&session, code).await.is_verified());
    assert_eq!(api.check(&session, code).await.reason(), "already_used");
}

/// Posts a callback as a provider does.
async fn report(site: &Site, url: &str, body: &str, headers: &[(&str, &str)]) -> u16 {
    let path = url.strip_prefix(PUBLIC).expect("our address");
    let client = crate::parts::http_client();
    let mut request = client
        .post(format!("{}{path}", site.home.base()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn a70_a_code_by_twilio_is_sent_reported_and_approved() {
    let fake = HttpFake::start([taken()]);
    let config = format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}",
        twilio(&fake)
    );
    let site = Site::start(&config).await;
    let sent = site.api.send("sms", "+47 406 12 345").await;
    assert_eq!(sent.json()["channel"], "sms", "{sent:?}");
    let asked = fake.only();
    assert_eq!(
        asked.path,
        format!("/2010-04-01/Accounts/AC{TOKEN}/Messages.json")
    );
    assert_eq!(asked.field("To").as_deref(), Some(TO));
    let callback = asked.field("StatusCallback").expect("a callback");
    let session = sent.session();
    assert_eq!(site.state(&session).await, "pending");
    // Unsigned, signed by another, and signed by Twilio's own SDK.
    let body = "MessageStatus=delivered&MessageSid=SM1";
    let signature = |token: &str| {
        let question = json!({
            "do": "sign", "token": token, "requests": [{"url": callback, "body": body}],
        });
        let signed = second_opinion::ask("twilio_sdk.py", &question);
        signed[0].as_str().expect("a signature").to_owned()
    };
    let forged = signature("another token");
    assert_eq!(report(&site, &callback, body, &[]).await, 401);
    let header = "x-twilio-signature";
    assert_eq!(
        report(&site, &callback, body, &[(header, &forged)]).await,
        401
    );
    assert_eq!(
        site.state(&session).await,
        "pending",
        "nothing was believed"
    );
    let signed = signature(TOKEN);
    assert_eq!(
        report(&site, &callback, body, &[(header, &signed)]).await,
        204
    );
    assert_eq!(site.state(&session).await, "delivered");
    approves(
        &site.api,
        &sent,
        &code_in(&asked.field("Body").expect("words")),
    )
    .await;
    site.server.stop().await;
}

#[tokio::test]
async fn a_refusal_leads_to_the_next_provider_and_a_lost_answer_does_not() {
    let fake = HttpFake::start([Play::json(401, r#"{"code":20003}"#), Play::Cut]);
    let hooks = HttpFake::start([]);
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let config = format!(
        "[sms]\nvia = [\"twilio\", \"webhook\"]\ncountries = [\"NO\"]\n{}\
         [webhook]\nurl = \"{}\"\nsecret = \"{secret}\"\n",
        twilio(&fake),
        hooks.url()
    );
    let site = Site::start(&config).await;
    let sent = site.api.send("sms", TO).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let body: serde_json::Value = serde_json::from_slice(&hooks.only().body).expect("JSON");
    approves(&site.api, &sent, body["code"].as_str().expect("a code")).await;
    let lost = site.api.send("sms", "+4740612346").await;
    assert_eq!(lost.status, 502, "{lost:?}");
    assert_eq!(
        (fake.asked().len(), hooks.asked().len()),
        (2, 1),
        "no second message"
    );
    site.server.stop().await;
}

#[tokio::test]
async fn channels_in_order_are_one_session_and_a_resend_may_change_the_channel() {
    let refused = Play::json(400, r#"{"code":21408}"#);
    let fake = HttpFake::start([refused, taken(), taken(), taken()]);
    let config = format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n[voice]\nvia = [\"twilio\"]\n\
         countries = [\"NO\"]\n{}[policy]\nresend_cooldown_seconds = 0\n",
        twilio(&fake)
    );
    let site = Site::start(&config).await;
    let body = json!({"to": TO, "channel": ["sms", "voice"], "locale": "nb-NO"});
    let sent = site.api.post("/v1/verify/send", &body).await;
    assert_eq!(sent.json()["channel"], "voice", "{sent:?}");
    let asked = fake.asked();
    let call = asked[1].field("Twiml").expect("words");
    assert!(
        asked[1].path.ends_with("/Calls.json") && call.contains("nb-NO"),
        "{call}"
    );
    let session = sent.session();
    assert_eq!(site.api.check(&session, "000").await.status, 422);
    let wrong = site.api.check(&session, "0000").await;
    assert_eq!(wrong.reason(), "malformed");
    let body = json!({"session_id": session, "to": TO, "channel": "sms"});
    let again = site.api.post("/v1/verify/resend", &body).await;
    assert_eq!(again.json()["channel"], "sms", "{again:?}");
    assert_eq!(again.session(), session, "one session");
    let words = fake.asked()[2].field("Body").expect("words");
    approves(&site.api, &again, &code_in(&words)).await;
    site.server.stop().await;
}

#[tokio::test]
async fn a48_what_is_not_listed_or_costly_is_refused_and_spending_has_an_end() {
    let question = Play::json(400, r#"{"code":21604}"#);
    let fake = HttpFake::start([taken(), taken(), question]);
    let config = format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}[prices.sms.twilio]\nNO = \"0.05\"\n\
         [policy]\ntenant_daily_spend = \"0.10\"\n",
        twilio(&fake)
    );
    let site = Site::start(&config).await;
    // Another country, a premium number, a fixed line, and nobody's number.
    for to in ["+46701234567", "+4782012345", "+4722123456", "+4712345678"] {
        let refused = site.api.send("sms", to).await;
        assert_eq!(refused.status, 422, "{to}: {refused:?}");
        assert!(!refused.text.contains(&to[3..]), "{refused:?}");
    }
    assert!(fake.asked().is_empty(), "and nothing left");
    for to in ["+4740612301", "+4740612302"] {
        assert_eq!(site.api.send("sms", to).await.status, 200);
    }
    let over = site.api.send("sms", "+4740612303").await;
    assert_eq!(over.status, 429, "{over:?}");
    assert_eq!(over.json()["limit"], "tenant_spend");
    assert_eq!(fake.asked().len(), 2, "twice five cents");
    let told = site
        .home
        .run_ok(&["check-config", "--cost-of", "+47 406 12 345"]);
    assert!(told.contains("NO; sms 0.05; voice is refused"), "{told}");
    assert!(told.contains("twilio for sms"), "{told}");
    site.server.stop().await;
}

#[tokio::test]
async fn a_test_destination_has_its_code_and_no_message_and_is_loud() {
    let fake = HttpFake::start([]);
    let config = format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}\
         [[test_destination]]\nto = \"{TO}\"\ncode = \"424242\"\n",
        twilio(&fake)
    );
    let site = Site::start(&config).await;
    let sent = site.api.send("sms", TO).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let wrong = site.api.check(&sent.session(), "424243").await;
    assert_eq!(wrong.number_of("attempts_remaining"), Some(4));
    approves(&site.api, &sent, "424242").await;
    assert!(fake.asked().is_empty(), "nobody was asked");
    let loud = |log: &str| log.contains("test_send") && log.contains("test_approval");
    let log = site.server.stderr.once(loud).await;
    assert!(!log.contains("424242") && !log.contains(TO), "{log}");
    site.server.stop().await;
}

/// Answers that are each provider's own, and where the words are in a request.
#[tokio::test]
async fn vonage_and_sns_deliver_codes_that_are_approved() {
    let vonage = Play::json(
        200,
        r#"{"message-count":"1","messages":[{"status":"0","message-id":"0A01"}]}"#,
    );
    let sns = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult>\
               </PublishResponse>";
    let sns = Play::Answer(
        200,
        vec![("content-type", "text/xml".to_owned())],
        sns.into(),
    );
    let words = |asked: &Asked, field: &str| asked.field(field).expect("words");
    for (provider, answer, field, section) in [
        (
            "vonage",
            vonage,
            "text",
            "api_key = \"abcd1234\"\napi_secret = \"s3cret\"\nfrom = \"Example\"\n",
        ),
        (
            "sns",
            sns,
            "Message",
            "region = \"eu-north-1\"\naccess_key_id = \"AKIAIOSFODNN7EXAMPLE\"\n\
             secret_access_key = \"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYwJ\"\n",
        ),
    ] {
        let fake = HttpFake::start([answer]);
        let config = format!(
            "[sms]\nvia = [\"{provider}\"]\ncountries = [\"NO\"]\n[{provider}]\n{section}\
             base_url = \"{}\"\n",
            fake.url()
        );
        let site = Site::start(&config).await;
        let sent = site.api.send("sms", TO).await;
        assert_eq!(sent.status, 200, "{provider}: {sent:?}");
        approves(&site.api, &sent, &code_in(&words(&fake.only(), field))).await;
        site.server.stop().await;
    }
}

#[tokio::test]
async fn a_message_centre_takes_codes_and_its_receipts_move_the_status() {
    let mut smsc = Smsc::start();
    let config = format!(
        "[sms]\nvia = [\"smpp\"]\ncountries = [\"NO\"]\n[smpp]\n\
         url = \"smpp://user@127.0.0.1:{}\"\npassword = \"pass\"\nfrom = \"Example\"\n",
        smsc.port("plain")
    );
    let site = Site::start(&config).await;
    let sent = site.api.send("sms", TO).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let submit = smsc.submits().await.remove(0);
    let id = submit["decimal"].as_str().expect("an id");
    let text = format!(
        "id:{id} sub:001 dlvrd:001 submit date:2611260101 done date:2611260102 stat:DELIVRD \
         err:000 text:"
    );
    smsc.order(json!({"deliver": {"esm_class": 4, "short_message": text}}))
        .await;
    site.becomes(&sent.session(), "delivered").await;
    let code = code_in(submit["text"].as_str().expect("words"));
    approves(&site.api, &sent, &code).await;
    site.server.stop().await;
}

/// An application of Vonage's: its own RSA key signs, and the words are in the NCCO.
#[tokio::test]
async fn a_call_by_vonage_speaks_a_code_that_is_approved() {
    let uuid = "63f61863-4a51-4f6b-86e1-46edebcf9356";
    let taken = Play::json(201, &format!(r#"{{"uuid":"{uuid}","status":"started"}}"#));
    let fake = HttpFake::start([taken]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = folder.path().join("vonage.pem");
    let made = std::process::Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
            "-out",
        ])
        .arg(&key)
        .output();
    assert!(
        made.is_ok_and(|made| made.status.success()),
        "openssl makes a key"
    );
    let config = format!(
        "[voice]\nvia = [\"vonage\"]\ncountries = [\"NO\"]\n[vonage]\n\
         application_id = \"aaaaaaaa-bbbb-cccc-dddd-0123456789ab\"\nprivate_key_file = \"{}\"\n\
         voice_from = \"+15550100\"\nvoice_base_url = \"{}\"\n",
        key.display(),
        fake.url()
    );
    let site = Site::start(&config).await;
    let sent = site.api.send("voice", TO).await;
    assert_eq!(sent.json()["channel"], "voice", "{sent:?}");
    let asked = fake.only();
    assert_eq!(asked.path, "/v1/calls");
    let call: serde_json::Value = serde_json::from_slice(&asked.body).expect("JSON");
    let words = call["ncco"][0]["text"].as_str().expect("words");
    // The code is spoken sign by sign: its first six digits are one code.
    let code: String = words.chars().filter(char::is_ascii_digit).take(6).collect();
    approves(&site.api, &sent, &code).await;
    site.server.stop().await;
}

#[tokio::test]
async fn email_by_a_webhook_and_a_signed_report_of_it() {
    let hooks = HttpFake::start([]);
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let config = format!(
        "[email]\nvia = [\"webhook\"]\n[webhook]\nurl = \"{}\"\nsecret = \"{secret}\"\n",
        hooks.url()
    );
    let site = Site::start(&config).await;
    let sent = site.api.send("email", "user@example.com").await;
    let body: serde_json::Value = serde_json::from_slice(&hooks.only().body).expect("JSON");
    assert_eq!(body["to"], "user@example.com");
    let unsigned = json!({"token": body["report_token"], "outcome": "delivered"}).to_string();
    let url = format!("{PUBLIC}/v1/verify/reports/webhook");
    assert_eq!(report(&site, &url, &unsigned, &[]).await, 401);
    assert_eq!(site.state(&sent.session()).await, "pending");
    approves(&site.api, &sent, body["code"].as_str().expect("a code")).await;
    site.server.stop().await;
}
