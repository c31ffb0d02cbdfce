//! The HTTP client that all providers' deliverers share, against a server that misbehaves.

use std::net::TcpListener;
use std::time::Duration;

use countersign::DeliverError;
use countersign_provider::{Answer, Client, ClientConfig, ClientConfigError, Credential, Request};

use crate::parts::ca::TestCa;
use crate::parts::http_fake::{HttpFake, Play};
use crate::stage::{CODE, PATIENT, SHORT, assert_hides};

fn client(url: &str, timeout: Duration) -> Client {
    Client::new(&ClientConfig::new(url).timeout(timeout)).unwrap()
}

async fn ask(fake: &HttpFake, timeout: Duration) -> Result<Answer, DeliverError> {
    let request = Request::form("/send", &[("code", CODE)]);
    client(&fake.url(), timeout).send(request).await
}

fn lost() -> DeliverError {
    DeliverError::transient().may_have_left()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made() {
    let fake = HttpFake::start([]);
    let client = client(&format!("{}/prefix/", fake.url()), PATIENT);
    let password = Credential::new("p:ä");
    let form = Request::form("/a b", &[("To", "+47 1"), ("Body", "æ&=\n")])
        .basic("user", &password)
        .header("x-id", "1");
    client.send(form).await.unwrap();
    client.send(Request::get("")).await.unwrap();
    let json = Request::json("/j", &serde_json::json!({"a": "ø"}));
    client.send(json).await.unwrap();
    let asked = fake.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].method, "POST");
    assert_eq!(asked[0].path, "/prefix/a%20b");
    assert_eq!(asked[0].header("authorization"), Some("Basic dXNlcjpwOsOk"));
    assert_eq!(asked[0].header("x-id"), Some("1"));
    assert_eq!(
        asked[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(asked[0].body, b"To=%2B47+1&Body=%C3%A6%26%3D%0A");
    assert_eq!(
        (asked[1].method.as_str(), asked[1].path.as_str()),
        ("GET", "/prefix/")
    );
    assert!(asked[1].body.is_empty());
    assert_eq!(asked[2].header("content-type"), Some("application/json"));
    assert_eq!(asked[2].body, "{\"a\":\"ø\"}".as_bytes());
    let host = fake.url().replace("http://", "");
    assert_eq!(asked[2].header("host"), Some(host.as_str()));
    assert_eq!((client.authority(), client.base_path()), (host, "/prefix"));
    assert_eq!(fake.connections(), 1, "connections are used again");
}

#[tokio::test]
async fn nobody_there_is_transient_and_nothing_left() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = unused.local_addr().unwrap().port();
    drop(unused);
    for url in [
        format!("http://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}"),
        "https://name.invalid".to_owned(),
    ] {
        let error = client(&url, PATIENT).send(Request::get("/")).await;
        assert_eq!(error, Err(DeliverError::transient()), "{url}");
    }
}

#[tokio::test]
async fn a_connection_that_is_never_secured_ends_in_time_and_nothing_left() {
    // It takes connections (in its backlog) and says nothing, so that TLS never stands.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let error = client(&url, SHORT).send(Request::get("/")).await;
    assert_eq!(error, Err(DeliverError::transient()));
}

#[tokio::test]
async fn a_certificate_by_nobody_known_is_refused_and_nothing_left() {
    let (ours, other) = (TestCa::make(), TestCa::make());
    let proof = TlsServer::start(&ours);
    for (ca, reached) in [(None, false), (Some(&other), false), (Some(&ours), true)] {
        let mut config = ClientConfig::new(&proof.url).timeout(PATIENT);
        if let Some(ca) = ca {
            config = config.ca_pem(ca.pem());
        }
        let answer = Client::new(&config).unwrap().send(Request::get("/")).await;
        match answer {
            Ok(answer) => assert!(reached && answer.status == 200),
            Err(error) => {
                assert!(!reached, "{error:?}");
                assert_eq!(error, DeliverError::transient());
            }
        }
    }
    let none = ClientConfig::new(&proof.url).ca_pem("no certificate");
    assert!(Client::new(&none).is_err());
}

#[tokio::test]
async fn silence_and_a_cut_after_the_request_may_have_left_it() {
    for (play, timeout) in [(Play::Silence, SHORT), (Play::Cut, PATIENT)] {
        let fake = HttpFake::start([play]);
        assert_eq!(ask(&fake, timeout).await, Err(lost()));
        assert_eq!(fake.asked().len(), 1, "it is not repeated");
    }
}

