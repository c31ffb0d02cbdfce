//! The command line, beside a running server and without one.

use std::os::unix::fs::PermissionsExt as _;

use crate::api::Api;
use crate::mail::Mail;
use crate::page::wrong;
use crate::process::{Home, free_port};
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
    let mail = Mail::start();
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
        .replace(&mail.port.to_string(), &dead.to_string());
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
