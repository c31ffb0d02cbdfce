//! `countersign serve` under load.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{Shot, Target};
use crate::contest::{Contest, ROUNDS};
use crate::parts::http_client;
use crate::parts::redis::Redis;
use crate::parts::server::Home;

/// Enough that none is guessed at more often than its five attempts.
const SESSIONS: usize = 100_000;

/// Checks and sends on one store, on servers of their own.
pub(crate) async fn measure(contest: &Contest, store: &str) -> Result<(), String> {
    let redis = (store == "Redis").then(|| Redis::start(&[]));
    let url = match (&redis, store) {
        (Some(redis), _) => redis.url(),
        (None, "SQLite") => "sqlite:countersign.db".to_owned(),
        (None, _) => "memory:".to_owned(),
    };
    let (home, key) = home(&url)?;
    let (base, server) = (home.base(), home.serve().await);
    let target = Target {
        base,
        process: server.id(),
    };
    let ids = open(&target.base, &key).await?;
    // Each turn begins elsewhere, or the first sessions would be guessed at in all of them.
    let check = |round| {
        let mut ids = ids.clone();
        ids.rotate_left(round * SESSIONS / ROUNDS);
        Shot::check(ids, &key)
    };
    let name = format!("countersign: check, {store}");
    let checks = contest.row(&name, &target, check, check)?;
    let counted = "countersign_checks_total{verdict=\"wrong_code\"}";
    all_were(&home, counted, checks).await?;

    let send = |round| Shot::send(round, &key);
    let name = format!("countersign: send, {store}");
    let sends = contest.row(&name, &target, send, send)?;
    let opened = f64::from(u32::try_from(SESSIONS).unwrap_or(u32::MAX));
    let counted = "countersign_sends_total{channel=\"email\",outcome=\"sent\"}";
    all_were(&home, counted, sends + opened).await
}

/// The server's own count must be that of the answers: else something else was measured.
/// At the end of a round wrk leaves up to one request on each connection unanswered.
async fn all_were(home: &Home, counter: &str, wanted: f64) -> Result<(), String> {
    let url = format!("{}/metrics", home.admin());
    let told = http_client().get(url).send().await;
    let told = told.map_err(|error| error.to_string())?.text().await;
    let told = told.map_err(|error| error.to_string())?;
    let count = told.lines().find_map(|line| line.strip_prefix(counter));
    let count: f64 = count
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or_default();
    if (wanted..=wanted + 1000.0).contains(&count) {
        return Ok(());
    }
    Err(format!("{counter} is {count} after {wanted} answers"))
}

fn home(store_url: &str) -> Result<(Home, String), String> {
    let key = Home::empty().key("bench", &["send", "check"]);
    let hash = Sha256::digest(key.as_bytes());
    let hash: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let home = Home::with_config(&format!(
        "[store]\nurl = \"{store_url}\"\n[[api_key]]\ntenant = \"bench\"\n\
         scopes = [\"send\", \"check\"]\nsha256 = \"{}\"\n\
         [jwt]\nhs256_secret = \"a secret of the bench's own, of 32 bytes\"\n",
        hash.concat()
    ));
    keep_secret(&home).map_err(|error| error.to_string())?;
    // Of the floor too no line is shown.
    Ok((home.env("COUNTERSIGN_LOG", "warn"), key))
}

/// Servers on a shared store are given their secrets, and make none.
fn keep_secret(home: &Home) -> std::io::Result<()> {
    let folder = home.path().join("data");
    std::fs::create_dir_all(&folder)?;
    let secret = folder.join("secret");
    std::fs::write(&secret, home.run_ok(&["secret", "new"]))?;
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600))
}

async fn open(base: &str, key: &str) -> Result<Vec<String>, String> {
    let client = http_client();
    let mut tasks = Vec::new();
    for part in 0..64 {
        let (client, base, key) = (client.clone(), base.to_owned(), key.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut ids = Vec::new();
            for n in (part..SESSIONS).step_by(64) {
                ids.push(send(&client, &base, &key, n).await?);
            }
            Ok::<_, String>(ids)
        }));
    }
    let mut ids = Vec::new();
    for task in tasks {
        ids.extend(task.await.map_err(|error| error.to_string())??);
    }
    Ok(ids)
}

async fn send(client: &Client, base: &str, key: &str, n: usize) -> Result<String, String> {
    let body = json!({ "to": format!("user{n}@example.com"), "channel": "email" });
    let sent = client
        .post(format!("{base}/v1/verify/send"))
        .header("x-api-key", key)
        .json(&body)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let answer: Value = sent.json().await.map_err(|error| error.to_string())?;
    let id = answer["session_id"].as_str();
    id.map(str::to_owned)
        .ok_or_else(|| format!("not sent: {answer}"))
}
