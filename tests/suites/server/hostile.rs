//! Bad input over HTTP: nothing is sent, nothing is charged, nothing falls over.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use countersign::Stopwatch;
use serde_json::json;

use crate::api::Api;
use crate::page::wrong;
use crate::parts::ledger::{From, note};
use crate::parts::server::PATIENCE;
use crate::stage::{Stage, stage};

/// That a session's attempts are all still there: a first wrong guess leaves four.
async fn assert_uncharged(api: &Api, session: &str, code: &str) {
    let answer = api.check(session, &wrong(code)).await;
    assert_eq!(answer.reason(), "wrong_code");
    assert_eq!(
        answer.number_of("attempts_remaining"),
        Some(4),
        "something was charged"
    );
    assert!(api.check(session, code).await.is_verified());
}

async fn live_session(name: &str) -> (&'static Stage, Api, String, String) {
    let stage = stage().await;
    let (api, session, code) = live_session_on(stage, name).await;
    (stage, api, session, code)
}

async fn live_session_on(stage: &Stage, name: &str) -> (Api, String, String) {
    let api = stage.tenant(name);
    let (session, code) = stage.emailed(&api, &format!("{name}@example.com")).await;
    (api, session, code)
}

/// How many kilobytes a server may keep of what it refuses.
const MAY_KEEP: u64 = 512;
/// How often that comes before its memory is measured, and then again.
const TIMES: u32 = 40;

/// That a server keeps nothing of what it refuses. Once its thread has taken the buffers that
/// such requests are read into, it stays as it is. How long others wait meanwhile is not held
/// here: no test is timed.
async fn assert_nothing_is_kept(stage: &Stage, what: &str, attack: impl AsyncFn()) {
    let resident = || stage.server.resident_kilobytes();
    let first = resident();
    for _ in 0..TIMES {
        attack().await;
    }
    let before = resident();
    for _ in 0..TIMES {
        attack().await;
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < MAY_KEEP, "{what}: grew by {grown} kB");
    let taken = before.saturating_sub(first);
    note(
        "a27",
        "SQLite",
        From::Outside,
        &format!("{what}, {} times", 2 * TIMES),
        &format!("refused; {taken} kB taken by the first half, {grown} kB by the second"),
    );
}

#[tokio::test]
async fn a24_an_empty_or_missing_code_is_refused_uncharged() {
    let (_, api, session, code) = live_session("a24").await;
    let bodies = [
        json!({ "session_id": session, "code": "" }),
        json!({ "session_id": session, "code": null }),
        json!({ "session_id": session }),
        json!({ "session_id": session, "code": " " }),
        json!({ "session_id": session, "code": " - - " }),
    ];
    for body in bodies {
        api.post("/v1/verify/check", &body).await.problem(422);
    }
    assert_uncharged(&api, &session, &code).await;
}

