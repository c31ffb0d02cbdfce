//! `countersign serve` in an empty folder, and its own instructions taken at their word.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::parts::server::{Home, Server};
use crate::terminal;

/// The lines that `serve` prints to be pasted: the exports, and each `curl`.
async fn instructions(server: &Server) -> (Vec<String>, Vec<String>) {
    server
        .stdout
        .find(|line| line.contains("/v1/verify/check").then_some(()))
        .await;
    let text = server.stdout.text().replace("\\\n", " ");
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let of = |word: &str| {
        lines
            .iter()
            .filter(|line| line.starts_with(word))
            .cloned()
            .collect()
    };
    (of("export "), of("curl "))
}

/// Pastes lines into one shell and gives what the last one printed.
fn paste(home: &Home, lines: &[&str]) -> String {
    let output = Command::new("sh")
        .args(["-c", &lines.join("\n")])
        .current_dir(home.path())
        .output()
        .expect("sh runs");
    assert!(output.status.success(), "{lines:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[tokio::test]
async fn the_printed_lines_work_as_pasted() {
    let home = Home::empty();
    let server = home.serve().await;
    let (exports, curls) = instructions(&server).await;
    assert!(
        exports.iter().any(|line| line.contains("VERIFY_API_KEY=")),
        "{exports:?}"
    );
    let find = |path: &str| curls.iter().find(|line| line.contains(path)).expect(path);
    let shown = terminal::codes(&server).len();
    let mut lines: Vec<&str> = exports.iter().map(String::as_str).collect();
    lines.push(find("/v1/verify/send"));
    let sent = paste(&home, &lines);
    let sent: serde_json::Value = serde_json::from_str(sent.trim()).expect(&sent);
    assert_eq!(sent["status"], "sent", "{sent}");
    let code = terminal::code_after(&server, shown).await;
    let session = sent["session_id"].as_str().expect("a session id");

    // The printed `read` takes the session and the code from the terminal.
    let read = "read -r SESSION_ID CODE";
    server
        .stdout
        .find(|line| (line == read).then_some(()))
        .await;
    let typed = format!("{read} <<'END'\n{session} {code}\nEND");
    lines.pop();
    lines.extend([typed.as_str(), find("/v1/verify/check")]);
    let checked = paste(&home, &lines);
    let checked: serde_json::Value = serde_json::from_str(checked.trim()).expect(&checked);
    assert_eq!(checked["status"], "verified", "{checked}");

    let path = home.path().join("data");
    for file in std::fs::read_dir(&path).expect("data is there") {
        let file = file.expect("a file");
        let mode = file.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(
            mode & 0o077,
            0,
            "{:?} can be read by others: {mode:o}",
            file.file_name()
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn the_key_it_prints_dies_with_it_and_the_database_does_not() {
    let home = Home::empty();
    let key_of = |server: &Server| {
        let text = server.stdout.text();
        let at = text.find("VERIFY_API_KEY=").expect("printed") + "VERIFY_API_KEY=".len();
        text[at..]
            .split_whitespace()
            .next()
            .expect("a key")
            .trim_matches(['\'', '"'])
            .to_owned()
    };
    let server = home.serve().await;
    instructions(&server).await;
    let first = crate::api::Api::new(&home.base(), &key_of(&server));
    first.send("sms", "+4740000030").await.session();
    server.stop().await;
    let server = home.serve().await;
    instructions(&server).await;
    first.send("sms", "+4740000030").await.problem(401);
    let second = first.with_key(&key_of(&server));
    second.send("sms", "+4740000030").await.session();
    server.stop().await;
}
