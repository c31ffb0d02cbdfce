//! A70: a provider that repeats what it was asked, in the body of an error too.

use crate::api::Api;
use crate::parts::http_fake::{HttpFake, Play};
use crate::parts::ledger::{From, note};
use crate::parts::server::Home;
use crate::parts::twilio::{code_in, twilio};
use crate::witness;

#[tokio::test]
async fn a70_what_a_provider_repeats_is_in_no_log_and_no_answer() {
    let statuses = [201, 200, 302, 400, 401, 403, 404, 429, 500, 503];
    let fake = HttpFake::start(statuses.map(Play::Echo));
    let config = format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}",
        twilio(&fake)
    );
    let home = Home::with_config(&config).env("COUNTERSIGN_LOG", "trace");
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &["send", "check", "admin"]));
    let mut told = Vec::new();
    let mut secrets = Vec::new();
    // Whether it takes the message or not: the fake plays one answer for each question.
    for number in 0..30 {
        if fake.asked().len() >= statuses.len() {
            break;
        }
        let to = format!("+47406124{number:02}");
        told.push(api.send("sms", &to).await);
        secrets.push(to[3..].to_owned());
    }
    let asked = fake.asked();
    assert!(asked.len() >= statuses.len(), "{} were played", asked.len());
    for asked in &asked {
        let code = code_in(&asked.field("Body").expect("a text"));
        witness::code(&code);
        secrets.push(code);
        let login = asked.header("authorization").expect("a login");
        secrets.push(login.trim_start_matches("Basic ").to_owned());
    }
    let (out, err) = (server.stdout.clone(), server.stderr.clone());
    server.stop().await;

    let log = format!("{}\n{}", out.text(), err.text());
    assert!(log.lines().count() > told.len(), "little was logged: {log}");
    for secret in &secrets {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
        for answer in &told {
            let all = format!("{:?}{}", answer.headers, answer.text);
            assert!(!all.contains(secret), "{secret} is in {answer:?}");
        }
    }
    note(
        "a70",
        "SQLite",
        From::Outside,
        &format!(
            "{} answers of a provider that repeat all they were asked; {} secrets, {} lines",
            asked.len(),
            secrets.len(),
            log.lines().count()
        ),
        "0 found",
    );
}