#[tokio::test]
async fn a25_a_code_of_another_type_is_refused_uncharged() {
    let (_, api, session, code) = live_session("a25").await;
    let number: u64 = code.parse().expect("digits");
    for value in [
        json!(true),
        json!(0),
        json!(number),
        json!([code]),
        json!({ "code": code }),
        json!(1.5),
    ] {
        let body = json!({ "session_id": session, "code": value });
        api.post("/v1/verify/check", &body).await.problem(422);
    }
    let twice = [
        format!(
            r#"{{"session_id":"{session}","code":"{}","code":"{code}"}}"#,
            wrong(&code)
        ),
        format!(
            r#"{{"session_id":"{session}","code":"{code}","code":"{}"}}"#,
            wrong(&code)
        ),
    ];
    for body in twice {
        api.post_text("/v1/verify/check", body).await.problem(422);
    }
    for body in [
        format!(r#"{{"session_id":"{session}","code":NaN}}"#),
        code.clone(),
        "{".to_owned(),
        String::new(),
    ] {
        let answer = api.post_text("/v1/verify/check", body).await;
        assert!(matches!(answer.status, 400 | 422), "{answer:?}");
        answer.problem(answer.status);
    }
    assert_uncharged(&api, &session, &code).await;
}

#[tokio::test]
async fn a26_a_list_of_destinations_is_refused_and_nothing_leaves() {
    let stage = stage().await;
    let api = stage.tenant("a26");
    let (a, b) = ("a26-victim@example.com", "a26-attacker@example.com");
    let lists = [
        json!([a, b]),
        json!({ "0": a }),
        json!(format!("{a},{b}")),
        json!(format!("{a}, {b}")),
        json!(format!("{a};{b}")),
        json!(format!("<{a}>,<{b}>")),
        json!(format!("{a} {b}")),
        json!(format!("Victim <{a}>")),
        json!(format!("<{a}>")),
        json!(null),
        json!(true),
        json!(""),
    ];
    for to in lists {
        for path in ["/v1/verify/send", "/v1/verify/start"] {
            let body = json!({ "to": to, "recipient": to, "channel": "email" });
            api.post(path, &body).await.problem(422);
        }
        let member = if to.is_string() || to.is_null() {
            "to"
        } else {
            "recipient"
        };
        let body = json!({ member: to, "channel": "email" });
        assert!(api.post("/v1/verify/send", &body).await.status >= 400);
    }
    for numbers in [
        "+4740000002,+4740000003",
        "+4740000002;+4740000003",
        "+4740000002 +4740000003",
    ] {
        api.send("sms", numbers).await.problem(422);
    }
    assert!(stage.mail.messages_to(a).is_empty() && stage.mail.messages_to(b).is_empty());
}

/// On a server of its own: what others do on a shared one takes memory as well.
#[tokio::test]
async fn a27_a_body_of_ten_megabytes_is_refused_and_not_kept() {
    let stage = &Stage::of_one_thread().await;
    let (api, session, code) = live_session_on(stage, "a27").await;
    let path = "/v1/verify/check";
    let with = |digits| {
        let code = "1".repeat(digits);
        format!(r#"{{"session_id":"{session}","code":"{code}"}}"#)
    };
    let long = with(10_000_000);
    let http2 = Api::http2(&stage.home.base(), api.key());
    assert_nothing_is_kept(stage, "a body of ten megabytes", async || {
        http2.post_text(path, long.clone()).await.problem(413);
        // Over HTTP/1.1 the answer comes before the body is read.
        let mut socket = connect(stage);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            api.key(),
            long.len()
        );
        let sent = socket.write_all(head.as_bytes());
        sent.expect("it takes the head");
        let sent = socket.write_all(&long.as_bytes()[..32_000]);
        sent.expect("it takes a part");
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).expect("it answers");
        assert_eq!(&answer, b"HTTP/1.1 413");
    })
    .await;
    api.post_text(path, with(15_000)).await.problem(422);
    assert_uncharged(&api, &session, &code).await;
}

#[tokio::test]
async fn a27_deep_json_is_refused() {
    let (_, api, session, code) = live_session("a27-deep").await;
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(1500), close.repeat(1500));
        let inside = format!(r#"{{"session_id":"{session}","code":{deep}}}"#);
        for body in [
            deep.clone(),
            inside,
            format!(r#"{{"to":{deep},"channel":"email"}}"#),
        ] {
            for path in ["/v1/verify/check", "/v1/verify/send"] {
                let answer = api.post_text(path, body.clone()).await;
                assert!(matches!(answer.status, 400 | 422), "{answer:?}");
            }
        }
    }
    assert_uncharged(&api, &session, &code).await;
}

#[tokio::test]
async fn a27_a_hundred_thousand_headers_are_refused_and_not_kept() {
    let stage = &Stage::of_one_thread().await;
    let (api, session, code) = live_session_on(stage, "a27-headers").await;
    let mut request = "POST /v1/verify/check HTTP/1.1\r\nHost: localhost\r\n".to_owned();
    for n in 0..100_000 {
        request.extend(["X-Header-", &n.to_string(), ": 1\r\n"]);
    }
    request.push_str("\r\n");
    assert_nothing_is_kept(stage, "a hundred thousand headers", async || {
        let mut socket = connect(stage);
        // The server may close before it has read all of it.
        let _ = socket.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    })
    .await;
    assert_uncharged(&api, &session, &code).await;
}

