//! TLS or nothing.

use countersign_smtp::{SmtpCheckError, SmtpConfig};

use crate::parts::ca::TestCa;
use crate::parts::smtp::SmtpServer;
use crate::parts::{PASSWORD, USER};
use crate::stage::{FROM, PATIENT, config, deliver, smtp};

/// That the server saw a connection and neither a login nor a message.
fn assert_nothing_was_sent(server: &mut SmtpServer) {
    let happened = server.happened();
    assert!(happened.connections > 0 || happened.messages.is_empty());
    assert_eq!(
        (
            happened.logins,
            happened.mails_begun,
            happened.messages.len()
        ),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn without_starttls_neither_password_nor_message_is_sent() {
    let mut server = SmtpServer::start();
    let smtp = smtp(config(server.port("plain"), server.ca.pem()).timeout(PATIENT));
    let error = deliver(&smtp, "user@example.org").await.unwrap_err();
    assert!(!error.left_possibly());
    let checked = smtp.check().await.unwrap_err();
    assert!(
        matches!(checked, SmtpCheckError::NoStartTls { .. }),
        "{checked}"
    );
    let happened = server.happened();
    assert_eq!(happened.connections, 2);
    assert_eq!(
        (
            happened.logins,
            happened.mails_begun,
            happened.messages.len()
        ),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn another_ca_is_not_trusted() {
    let mut server = SmtpServer::start();
    let other = TestCa::make();
    for (scheme, listener) in [("smtp", "starttls"), ("smtps", "tls")] {
        let url = format!("{scheme}://{USER}@localhost:{}", server.port(listener));
        for ca in [Some(other.pem()), None] {
            let mut settings = SmtpConfig::new(&url, FROM)
                .password(PASSWORD)
                .timeout(PATIENT);
            if let Some(ca) = ca {
                settings = settings.ca_pem(ca);
            }
            let smtp = smtp(settings);
            let error = deliver(&smtp, "user@example.org").await.unwrap_err();
            assert!(!error.left_possibly());
            let checked = smtp.check().await.unwrap_err();
            assert!(matches!(checked, SmtpCheckError::Tls { .. }), "{checked}");
            assert_nothing_was_sent(&mut server);
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let mut server = SmtpServer::start();
    // The same address, under a name that the certificate does not have.
    let url = format!("smtp://{USER}@127.0.0.2:{}", server.port("starttls"));
    let relay = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let url = url.replace(
        &format!(":{}", server.port("starttls")),
        &format!(":{}", relay.local_addr().unwrap().port()),
    );
    let target = server.port("starttls");
    std::thread::spawn(move || {
        let (near, _) = relay.accept().unwrap();
        let far = std::net::TcpStream::connect(("127.0.0.1", target)).unwrap();
        let (mut near_in, mut far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut near_in, &mut far_out);
            let _ = far_out.shutdown(std::net::Shutdown::Both);
        });
        let (mut far_in, mut near_out) = (far, near);
        let _ = std::io::copy(&mut far_in, &mut near_out);
        let _ = near_out.shutdown(std::net::Shutdown::Both);
    });
    let settings = SmtpConfig::new(&url, FROM)
        .password(PASSWORD)
        .ca_pem(server.ca.pem())
        .timeout(PATIENT);
    let error = deliver(&smtp(settings), "user@example.org")
        .await
        .unwrap_err();
    assert!(!error.left_possibly());
    assert_nothing_was_sent(&mut server);
}

#[tokio::test]
async fn plain_text_must_be_asked_for_by_its_dangerous_name() {
    let mut server = SmtpServer::start();
    let url = format!("smtp+dangerous-plain://127.0.0.1:{}", server.port("plain"));
    deliver(
        &smtp(SmtpConfig::new(&url, FROM).timeout(PATIENT)),
        "user@example.org",
    )
    .await
    .unwrap();
    let got = server.only_message();
    assert!(!got.tls && !got.login);
}
