//! A store that forgets its API keys: a Redis without an append-only file.

use crate::api::Api;
use crate::parts::http_fake::HttpFake;
use crate::parts::redis::Redis;
use crate::parts::server::{Home, write_secret};
use crate::parts::twilio::twilio;

/// A server that sends to people, or shows codes in the terminal, over this Redis.
fn home(redis: &Redis, rest: &str) -> Home {
    let home = Home::with_config(&format!(
        "secret_file = \"secret\"\n[store]\nurl = \"redis://:hunter2@127.0.0.1:{}\"\n\
         [jwt]\nhs256_secret = \"a secret of the test's own, of 32 bytes\"\n{rest}",
        redis.port
    ));
    write_secret(&home.path().join("secret"));
    home
}

fn to_people(provider: &HttpFake) -> String {
    format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}",
        twilio(provider)
    )
}

#[tokio::test]
async fn a_store_that_forgets_its_keys_needs_one_of_the_configuration() {
    let redis = Redis::start(&["--requirepass", "hunter2"]);
    let provider = HttpFake::start([]);
    let people = to_people(&provider);
    let refusing = home(&redis, &people);
    for command in [&["key", "create", "--tenant", "acme"][..], &["serve"]] {
        let output = refusing.run(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        for part in ["api_key:", "CONFIG SET appendonly yes", "key static"] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
    let told = String::from_utf8(refusing.run(&["check-config"]).stdout).expect("UTF-8");
    let told = told.lines().find(|line| line.contains("append-only file"));
    assert!(told.is_some_and(|line| line.contains("FAILED  store")));

    // As it is told: made without a store, and the section goes into the configuration.
    let arguments = ["key", "static", "--tenant", "acme", "--scope", "check"];
    let made = Home::empty().run(&arguments);
    let section = String::from_utf8(made.stderr).expect("UTF-8");
    let key = String::from_utf8(made.stdout).expect("UTF-8");
    assert!(
        !section.contains(key.trim_end()),
        "the key is no part of it"
    );
    let serving = home(&redis, &format!("{people}{section}"));
    let server = serving.serve().await;
    let api = Api::new(&serving.base(), key.trim_end());
    let nobody = format!("sess_{}", "A".repeat(23));
    api.status(&nobody).await.problem(404);
    api.send("sms", "+4740000010").await.problem(403);
    let changed = format!("{}A", key.trim_end());
    api.with_key(&changed).status(&nobody).await.problem(401);
    server.stop().await;
}

#[tokio::test]
async fn a_store_with_a_log_and_a_trial_need_none() {
    let provider = HttpFake::start([]);
    let logged = Redis::start(&["--requirepass", "hunter2", "--appendonly", "yes"]);
    let serving = home(&logged, &to_people(&provider));
    let api = Api::new(&serving.base(), &serving.key("acme", &[]));
    let server = serving.serve().await;
    let nobody = format!("sess_{}", "A".repeat(23));
    api.status(&nobody).await.problem(404);
    server.stop().await;

    let redis = Redis::start(&["--requirepass", "hunter2"]);
    let trial = home(&redis, "");
    let server = trial.serve().await;
    let warned = server.stderr.text();
    assert!(warned.contains("keeps no append-only file"), "{warned}");
    server.stop().await;
}