#[tokio::test]
async fn a_connection_that_was_cut_is_not_used_again() {
    let fake = HttpFake::start([Play::json(200, "1"), Play::Cut, Play::json(200, "2")]);
    let client = client(&fake.url(), PATIENT);
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let answer = client.send(Request::form("/", &[("code", CODE)])).await;
        bodies.push(answer.map(|answer| answer.body));
    }
    assert_eq!(bodies, [Ok(b"1".to_vec()), Err(lost()), Ok(b"2".to_vec())]);
    assert_eq!(fake.asked().len(), 3);
}

#[tokio::test]
async fn the_status_is_the_answer_also_when_the_body_never_ends() {
    let fake = HttpFake::start([Play::Stall(201, b"{\"sid\"".to_vec())]);
    let answer = ask(&fake, SHORT).await.unwrap();
    assert_eq!((answer.status, answer.body), (201, b"{\"sid\"".to_vec()));
}

#[tokio::test]
async fn of_ten_megabytes_64_kilobytes_are_read() {
    let fake = HttpFake::start([Play::Flood(200, 10 << 20)]);
    let answer = ask(&fake, PATIENT).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 64 * 1024));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = HttpFake::start([]);
    for status in [301, 302, 303, 307, 308] {
        let fake = HttpFake::start([Play::header(status, "location", &elsewhere.url())]);
        let answer = ask(&fake, PATIENT).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.failure(), DeliverError::transient());
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_pause_is_read_from_the_answer() {
    let fake = HttpFake::start([Play::header(429, "retry-after", "17")]);
    let answer = ask(&fake, PATIENT).await.unwrap();
    let pause = Duration::from_secs(17);
    assert_eq!(answer.failure(), DeliverError::throttled(pause));
}

#[tokio::test]
async fn a_header_with_a_line_break_is_refused_before_anything_is_sent() {
    let fake = HttpFake::start([]);
    let request = Request::get("/").header("x-id", "1\r\nx-evil: 1");
    let error = client(&fake.url(), PATIENT)
        .send(request)
        .await
        .unwrap_err();
    assert!(!error.is_transient() && !error.left_possibly());
    assert_eq!(fake.connections(), 0);
}

#[tokio::test]
async fn a70_what_is_shown_of_a_client_and_its_answers_is_no_secret() {
    let fake = HttpFake::start([Play::json(400, CODE)]);
    let config = ClientConfig::new(&fake.url());
    let answer = ask(&fake, PATIENT).await.unwrap();
    assert_eq!(answer.body, CODE.as_bytes());
    let failure = answer.failure();
    let shown = format!("{config:?} {answer:?} {failure} {failure:?}");
    assert_hides(&shown, &[]);
    // The address of a receiver may be all that keeps others from it.
    let client = client(&format!("{}/hidden", fake.url()), PATIENT);
    let shown = format!("{client:?}");
    assert!(shown.contains("127.0.0.1"), "{shown}");
    assert_hides(&shown, &["hidden"]);
}

#[test]
fn a_time_out_is_from_1_to_60_seconds() {
    for (millis, expected) in [
        (0, Some(ClientConfigError::Timeout)),
        (999, Some(ClientConfigError::Timeout)),
        (1_000, None),
        (60_000, None),
        (60_001, Some(ClientConfigError::Timeout)),
    ] {
        let timeout = Duration::from_millis(millis);
        let config = ClientConfig::new("https://example.com").timeout(timeout);
        assert_eq!(Client::new(&config).err(), expected, "{millis}");
    }
}

/// `openssl s_server`: it answers every `GET` with a page.
struct TlsServer {
    url: String,
    child: std::process::Child,
}

impl TlsServer {
    fn start(ca: &TestCa) -> Self {
        let port = crate::parts::ports::free_port();
        let child = std::process::Command::new("openssl")
            .args(["s_server", "-www", "-quiet", "-accept"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("-cert")
            .arg(ca.certificate())
            .arg("-key")
            .arg(ca.key())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("openssl is missing: ./tests/run parts");
        let up = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        for _ in 0..300 {
            if up() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let url = format!("https://localhost:{port}");
        Self { url, child }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
