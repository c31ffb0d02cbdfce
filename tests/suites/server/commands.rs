//! The command line, beside a running server and without one.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use crate::api::Api;
use crate::mail::Mailboxes;
use crate::page::wrong;
use crate::parts::http_fake::{HttpFake, Play};
use crate::parts::ports::free_port;
use crate::parts::server::Home;
use crate::parts::smtp::SmtpServer;
use crate::parts::{PASSWORD, USER};
use crate::terminal;

#[tokio::test]
async fn a_created_key_is_printed_alone_and_works_at_once() {
    let home = Home::empty();
    let server = home.serve().await;
    let printed = home.run_ok(&["key", "create", "--tenant", "acme"]);
    let key = printed.strip_suffix('\n').expect("a line");
    assert!(
        !key.contains(char::is_whitespace) && key.starts_with("countersign_verify_"),
        "{printed}"
    );
    let api = Api::new(&home.base(), key);
    api.send("sms", "+4740000060").await.session();
    let kid = key.split('_').nth(2).expect("a key has a name");
    let listed = home.run_ok(&["key", "list", "--tenant", "acme"]);
    assert!(listed.contains(kid) && !listed.contains(key), "{listed}");
    server.stop().await;
}

#[tokio::test]
async fn inspect_shows_the_state_and_reset_opens_what_is_closed() {
    let home = Home::empty();
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let (to, mut last) = ("+4740000061", None);
    for n in 0..3 {
        let shown = terminal::codes(&server).len();
        let session = api.send("sms", to).await.session();
        let code = terminal::code_after(&server, shown).await;
        for _ in 0..if n < 2 { 5 } else { 0 } {
            api.check(&session, &wrong(&code)).await.reason();
        }
        last = Some((session, code));
    }
    let (session, code) = last.expect("three sessions");
    assert_eq!(api.check(&session, &code).await.reason(), "throttled");
    let page = home.run_ok(&["inspect", "--tenant", "acme", to]);
    assert!(
        page.contains(&session) && page.contains("exhausted"),
        "{page}"
    );
    assert!(!page.contains(to) && !page.contains(&code), "{page}");
    home.run_ok(&["reset", "--tenant", "acme", to]);
    assert!(api.check(&session, &code).await.is_verified());
    server.stop().await;
}

#[tokio::test]
async fn a_fence_ends_every_open_session() {
    let home = Home::empty();
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let shown = terminal::codes(&server).len();
    let session = api.send("sms", "+4740000062").await.session();
    let code = terminal::code_after(&server, shown).await;
    server.stop().await;
    home.run_ok(&["fence"]);
    let server = home.serve().await;
    assert_eq!(api.check(&session, &code).await.reason(), "expired");
    server.stop().await;
}

#[tokio::test]
async fn a_fence_beside_a_running_server_ends_its_open_sessions_at_once() {
    let home = Home::empty();
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let mut opened = Vec::new();
    for to in ["+4740000063", "+4740000064"] {
        let shown = terminal::codes(&server).len();
        let session = api.send("sms", to).await.session();
        opened.push((session, terminal::code_after(&server, shown).await));
    }
    let (used, used_code) = &opened[0];
    assert!(api.check(used, used_code).await.is_verified());
    let (open, code) = &opened[1];
    assert_eq!(api.check(open, &wrong(code)).await.reason(), "wrong_code");
    let said = home.run(&["fence"]);
    assert!(said.status.success(), "{said:?}");
    assert_audited(&said, &["operation=\"fence\"", "outcome=\"done\""]);
    for (session, code) in &opened {
        assert_eq!(api.check(session, code).await.reason(), "expired");
    }
    // The limits are not fenced, and new sessions work.
    let shown = terminal::codes(&server).len();
    let session = api.send("sms", "+4740000064").await.session();
    let code = terminal::code_after(&server, shown).await;
    assert!(api.check(&session, &code).await.is_verified());
    server.stop().await;
}

