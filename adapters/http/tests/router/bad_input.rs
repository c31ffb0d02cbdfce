//! Input that must be refused uncharged, and never sent anywhere.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::desk::{Answer, Desk};

const NUMBER: &str = "+4712345678";

/// Refused as a field of the check; and the session still has all its attempts.
async fn assert_uncharged(desk: &Desk, id: &str, body: &str) -> Answer {
    let answer = desk.raw("/v1/verify/check", body.to_owned()).await;
    let shown = desk.get(&format!("/v1/verify/status/{id}")).await;
    assert_eq!(shown.body["attempts_remaining"], 5, "{body} was charged");
    assert_eq!(shown.body["status"], "pending", "{body} was approved");
    answer
}

#[tokio::test]
async fn a24_an_empty_code_is_refused_uncharged() {
    let desk = Desk::new();
    let id = desk.send("sms", NUMBER).await;
    for code in [r#""""#, r#"" ""#, r#""\t\n""#, "null", r#""---""#] {
        let body = format!(r#"{{"session_id":"{id}","code":{code}}}"#);
        let answer = assert_uncharged(&desk, &id, &body).await;
        assert_eq!(
            (answer.status, answer.text("field").as_str()),
            (422, "code"),
            "{code}"
        );
    }
    let answer = assert_uncharged(&desk, &id, &json!({"session_id": id}).to_string()).await;
    assert_eq!(
        (answer.status, answer.text("field").as_str()),
        (422, "code")
    );
}

#[tokio::test]
async fn a25_other_types_than_text_are_refused_uncharged() {
    let desk = Desk::new();
    let id = desk.send("sms", NUMBER).await;
    let right = desk.code();
    let number = right.trim_start_matches('0');
    let codes = [
        "true".to_owned(),
        "0".to_owned(),
        number.to_owned(),
        format!("[\"{right}\"]"),
        format!("{{\"code\":\"{right}\"}}"),
        "1e999".to_owned(),
        "-1".to_owned(),
    ];
    for code in codes {
        let body = format!(r#"{{"session_id":"{id}","code":{code}}}"#);
        let answer = assert_uncharged(&desk, &id, &body).await;
        // A number beyond every number is no JSON for this reader.
        assert!(
            answer.status == 422 || (code == "1e999" && answer.status == 400),
            "{code}"
        );
    }
    let nan = format!(r#"{{"session_id":"{id}","code":NaN}}"#);
    assert_eq!(assert_uncharged(&desk, &id, &nan).await.status, 400);
    let twice = format!(r#"{{"session_id":"{id}","code":"{right}","code":"{right}"}}"#);
    let answer = assert_uncharged(&desk, &id, &twice).await;
    assert_eq!(
        (answer.status, answer.text("field").as_str()),
        (422, "code")
    );
    assert!(desk.check(&id, &right).await.body["status"] == "verified");
}

#[tokio::test]
async fn a25_bodies_that_are_no_object_of_known_fields_are_refused() {
    let desk = Desk::new();
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("{}x", 400),
        ("nonsense", 400),
        ("[]", 422),
        ("\"text\"", 422),
        ("null", 422),
        ("{}", 422),
        (r#"{"to":"+4712345678","channel":"fax"}"#, 422),
        (r#"{"to":"+4712345678","channel":"SMS"}"#, 422),
        (
            r#"{"to":"+4712345678","channel":"sms","code_length":"6"}"#,
            422,
        ),
        (
            r#"{"to":"+4712345678","channel":"sms","code_length":6.5}"#,
            422,
        ),
        (
            r#"{"to":"+4712345678","channel":"sms","code_length":-6}"#,
            422,
        ),
        (
            r#"{"to":"+4712345678","channel":"sms","known_device":"true"}"#,
            422,
        ),
        (
            r#"{"to":"+4712345678","channel":"sms","end_user_ip":"localhost"}"#,
            422,
        ),
    ] {
        let answer = desk.raw("/v1/verify/send", body).await;
        assert_eq!(answer.status, status, "{body}");
    }
    let body = json!({"to": NUMBER, "channel": "sms", "phone": "x"});
    let unknown = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (unknown.status, unknown.text("field").as_str()),
        (422, "phone")
    );
    let secret = r#"{"to":"+4712345678","channel":"sms","Secret 975310":1}"#;
    let unknown = desk.raw("/v1/verify/send", secret).await;
    assert!(unknown.status == 422 && !unknown.body.to_string().contains("975310"));
    assert!(desk.recorder.is_empty());
}

#[tokio::test]
async fn a_reference_of_several_lines_and_a_locale_that_is_none_are_refused() {
    let desk = Desk::new();
    let long = "x".repeat(129);
    for reference in [
        "",
        "a\nb",
        "a\r\nb: c",
        "\0",
        "a\tb",
        "\u{1b}[2J",
        "\u{7f}",
        "a\u{85}b",
        "a\u{2028}b",
        "a\u{2029}b",
        &long,
    ] {
        refused(&desk, "client_reference", reference).await;
    }
    for locale in [
        "",
        "n",
        "nb_NO",
        "nb-",
        "-NO",
        "nb NO",
        "nb\n",
        "nb-NO-",
        "n\u{f8}",
        "../nb",
        "nb/NO",
        "12",
        "nb-toolongapart",
        "en-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q",
    ] {
        refused(&desk, "locale", locale).await;
    }
    assert!(desk.recorder.is_empty());
    let reference = "\u{f8}".repeat(128);
    let body = json!({"to": NUMBER, "channel": "sms", "client_reference": reference,
        "locale": "nb-Latn-NO"});
    let sent = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (sent.status, sent.text("client_reference")),
        (200, reference)
    );
}

/// That both spellings of a send refuse `value`, name its field and do not repeat it.
async fn refused(desk: &Desk, field: &str, value: &str) {
    for (call, to) in [("send", "to"), ("start", "recipient")] {
        let body = json!({to: NUMBER, "channel": "sms", field: value});
        let answer = desk.post(&format!("/v1/verify/{call}"), &body).await;
        let told = (answer.status, answer.text("field"), answer.problem());
        let expected = (422, field.to_owned(), "invalid".to_owned());
        assert_eq!(told, expected, "{value:?}");
        assert!(value.len() < 8 || !answer.body.to_string().contains(value));
    }
}

#[tokio::test]
async fn a26_a_list_of_destinations_is_refused() {
    let desk = Desk::new();
    let lists: [Value; 8] = [
        json!(["+4712345678", "+4787654321"]),
        json!(["+4712345678"]),
        json!({"to": "+4712345678"}),
        json!("+4712345678,+4787654321"),
        json!("victim@example.com,attacker@example.com"),
        json!("victim@example.com;attacker@example.com"),
        json!("<victim@example.com>,<attacker@example.com>"),
        json!("victim@example.com\r\nBcc: attacker@example.com"),
    ];
    for to in lists {
        for channel in ["sms", "voice", "email"] {
            for (call, field) in [("send", "to"), ("start", "recipient")] {
                let body = json!({field: to, "channel": channel});
                let answer = desk.post(&format!("/v1/verify/{call}"), &body).await;
                assert_eq!(
                    (answer.status, answer.text("field").as_str()),
                    (422, field),
                    "{to}"
                );
                assert!(!answer.body.to_string().contains("attacker"));
            }
        }
    }
    assert!(desk.recorder.is_empty());
}

#[tokio::test]
async fn a27_long_and_deep_bodies_are_refused() {
    let desk = Desk::new();
    let long = format!(r#"{{"session_id":"x","code":"{}"}}"#, "1".repeat(10 << 20));
    let answer = desk.raw("/v1/verify/check", long).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "too-large")
    );
    let chunks = (0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024]));
    let endless = Body::from_stream(Chunks(chunks.collect()));
    assert_eq!(desk.raw("/v1/verify/check", endless).await.status, 413);
    for deep in [
        "[".repeat(16_000),
        format!(r#"{{"code":{}"#, "[".repeat(15_000)),
    ] {
        let answer = desk.raw("/v1/verify/check", deep).await;
        assert!(
            answer.status == 400 || answer.status == 422,
            "{}",
            answer.status
        );
    }
    let most = format!(
        r#"{{"session_id":"x","code":"123456"{}}}"#,
        " ".repeat(16_000)
    );
    assert_eq!(desk.raw("/v1/verify/check", most).await.status, 404);
}

#[tokio::test]
async fn a27_a_body_in_single_bytes_is_the_body_and_has_its_bound() {
    let desk = Desk::new();
    for (length, status) in [(16_384, 404), (16_385, 413)] {
        let mut bytes = br#"{"session_id":"x","code":"123456"}"#.to_vec();
        bytes.resize(length, b' ');
        // The last of them is taken first.
        let single = bytes.iter().rev().map(|byte| Ok(vec![*byte]));
        let body = Body::from_stream(Chunks(single.collect()));
        let answer = desk.raw("/v1/verify/check", body).await;
        assert_eq!(answer.status, status, "{length} bytes");
    }
}

struct Chunks(Vec<Result<Vec<u8>, std::io::Error>>);

impl futures_core::Stream for Chunks {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop())
    }
}

