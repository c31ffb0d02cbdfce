//! API keys and activation, from outside.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use countersign::Stopwatch;
use serde_json::json;

use crate::api::{Answer, Api, answer};
use crate::parts::ledger::{From, note};
use crate::parts::server::{Home, PATIENCE};
use crate::stage::{Stage, stage};

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
        answer(crate::parts::http_client().post(format!("{}/v1/verify/send", home.base()))).await;
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
        answer(crate::parts::http_client().post(url).bearer_auth(&token))
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
        answer(crate::parts::http_client().post(url).bearer_auth(wrong))
            .await
            .problem(401);
    }
    server.stop().await;
}

/// Revokes a key by a process of its own, and gives the time of its answer.
fn revoke(home: &Home, kid: &str, clock: Stopwatch) -> Duration {
    let mut revoking = home
        .command(&["key", "revoke", kid])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let stdout = revoking.stdout.take().expect("piped");
    let answer = BufReader::new(stdout).lines().next();
    let answered = clock.elapsed();
    let answer = answer.and_then(Result::ok).unwrap_or_default();
    assert_eq!(answer, format!("{kid} is revoked"));
    assert!(revoking.wait().expect("it ends").success());
    answered
}

/// Uses a key without a pause while another process revokes it, and gives the times at
/// which the revoke was answered, the last accepted use began and the first refused one
/// was answered.
async fn use_and_revoke(stage: &'static Stage, tenant: &str) -> (Api, [Duration; 3]) {
    let key = stage.home.key(tenant, &[]);
    let api = Api::new(&stage.home.base(), &key);
    let to = format!("{tenant}@example.com");
    api.send("email", &to).await.session();
    let unknown = format!("sess_{}", "A".repeat(23));
    let clock = Stopwatch::start();
    let revoked = tokio::task::spawn_blocking(move || {
        let kid = key.split('_').nth(2).expect("countersign_verify_<kid>_…");
        revoke(&stage.home, kid, clock)
    });
    let mut accepted = Duration::ZERO;
    let refused = loop {
        let began = clock.elapsed();
        let answer = api.status(&unknown).await;
        if answer.status == 401 {
            break clock.elapsed();
        }
        answer.problem(404);
        accepted = began;
        assert!(began < PATIENCE, "the key still works");
    };
    let revoked = revoked.await.expect("no panic");
    (api, [revoked, accepted, refused])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a67_a_key_that_another_process_revoked_is_refused_within_a_second() {
    let stage = stage().await;
    let mut longest = Duration::ZERO;
    // The age of what the server remembers is another one each time.
    for round in 0..6 {
        let (api, times) = use_and_revoke(stage, &format!("a67-{round}")).await;
        let [revoked, accepted, refused] = times;
        // Told by the beginning of each use, so that no slowness of this machine matters:
        // what begins a second after the answer is refused, however long it takes.
        let late = accepted.saturating_sub(revoked);
        assert!(
            late < Duration::from_secs(1),
            "used {} ms after it was revoked",
            late.as_millis()
        );
        longest = longest.max(refused.saturating_sub(revoked));
        let after = format!("a67-after-{round}@example.com");
        api.send("email", &after).await.problem(401);
        assert!(stage.mail.messages_to(&after).is_empty());
    }
    note(
        "a67",
        "SQLite",
        From::Outside,
        "6 keys in use, revoked by another process",
        &format!("refused after {} ms at most", longest.as_millis()),
    );
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
