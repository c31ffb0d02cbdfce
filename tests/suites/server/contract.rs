//! The API against its own OpenAPI document.

use std::process::Command;

use crate::mail::Mailboxes;
use crate::parts::server::{Home, repository};
use crate::stage::stage;
use crate::terminal;

#[tokio::test]
async fn the_command_prints_the_document_that_is_served() {
    let stage = stage().await;
    let served = stage
        .tenant("openapi")
        .get("/openapi.json")
        .await
        .expect(200)
        .json();
    let printed: serde_json::Value =
        serde_json::from_str(&stage.home.run_ok(&["openapi"])).expect("JSON");
    assert_eq!(printed, served);
    assert_eq!(served["openapi"], "3.1.0");
}

/// The credentials, as schemathesis takes them: it leaves them out where it tests that
/// they are needed.
fn credentials(key: &str, token: &str) -> String {
    format!(
        "[auth.openapi.apiKey]\napi_key = \"{key}\"\n[auth.openapi.dashboard]\nbearer = \"{token}\"\n"
    )
}

#[tokio::test]
async fn schemathesis_finds_nothing() {
    let mail = Mailboxes::start();
    let home = Home::with_config(&format!("{}{}", mail.email_config(), terminal::CONFIG));
    let server = home.serve().await;
    let key = home.key("acme", &["send", "check", "admin"]);
    let token = home.run_ok(&["token", "--tenant", "acme"]);
    let config = home.path().join("schemathesis.toml");
    std::fs::write(&config, credentials(&key, token.trim_end())).expect("written");
    let schemathesis = repository().join("tests/.parts/venv/bin/schemathesis");
    assert!(
        schemathesis.exists(),
        "missing schemathesis: run ./tests/run parts"
    );
    let output = Command::new(schemathesis)
        .current_dir(home.path())
        .args(["--config-file", "schemathesis.toml", "run"])
        .args([
            &format!("{}/openapi.json", home.base()),
            "--url",
            &home.base(),
        ])
        .args([
            "--max-examples",
            "40",
            "--generation-deterministic",
            "--no-color",
        ])
        .env(
            "SCHEMATHESIS_HOOKS",
            repository().join("tests/parts/schemathesis_hooks.py"),
        )
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .expect("schemathesis runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // Its exit code decides.
    assert!(output.status.success(), "{said}\n{errors}");
    let counted = said
        .lines()
        .find(|line| line.contains("generated"))
        .unwrap_or_default();
    println!("schemathesis:{counted}");
    server.stop().await;
}