#[tokio::test]
async fn a28_digits_of_every_script_are_taken_and_nothing_else() {
    let desk = Desk::new();
    for zero in ['\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'] {
        let id = desk
            .send("email", &format!("user{}@example.com", u32::from(zero)))
            .await;
        let typed: String = desk
            .code()
            .bytes()
            .map(|b| char::from_u32(u32::from(zero) + u32::from(b - b'0')).unwrap())
            .collect();
        assert_eq!(
            desk.check(&id, &typed).await.body["status"],
            "verified",
            "{typed}"
        );
    }
    let id = desk.send("sms", NUMBER).await;
    for typed in [
        "¹²³⁴⁵⁶",
        "ⅠⅡⅢⅣⅤⅥ",
        "①②③④⑤⑥",
        "12345½",
        "abc\u{202e}12",
        "１２",
    ] {
        let body = json!({"session_id": id, "code": typed}).to_string();
        assert_eq!(
            assert_uncharged(&desk, &id, &body).await.status,
            422,
            "{typed}"
        );
    }
}

#[tokio::test]
async fn a29_separators_are_left_out() {
    let desk = Desk::new();
    for (n, (between, end)) in [(" ", ""), ("-", ""), ("", "\n"), (" - ", " ")]
        .iter()
        .enumerate()
    {
        let id = desk.send("email", &format!("user{n}@example.com")).await;
        let code = desk.code();
        let typed = format!("{}{between}{}{end}", &code[..3], &code[3..]);
        assert_eq!(
            desk.check(&id, &typed).await.body["status"],
            "verified",
            "{typed:?}"
        );
    }
}

#[tokio::test]
async fn a30_a_shorter_or_longer_code_is_malformed_and_uncharged() {
    let desk = Desk::new();
    let body = json!({"to": NUMBER, "channel": "sms", "custom_code": "012345"});
    let id = desk.post("/v1/verify/send", &body).await.text("session_id");
    for typed in ["12345", "0012345", "2345"] {
        let body = json!({"session_id": id, "code": typed}).to_string();
        let answer = assert_uncharged(&desk, &id, &body).await;
        assert_eq!(answer.body["reason"], "malformed");
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_by_their_header_are_refused() {
    let desk = Desk::new();
    let body = json!({"to": NUMBER, "channel": "sms"}).to_string();
    for (content_type, status) in [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
    ] {
        let request = Request::post("/v1/verify/send")
            .header("x-api-key", &desk.key)
            .header("content-type", content_type);
        let answer = desk
            .call(request.body(Body::from(body.clone())).unwrap())
            .await;
        assert_eq!(answer.status, status, "{content_type}");
    }
}
