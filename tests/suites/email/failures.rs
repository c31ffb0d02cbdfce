//! Failures told apart, as a real server makes them.

use countersign::Permanent::{Blocked, InvalidDestination, Refused, Unauthorised};
use countersign_smtp::{SmtpCheckError, SmtpConfig};

use crate::parts::USER;
use crate::parts::smtp::SmtpServer;
use crate::stage::{CODE, FROM, PATIENT, SHORT, config, deliver, smtp};

#[tokio::test]
async fn replies_451_and_550_and_their_like_are_told_apart() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(PATIENT));
    for (local, reason) in [
        ("later", None),
        ("busy", None),
        ("unknown", Some(InvalidDestination)),
        ("full", Some(Refused)),
        ("policy", Some(Blocked)),
        ("spam", Some(Blocked)),
    ] {
        let error = deliver(&smtp, &format!("{local}@example.org"))
            .await
            .unwrap_err();
        assert_eq!(error.reason(), reason, "{local}");
        assert_eq!(error.is_transient(), reason.is_none(), "{local}");
        assert!(!error.left_possibly(), "{local}");
        let shown = format!("{error} {error:?}");
        for absent in [CODE, local, "example.org", "such user", "spam"] {
            assert!(!shown.contains(absent), "{shown}");
        }
    }
    assert!(server.happened().messages.is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_535_and_nothing_is_sent() {
    let mut server = SmtpServer::start();
    let wrong = || {
        config(server.port("starttls"), server.ca.pem())
            .password("wrong")
            .timeout(PATIENT)
    };
    let smtp = smtp(wrong());
    let error = deliver(&smtp, "user@example.org").await.unwrap_err();
    assert_eq!(error.reason(), Some(Unauthorised));
    let checked = smtp.check().await.unwrap_err();
    assert!(
        matches!(checked, SmtpCheckError::Login { code: 535, .. }),
        "{checked}"
    );
    let shown = format!("{checked} {checked:?} {smtp:?} {:?}", wrong());
    assert!(!shown.contains("wrong"), "{shown}");
    let happened = server.happened();
    assert_eq!((happened.logins, happened.mails_begun), (2, 0));
}

#[tokio::test]
async fn a_login_that_is_missing_is_530() {
    let mut server = SmtpServer::start();
    let url = format!("smtp://localhost:{}", server.port("starttls"));
    let settings = SmtpConfig::new(&url, FROM)
        .ca_pem(server.ca.pem())
        .timeout(PATIENT);
    let error = deliver(&smtp(settings), "user@example.org")
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Some(Unauthorised));
    assert!(server.happened().messages.is_empty());
}

#[tokio::test]
async fn an_answer_lost_after_the_text_may_have_left() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(PATIENT));
    let error = deliver(&smtp, "dropped@example.org").await.unwrap_err();
    assert!(error.is_transient() && error.left_possibly());
    assert_eq!(server.happened().messages.len(), 1, "it had left indeed");
    // The broken connection is not used again.
    deliver(&smtp, "user@example.org").await.unwrap();
    assert_eq!(server.happened().connections, 1);
}

#[tokio::test]
async fn a_connection_lost_before_the_text_has_sent_nothing() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(PATIENT));
    let error = deliver(&smtp, "gone@example.org").await.unwrap_err();
    assert!(error.is_transient() && !error.left_possibly());
    assert!(server.happened().messages.is_empty());
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_within_the_time_out() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("starttls"), server.ca.pem()).timeout(SHORT));
    let error = deliver(&smtp, "silent@example.org").await.unwrap_err();
    assert!(error.is_transient() && error.left_possibly());
    // A delivery that was cut off takes its connection with it: the next one must not
    // read the answer that was meant for this one.
    assert_eq!(server.happened().connections, 1);
    deliver(&smtp, "user@example.org").await.unwrap();
    let happened = server.happened();
    assert_eq!((happened.connections, happened.messages.len()), (1, 1));
}

#[tokio::test]
async fn nobody_there_is_transient_and_the_check_says_so() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = unused.local_addr().unwrap().port();
    drop(unused);
    let url = format!("smtp+dangerous-plain://127.0.0.1:{port}");
    let smtp = smtp(SmtpConfig::new(&url, FROM));
    let error = deliver(&smtp, "user@example.org").await.unwrap_err();
    assert!(error.is_transient() && !error.left_possibly());
    let checked = smtp.check().await.unwrap_err();
    assert!(
        matches!(checked, SmtpCheckError::Unreachable { .. }),
        "{checked}"
    );
    assert!(!checked.to_string().contains(USER));
}
