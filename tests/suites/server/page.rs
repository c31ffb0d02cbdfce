//! Unchanged clients: the calls of the published page "Send OTP Verification" work as
//! written, but for the base URL, the key and the token.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::mail::Mailboxes;
use crate::parts::python;
use crate::parts::server::{Home, Server, repository};
use crate::terminal;

const HOST: &str = "https://api.wayscloud.services";

/// The page's calls, taken from the page where it lies beside the repository, else our
/// own rendering of the same calls.
struct Page {
    activate: String,
    sms: String,
    voice: String,
    email: String,
    check: String,
    program: Option<String>,
}

impl Page {
    fn find() -> Self {
        let path = repository()
            .parent()
            .map(|up| up.join("shared/send-otp-verification.txt"));
        if let Some(text) = path.and_then(|path| std::fs::read_to_string(path).ok()) {
            return Self::read(&text);
        }
        // Written past the harness, which shows nothing of a test that passes.
        let loud = b"THE PAGE IS NOT HERE: its calls are tested in our own rendering\n";
        std::io::stderr().write_all(loud).expect("standard error");
        Self::own()
    }

    fn read(text: &str) -> Self {
        let calls = blocks(text, "bash", str::is_empty);
        let [activate, sms, voice, email, check] =
            <[String; 5]>::try_from(calls).expect("the page has five calls");
        let program = blocks(text, "python", |line| line == "API reference").pop();
        assert!(program.is_some(), "the page has a program");
        Self {
            activate,
            sms,
            voice,
            email,
            check,
            program,
        }
    }