/// That a command left one line in the audit trail, with these fields.
fn assert_audited(said: &Output, fields: &[&str]) {
    let log = String::from_utf8_lossy(&said.stderr);
    let mut lines = log.lines().filter(|line| line.contains(" audit: "));
    let line = lines.next().unwrap_or_else(|| panic!("no audit: {log}"));
    assert!(lines.next().is_none(), "{log}");
    for field in fields {
        assert!(line.contains(field), "{field} is not in {line}");
    }
}

#[tokio::test]
async fn every_change_from_the_shell_is_audited_and_names_nobody() {
    let home = Home::empty();
    let made = home.run(&["key", "create", "--tenant", "acme"]);
    let key = String::from_utf8_lossy(&made.stdout).trim_end().to_owned();
    let kid = key.split('_').nth(2).expect("a name");
    let (tenant, done) = ("tenant=\"acme\"", "outcome=\"done\"");
    let named = format!("kid=\"{kid}\"");
    assert_audited(&made, &["operation=\"key-create\"", tenant, &named, done]);
    let mut all = vec![made.stderr.clone()];
    for operation in ["inspect", "reset"] {
        let said = home.run(&[operation, "--tenant", "acme", "+4740000065"]);
        let operation = format!("operation=\"{operation}\"");
        let masked = "destination=\"+47••••••65\"";
        assert_audited(&said, &[&operation, tenant, masked, done]);
        all.push(said.stderr);
    }
    // A whole key where its name belongs is refused, and not repeated.
    let wrong = home.run(&["key", "revoke", &key]);
    assert!(!wrong.status.success());
    let revoke = "operation=\"key-revoke\"";
    assert_audited(&wrong, &[revoke, "outcome=\"failed\""]);
    let revoked = home.run(&["key", "revoke", kid]);
    assert_audited(&revoked, &[revoke, &named, done]);
    all.extend([wrong.stderr, revoked.stderr]);
    for said in all {
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("40000065") && !said.contains(&key), "{said}");
    }
}

/// A configuration that logs in to `server` with `password`, over TLS.
fn with_login(server: &SmtpServer, password: &str) -> Home {
    let home = Home::with_config(&format!(
        "[email]\nvia = [\"smtp\"]\n[smtp]\nurl = \"smtps://{USER}@localhost:{}\"\n\
         password = \"{password}\"\nca_file = \"ca.pem\"\n\
         from = \"Example <no-reply@example.org>\"\n",
        server.port("tls")
    ));
    std::fs::write(home.path().join("ca.pem"), server.ca.pem()).expect("written");
    home
}

#[test]
fn check_config_tells_a_mail_server_that_takes_our_login_from_one_that_refuses_it() {
    let mut server = SmtpServer::start();
    let home = with_login(&server, PASSWORD);
    let said = home.run_ok(&["check-config"]);
    assert!(said.contains("ok      smtp"), "{said}");
    let happened = server.happened();
    assert_eq!((happened.logins, happened.mails_begun), (1, 0));

    let refused = home.run(&["check-config", "--send-to", "unknown@example.org"]);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("FAILED  send to u"), "{said}");
    assert!(!said.contains("unknown@example.org"), "{said}");
    assert!(server.happened().messages.is_empty());
    home.run_ok(&["check-config", "--send-to", "somebody@example.org"]);
    assert_eq!(server.only_message().recipients, ["somebody@example.org"]);

    let home = with_login(&server, "hunter2-hunter2");
    let refused = home.run(&["check-config", "--send-to", "somebody@example.org"]);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("FAILED  smtp"), "{said}");
    let log = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!format!("{said}{log}").contains("hunter2"), "{said}{log}");
    let happened = server.happened();
    assert!(happened.logins >= 1 && happened.messages.is_empty());
}

#[tokio::test]
async fn a_fresh_secret_file_can_be_started_with() {
    let home = Home::empty().env("COUNTERSIGN_SECRET_FILE", "./mine");
    let fresh = home.run_ok(&["secret", "new"]);
    assert_ne!(fresh, home.run_ok(&["secret", "new"]));
    let path = home.path().join("mine");
    std::fs::write(&path, fresh).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mode");
    home.serve().await.stop().await;
}

