//! No code, key or full destination leaves by a side door.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::api::{Answer, Api, answer};
use crate::mail::Mailboxes;
use crate::page::wrong;
use crate::parts::ledger::{From, note};
use crate::parts::server::Home;
use crate::witness;

/// Goes through the lives of sessions with codes of ten digits, which nothing else in an
/// answer looks like, and gives all answers and all codes.
async fn lives(api: &Api, mail: &Mailboxes) -> (Vec<Answer>, Vec<String>) {
    let (mut answers, mut codes) = (Vec::new(), Vec::new());
    for n in 0..20 {
        codes.push(life(api, mail, n, &mut answers).await);
    }
    for to in [
        "unknown@example.com",
        "later@example.com",
        "Bad <bad@example.com>",
        "person@@example.com",
    ] {
        answers.push(api.send("email", to).await);
    }
    answers.push(api.send("sms", "+4741234567").await);
    (answers, codes)
}

async fn life(api: &Api, mail: &Mailboxes, n: usize, answers: &mut Vec<Answer>) -> String {
    let to = format!("person-{n}@example.com");
    let delivery = if n.is_multiple_of(2) {
        "wait"
    } else {
        "background"
    };
    let body = json!({ "to": to, "channel": "email", "code_length": 10, "delivery": delivery });
    let send = || {
        let request = api.request("POST", "/v1/verify/send");
        answer(
            request
                .header("idempotency-key", format!("k{n}"))
                .json(&body),
        )
    };
    let first = send().await;
    let (session, code) = (first.session(), mail.code_for(&to).await);
    answers.extend([first, send().await]);
    for guess in [wrong(&code), "12".into(), format!("{code}{code}{code}")] {
        answers.push(api.check(&session, &guess).await);
    }
    for body in [
        json!({ "session_id": session, "code": [code] }),
        json!({ "session_id": code, "code": code }),
        json!({ "session_id": session, "code": 1, (code.as_str()): 1 }),
    ] {
        answers.push(api.post("/v1/verify/check", &body).await);
    }
    answers.push(
        api.post_text("/v1/verify/check", format!("{{\"code\":\"{code}\""))
            .await,
    );
    answers.push(api.status(&session).await);
    answers.push(api.get(&format!("/v1/verify/destination?to={to}")).await);
    let again = json!({ "session_id": session, "to": to });
    answers.push(api.post("/v1/verify/resend", &again).await);
    for _ in 0..2 {
        answers.push(api.check(&session, &code).await);
    }
    answers.push(api.delete(&format!("/v1/verify/sessions/{session}")).await);
    answers.push(api.post("/v1/verify/reset", &json!({ "to": to })).await);
    code
}

/// The id in the answer to a send, without the `sess_` that it begins with.
fn bare_id(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let id = body["session_id"].as_str()?.strip_prefix("sess_")?;
    Some(id.to_owned())
}

#[tokio::test]
async fn a38_no_answer_document_or_metric_holds_a_code() {
    let mail = Mailboxes::start();
    let home = Home::with_config(&mail.email_config());
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &["send", "check", "admin"]));
    let (mut answers, codes) = lives(&api, &mail).await;
    for path in ["/openapi.json", "/docs", "/nowhere"] {
        answers.push(api.get(path).await);
    }
    let admin = Api::new(&home.admin(), "none");
    for path in ["/metrics", "/healthz", "/readyz"] {
        answers.push(admin.get(path).await);
    }
    assert_eq!(codes.len(), 20);
    for answer in &answers {
        let all = format!("{:?}{}", answer.headers, answer.text);
        for code in &codes {
            assert!(!all.contains(code), "a code is in {answer:?}");
        }
        // Whole, or quoted as in a URL.
        for part in ["@example.com", "%40example.com", "person-"] {
            assert!(!all.contains(part), "a destination is in {answer:?}");
        }
    }
    let (words, all_codes) = witness::seen();
    note(
        "a38",
        "SQLite",
        From::Outside,
        &format!(
            "{} answers of whole lives; {words} words and {all_codes} codes of the suite so far",
            answers.len()
        ),
        "0 found",
    );
    server.stop().await;
}

/// Another tenant's token and key, after tries with a used token and with a wrong one.
async fn activated(home: &Home) -> (String, String) {
    let token = home.run_ok(&["token", "--tenant", "acme-2"]);
    let token = token.trim_end().to_owned();
    let url = format!("{}/v1/dashboard/verify/activate", home.base());
    let activate =
        |token: String| answer(crate::parts::http_client().post(&url).bearer_auth(token));
    let key = activate(token.clone()).await.expect(200).text_of("api_key");
    activate(token.clone()).await.problem(409);
    activate(format!("{token}x")).await.problem(401);
    (token, key)
}

#[tokio::test]
async fn a37_nothing_secret_is_in_the_log_at_trace() {
    let mail = Mailboxes::start();
    let home = Home::with_config(&mail.email_config()).env("COUNTERSIGN_LOG", "trace");
    let server = home.serve().await;
    let key = home.key("acme", &["send", "check", "admin"]);
    let api = Api::new(&home.base(), &key);
    let (answers, codes) = lives(&api, &mail).await;
    let (token, activated) = activated(&home).await;
    let wrong_key = wrong(&key);
    api.with_key(&wrong_key)
        .send("email", "person@example.com")
        .await
        .problem(401);
    let said = home.run(&["inspect", "--tenant", "acme", "person-1@example.com"]);
    let reset = home.run(&["reset", "--tenant", "acme", "person-1@example.com"]);
    let (out, err) = (server.stdout.clone(), server.stderr.clone());
    server.stop().await;

    let mut log = format!("{}\n{}", out.text(), err.text());
    // Session ids are no secret from an operator who asks: `inspect` shows them. The server
    // has no reason to.
    let ids: HashSet<_> = answers.iter().filter_map(bare_id).collect();
    assert!(ids.len() >= codes.len(), "{ids:?}");
    for id in &ids {
        assert!(!log.contains(id.as_str()), "{id} is in the server's log");
    }
    for output in [said, reset] {
        log.push_str(&String::from_utf8_lossy(&output.stdout));
        log.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    assert!(log.lines().count() > 300, "little was logged: {log}");
    let mut secrets = codes;
    secrets.extend([
        key,
        activated,
        token,
        wrong_key,
        // Addresses, however they are quoted: every domain, and most names before the `@`.
        "example.com".into(),
        "person-".into(),
        "+4741234567".into(),
        "41234567".into(),
    ]);
    for secret in &secrets {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
    note(
        "a37",
        "SQLite",
        From::Outside,
        &format!(
            "{} secrets, {} lines",
            secrets.len() + ids.len(),
            log.lines().count()
        ),
        "0 found",
    );
}