#[tokio::test]
async fn a27_half_a_request_does_not_block_others() {
    let (stage, api, session, code) = live_session("a27-slow").await;
    let mut slow: Vec<TcpStream> = (0..200).map(|_| connect(stage)).collect();
    for socket in &mut slow {
        socket
            .write_all(b"POST /v1/verify/check HTTP/1.1\r\nHost: loc")
            .expect("it takes it");
    }
    for socket in slow.iter_mut().take(50) {
        socket
            .write_all(b"alhost\r\nContent-Length: 100\r\n\r\n{\"a")
            .expect("it takes it");
    }
    let clock = Stopwatch::start();
    assert_uncharged(&api, &session, &code).await;
    assert!(clock.elapsed() < PATIENCE);
}

fn connect(stage: &Stage) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", stage.home.api_port)).expect("it listens");
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a time-out");
    socket
}

/// `code` with its digits shifted to those that begin at `zero`.
fn in_digits(code: &str, zero: char) -> String {
    let shift = |c: char| char::from_u32(u32::from(zero) + c.to_digit(10)?);
    code.chars().map(|c| shift(c).expect("a digit")).collect()
}

#[tokio::test]
async fn a28_unicode_digits_succeed_and_what_only_looks_like_them_is_refused() {
    let stage = stage().await;
    let api = stage.tenant("a28");
    let zeros = ['\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}', '\u{1d7ce}'];
    for (n, zero) in zeros.into_iter().enumerate() {
        let (session, code) = stage.emailed(&api, &format!("a28-{n}@example.com")).await;
        let answer = api.check(&session, &in_digits(&code, zero)).await;
        assert!(answer.is_verified(), "digits from {zero:?}: {answer:?}");
    }
    let (session, code) = stage.emailed(&api, "a28@example.com").await;
    let half = |mark: &str| format!("{}{mark}{}", &code[..3], &code[3..]);
    let mut refused: Vec<String> = ["ⅠⅡⅢⅣⅤⅥ", "¹²³⁴⁵⁶", "①②③④⑤⑥", "½½½½½½", "一二三四五六"]
        .map(str::to_owned)
        .into();
    refused.extend(["\u{200b}", "\u{200f}", "\u{202e}", "\u{feff}", "\u{0}", "."].map(half));
    for guess in refused {
        api.check(&session, &guess).await.problem(422);
    }
    assert_uncharged(&api, &session, &code).await;
}

#[tokio::test]
async fn a29_separators_are_dropped_and_the_digits_must_be_exactly_as_many() {
    let stage = stage().await;
    let api = stage.tenant("a29");
    let forms: [fn(&str) -> String; 6] = [
        |c| format!("{} {}", &c[..3], &c[3..]),
        |c| format!("{}-{}", &c[..3], &c[3..]),
        |c| format!("{c}\n"),
        |c| format!("  {c}  "),
        |c| format!("{}\u{a0}{}", &c[..3], &c[3..]),
        |c| format!("{}\u{2011}{}", &c[..3], &c[3..]),
    ];
    for (n, form) in forms.into_iter().enumerate() {
        let (session, code) = stage.emailed(&api, &format!("a29-{n}@example.com")).await;
        let answer = api.check(&session, &form(&code)).await;
        assert!(answer.is_verified(), "form {n}: {answer:?}");
    }
    let (session, code) = stage.emailed(&api, "a29@example.com").await;
    for guess in [
        format!("{code}0"),
        format!("0{code}"),
        code[..5].to_owned(),
        format!("{} ", &code[..5]),
    ] {
        let answer = api.check(&session, &guess).await;
        assert_eq!(answer.reason(), "malformed", "{guess:?}");
        assert_eq!(answer.number_of("attempts_remaining"), Some(5));
    }
    assert_uncharged(&api, &session, &code).await;
}

#[tokio::test]
async fn a30_a_code_without_its_leading_zero_is_refused() {
    let stage = stage().await;
    let api = stage.tenant("a30");
    let to = "a30@example.com";
    let body = json!({ "to": to, "channel": "email", "custom_code": "012345" });
    let session = api.post("/v1/verify/send", &body).await.session();
    assert_eq!(stage.mail.code_for(to).await, "012345");
    for guess in ["12345", "12345 ", "0012345", "01234"] {
        assert_eq!(
            api.check(&session, guess).await.reason(),
            "malformed",
            "{guess}"
        );
    }
    assert_uncharged(&api, &session, "012345").await;
}
