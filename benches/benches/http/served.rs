//! `countersign serve` under load.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{Figures, load};
use crate::parts::http_client;
use crate::parts::redis::Redis;
use crate::parts::server::Home;

/// Enough that none is guessed at more often than its attempts allow.
const SESSIONS: usize = 40_000;

pub(crate) async fn measure(store: &str, bare: &Figures) -> Result<(), String> {
    let redis = (store == "redis").then(|| Redis::start(&[]));
    let store_url = match (&redis, store) {
        (Some(redis), _) => redis.url(),
        (None, "sqlite") => "sqlite:countersign.db".to_owned(),
        (None, other) => other.to_owned(),
    };
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
    let home = home.env("COUNTERSIGN_LOG", "warn");
    let (url, server) = (home.base(), home.serve().await);
    let ids = open(&url, &key).await?;
    let name = format!("check, {}", store.trim_end_matches(':'));
    load(&url, server.id(), &ids, &key)?.print(&name, bare);
    Ok(())
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
