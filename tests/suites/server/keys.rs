//! API keys and activation, from outside.

use countersign::Stopwatch;
use serde_json::json;

use crate::api::{Answer, Api, answer};
use crate::process::{Home, PATIENCE, pause};
use crate::stage::stage;

/// What a stranger can tell two refusals apart by.
fn outside(answer: &Answer) -> (u16, String, Vec<String>) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(k, v)| format!("{k}: {v:?}"))
        .collect();
    headers.retain(|header| !header.starts_with("date:") && !header.starts_with("x-request-id:"));
    headers.sort();
    (answer.status, answer.text.clone(), headers)
}

#[tokio::test]
async fn a65_all_wrong_keys_get_the_same_answer_and_then_have_to_wait() {
    let home = Home::empty();
    let server = home.serve().await;
    let key = home.key("acme", &[]);
    let api = Api::new(&home.base(), &key);
    api.status(&format!("sess_{}", "A".repeat(23)))
        .await
        .problem(404);
    let changed = |at: usize| {
        let mut bytes = key.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    };
    let wrong = [
        String::new(),
        "x".into(),
        key.replace("countersign", "wayscloud"),
        key[..key.len() - 1].into(),
        format!("{key}A"),
        changed(key.len() - 1),
        changed(key.len() - 20),
        changed("countersign_verify_".len()),
        key.to_uppercase(),
    ];
    let first = api.with_key(&wrong[0]).send("sms", "+4740000010").await;
    first.problem(401);
    for key in &wrong {
        for (method, path) in [
            ("POST", "/v1/verify/send"),
            ("POST", "/v1/verify/check"),
            ("GET", "/v1/verify/status/x"),
        ] {
            let refused = answer(api.with_key(key).request(method, path).json(&json!({}))).await;
            assert_eq!(outside(&refused), outside(&first), "{method} {path}");
        }
    }
    let without =
        answer(reqwest::Client::new().post(format!("{}/v1/verify/send", home.base()))).await;
    assert_eq!(outside(&without), outside(&first));
    let mut tries = 0;
    let refused = loop {
        let refused = api.with_key(&wrong[5]).send("sms", "+4740000010").await;
        if refused.status != 401 {
            break refused;
        }
        tries += 1;
        assert!(tries < 1000, "keys can be guessed without a limit");
    };
    refused.problem(429);
    assert!(
        refused.header("retry-after").parse::<u64>().is_ok(),
        "{refused:?}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a66_of_a_hundred_activations_at_once_one_is_shown_the_key() {
    let stage = stage().await;
    let token = stage
        .home
        .run_ok(&["token", "--tenant", "a66"])
        .trim_end()
        .to_owned();
    let activate = || {
        let url = format!("{}/v1/dashboard/verify/activate", stage.home.base());
        answer(reqwest::Client::new().post(url).bearer_auth(&token))
    };
    let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(activate())).collect();
    let mut keys = Vec::new();
    for task in tasks {
        let activated = task.await.expect("no panic");
        match activated.status {
            200 => keys.push(activated.text_of("api_key")),
            _ => drop(activated.problem(409)),
        }
    }
    let [key] = <[String; 1]>::try_from(keys).expect("exactly one is shown the key");
    assert!(key.starts_with("countersign_verify_"));
    let replayed = activate().await;
    assert!(
        replayed.problem(409)["detail"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert!(!replayed.text.contains(&key));
    let api = Api::new(&stage.home.base(), &key);
    let (session, code) = stage.emailed(&api, "a66@example.com").await;
    assert!(api.check(&session, &code).await.is_verified());
}

#[tokio::test]
async fn activation_takes_valid_tokens_only() {
    let home = Home::empty();
    let server = home.serve().await;
    let token = home
        .run_ok(&["token", "--tenant", "acme"])
        .trim_end()
        .to_owned();
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let claims = signed.split('.').nth(1).expect("claims");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{other}{}", &signature[1..]);
    for wrong in [
        String::new(),
        "x".into(),
        unsigned,
        forged,
        signed.to_owned(),
    ] {
        let url = format!("{}/v1/dashboard/verify/activate", home.base());
        answer(reqwest::Client::new().post(url).bearer_auth(wrong))
            .await
            .problem(401);
    }
    server.stop().await;
}

#[tokio::test]
async fn a67_a_revoked_key_is_refused_within_a_second() {
    let stage = stage().await;
    let key = stage.home.key("a67", &[]);
    let api = Api::new(&stage.home.base(), &key);
    api.send("email", "a67@example.com").await.session();
    let kid = key.split('_').nth(2).expect("countersign_verify_<kid>_…");
    stage.home.run_ok(&["key", "revoke", kid]);
    let clock = Stopwatch::start();
    let unknown = format!("sess_{}", "A".repeat(23));
    while api.status(&unknown).await.status != 401 {
        assert!(clock.elapsed() < PATIENCE, "the key still works");
        pause().await;
    }
    let took = clock.elapsed_millis();
    // The promise is one second; the rest is this machine's own slowness.
    assert!(took < 3000, "refused after {took} ms");
    api.send("email", "a67-after@example.com")
        .await
        .problem(401);
    assert!(stage.mail.messages_to("a67-after@example.com").is_empty());
}

#[tokio::test]
async fn a67_a_key_does_only_what_its_scopes_say() {
    let stage = stage().await;
    let api = stage.tenant("scopes");
    let only = |scope: &str| api.with_key(&stage.home.key("scopes", &[scope]));
    let (send, check, admin) = (only("send"), only("check"), only("admin"));
    let to = "scopes@example.com";
    for refused in [&check, &admin] {
        refused.send("email", to).await.problem(403);
        let body = json!({ "recipient": to, "channel": "email" });
        refused.post("/v1/verify/start", &body).await.problem(403);
    }
    assert!(stage.mail.messages_to(to).is_empty());
    let (session, code) = stage.emailed(&send, to).await;
    for refused in [&send, &admin] {
        refused.check(&session, &code).await.problem(403);
    }
    for refused in [&send, &check] {
        refused
            .get(&format!("/v1/verify/destination?to={to}"))
            .await
            .problem(403);
        refused
            .post("/v1/verify/reset", &json!({ "to": to }))
            .await
            .problem(403);
    }
    admin
        .post("/v1/verify/reset", &json!({ "to": to }))
        .await
        .expect(204);
    assert!(check.check(&session, &code).await.is_verified());
}