    fn own() -> Self {
        let post = |path: &str, body: &str| {
            format!(
                "curl -X POST {HOST}/v1/verify/{path} -H \"X-API-Key: $VERIFY_API_KEY\" \
                 -H 'Content-Type: application/json' -d '{body}'"
            )
        };
        Self {
            activate: format!(
                "curl -X POST {HOST}/v1/dashboard/verify/activate \
                 -H \"Authorization: Bearer $JWT_TOKEN\""
            ),
            sms: post("send", r#"{"to":"+4712345678","channel":"sms"}"#),
            voice: post("send", r#"{"to":"+4712345678","channel":"voice"}"#),
            email: post("send", r#"{"to":"user@example.com","channel":"email"}"#),
            check: post("check", r#"{"session_id":"sess_abc123","code":"123456"}"#),
            program: None,
        }
    }
}

/// The blocks of `text` that begin after a line `language` and end before an `end`.
fn blocks(text: &str, language: &str, end: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = text.lines();
    let mut blocks = Vec::new();
    while lines.any(|line| line == language) {
        let block: Vec<_> = lines.by_ref().take_while(|line| !end(line)).collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

/// A server whose email goes through a real SMTP server, and a person at a shell.
struct Customer {
    mail: Mailboxes,
    home: Home,
    server: Server,
    key: String,
}

impl Customer {
    async fn new() -> Self {
        let mail = Mailboxes::start();
        let home = Home::with_config(&format!("{}{}", mail.email_config(), terminal::CONFIG));
        let server = home.serve().await;
        Self {
            mail,
            home,
            server,
            key: String::new(),
        }
    }

    /// Runs a call of the page in a shell, with its host replaced and `-s` for silence.
    fn call(&self, call: &str, token: &str) -> Value {
        let script = call
            .replace(HOST, &self.home.base())
            .replace("curl -X", "curl -s -X");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("VERIFY_API_KEY", &self.key)
            .env("JWT_TOKEN", token)
            .output()
            .expect("sh runs");
        assert!(output.status.success(), "curl failed: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    }

    fn check(&self, page: &Page, session: &Value, code: &str) -> Value {
        let session = session.as_str().expect("a session id");
        assert!(session.starts_with("sess_"), "{session}");
        let call = page
            .check
            .replace("sess_abc123", session)
            .replace("123456", code);
        self.call(&call, "")
    }
}

/// A code of the same length that is not `code`.
pub(crate) fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &code[..code.len() - 1])
}

fn assert_sent(answer: &Value, channel: &str) {
    assert_eq!(answer["status"], "sent", "{answer}");
    assert_eq!(answer["channel"], channel, "{answer}");
    assert_eq!(answer["expires_in"], 300, "{answer}");
}

#[tokio::test]
async fn every_call_of_the_page_works_as_written() {
    let (page, mut customer) = (Page::find(), Customer::new().await);
    let token = customer.home.run_ok(&["token", "--tenant", "acme"]);
    let activated = customer.call(&page.activate, token.trim_end());
    customer.key = activated["api_key"]
        .as_str()
        .expect("an API key")
        .to_owned();
    assert_eq!(
        activated["endpoint"],
        format!("{}/v1/verify", customer.home.base())
    );

    for (call, channel) in [
        (&page.sms, "sms"),
        (&page.voice, "voice"),
        (&page.email, "email"),
    ] {
        let shown = terminal::codes(&customer.server).len();
        let sent = customer.call(call, "");
        assert_sent(&sent, channel);
        let code = match channel {
            "email" => customer.mail.code_for("user@example.com").await,
            _ => terminal::code_after(&customer.server, shown).await,
        };
        let failed = customer.check(&page, &sent["session_id"], &wrong(&code));
        assert_eq!(failed["status"], "failed", "{failed}");
        assert_eq!(failed["session_id"], sent["session_id"], "{failed}");
        assert_eq!(failed["attempts_remaining"], 4, "{failed}");
        let verified = customer.check(&page, &sent["session_id"], &code);
        let expected = json!({
            "session_id": sent["session_id"], "status": "verified", "channel": channel,
        });
        assert_includes(&verified, &expected);
        let replayed = customer.check(&page, &sent["session_id"], &code);
        assert_eq!(replayed["status"], "failed", "{replayed}");
        assert_eq!(replayed["attempts_remaining"], 0, "{replayed}");
    }
    customer.server.stop().await;
}

/// That `answer` has every member of `expected`; it may have more.
fn assert_includes(answer: &Value, expected: &Value) {
    for (member, value) in expected.as_object().expect("an object") {
        assert_eq!(&answer[member], value, "{member} in {answer}");
    }
}

#[tokio::test]
async fn the_python_program_of_the_page_works_as_written() {
    let page = Page::find();
    let mut customer = Customer::new().await;
    customer.key = customer.home.key("acme", &[]);
    if let Some(program) = &page.program {
        assert_eq!(
            run_program(&customer, literal(program, &customer), "").await,
            "granted"
        );
    }
    let own = std::fs::read_to_string(repository().join("tests/parts/page_client.py"));
    let own = own.expect("our client");
    assert_eq!(run_program(&customer, own, "+4712345679").await, "granted");
    customer.server.stop().await;
}

/// The page's program with its base URL and key replaced; the code that its user types
/// comes from standard input, and where it grants access it says so.
fn literal(program: &str, customer: &Customer) -> String {
    let key = program
        .split("VERIFY_KEY = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    program
        .replace(key.expect("the program has a key"), &customer.key)
        .replace(HOST, &customer.home.base())
        .replace("user_input", "input()")
        .replace("    pass", "    print('granted')")
}

/// Runs a Python program that sends one SMS and reads the code, and types the code in.
async fn run_program(customer: &Customer, program: String, argument: &str) -> String {
    let shown = terminal::codes(&customer.server).len();
    let mut python = Command::new(python())
        .args(["-c", &program, argument])
        .env("BASE", format!("{}/v1/verify", customer.home.base()))
        .env("VERIFY_API_KEY", &customer.key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let code = terminal::code_after(&customer.server, shown).await;
    let mut stdin = python.stdin.take().expect("piped");
    writeln!(stdin, "{code}").expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "it failed; `./tests/run parts` installs what it needs: {output:?}"
    );
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}