#[tokio::test]
async fn check_config_says_what_is_wrong_and_sends_one_real_message() {
    let mail = Mailboxes::start();
    let home = Home::with_config(&mail.email_config());
    let said = home.run_ok(&["check-config"]);
    assert!(
        said.contains("ok      smtp") && !said.contains("FAILED"),
        "{said}"
    );
    let said = home.run_ok(&["check-config", "--send-to", "operator@example.com"]);
    assert!(!said.contains("operator@example.com"), "{said}");
    assert_eq!(mail.code_for("operator@example.com").await.len(), 6);
    assert_eq!(mail.messages_to("operator@example.com").len(), 1);

    let dead = free_port();
    let config = mail
        .email_config()
        .replace(&mail.server.port("plain").to_string(), &dead.to_string());
    let home = Home::with_config(&config);
    let output = home.run(&["check-config"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !output.status.success() && said.contains("FAILED  smtp"),
        "{said}"
    );
    let output = home.run(&["check-config", "--send-to", "nobody@example.com"]);
    assert!(!output.status.success());
}

#[test]
fn check_config_asks_every_provider_a_question_and_sends_nothing() {
    let settings = "<GetSMSAttributesResponse><GetSMSAttributesResult/><ResponseMetadata>\
                    <RequestId>r</RequestId></ResponseMetadata></GetSMSAttributesResponse>";
    let vonage = HttpFake::start([Play::json(200, r#"{"value":10.28,"autoReload":false}"#)]);
    let sns = HttpFake::start([Play::Answer(200, vec![], settings.into())]);
    let webhook = HttpFake::start([Play::json(405, "{}")]);
    let home = Home::with_config(&format!(
        "[sms]\nvia = [\"vonage\", \"sns\", \"webhook\"]\ncountries = [\"NO\"]\n\
         [vonage]\napi_key = \"abcd1234\"\napi_secret = \"s3cret\"\nfrom = \"Example\"\n\
         base_url = \"{}\"\n\
         [sns]\nregion = \"eu-north-1\"\naccess_key_id = \"AKIAIOSFODNN7EXAMPLE\"\n\
         secret_access_key = \"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYwJ\"\nbase_url = \"{}\"\n\
         [webhook]\nurl = \"{}/codes\"\n\
         secret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n",
        vonage.url(),
        sns.url(),
        webhook.url()
    ));
    let said = home.run_ok(&["check-config"]);
    for line in [
        "ok      vonage for sms: it takes our login",
        "ok      sns for sms: it takes our login",
        "ok      webhook for sms: somebody answers there",
    ] {
        assert!(said.contains(line), "{said}");
    }
    for (fake, path) in [
        (&vonage, "/account/get-balance"),
        (&sns, "/"),
        (&webhook, "/codes"),
    ] {
        assert_eq!(fake.only().path, path);
    }
    drop(vonage);
    let refused = home.run(&["check-config"]);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("FAILED  vonage for sms: vonage: no answer"),
        "{said}"
    );
    assert!(!said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn an_sms_of_one_s_own_that_takes_several_messages_is_told_at_start() {
    let home = Home::with_config("[messages]\ndir = \"words\"\n");
    for (locale, words) in [("en", 40), ("sv", 5)] {
        let own = home.path().join("words").join(locale);
        std::fs::create_dir_all(&own).expect("a folder");
        let text = format!("{}{{{{ brand }}}}: {{{{ code }}}}", "word ".repeat(words));
        std::fs::write(own.join("sms.text.j2"), text).expect("written");
    }
    let said = home.run_ok(&["check-config"]);
    let told = "the SMS in en takes 2 messages, and each is paid for";
    assert!(said.contains(told) && !said.contains("SMS in sv"), "{said}");
    let server = home.serve().await;
    let told = "takes several messages";
    let log = server.stderr.once(|log| log.contains(told)).await;
    let lines: Vec<_> = log.lines().filter(|line| line.contains(told)).collect();
    let [line] = lines[..] else {
        panic!("told more than once: {log}")
    };
    for part in ["WARN", "locale=\"en\"", "messages=2"] {
        assert!(line.contains(part), "{line}");
    }
    server.stop().await;
}
