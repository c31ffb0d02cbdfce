//! Who gets a message: the one person asked for, as often as allowed.

use serde_json::json;

use crate::api::{Answer, Api, answer};
use crate::parts::server::Home;
use crate::parts::smtp::Delivered;
use crate::stage::stage;

#[tokio::test]
async fn a39_headers_cannot_be_injected_through_any_field() {
    let stage = stage().await;
    let api = stage.tenant("a39");
    let breaks = [
        "\r", "\n", "\r\n", "\u{2028}", "\u{2029}", "\u{85}", "\u{0}", "\u{b}",
    ];
    for (n, line_break) in breaks.into_iter().enumerate() {
        let header = format!("{line_break}Bcc: a39-evil@example.com");
        for to in [
            format!("a39-{n}@example.com{header}"),
            format!("a39-{n}{header}@example.com"),
            format!("{header}a39-{n}@example.com"),
            format!("a39-{n}@example.com{line_break}"),
            format!("\"a39-{n}{header}\"@example.com"),
        ] {
            api.send("email", &to).await.problem(422);
        }
        // A locale is a choice among languages: nothing of it may reach the message.
        let to = format!("a39-{n}@example.com");
        let body = json!({ "to": to, "channel": "email", "locale": format!("nb{header}") });
        api.post("/v1/verify/send", &body).await.problem(422);
        assert!(stage.mail.messages_to(&to).is_empty());
        // Other texts of the caller's are echoed, refused or kept out of the message.
        for field in [
            "client_reference",
            "binding",
            "purpose",
            "origin",
            "app_hash",
        ] {
            let body = json!({ "to": to, "channel": "email", field: format!("x{header}") });
            let answer = api.post("/v1/verify/send", &body).await;
            assert!(
                matches!(answer.status, 200 | 422 | 429),
                "{field}: {answer:?}"
            );
        }
        for letter in stage.mail.messages_to(&to) {
            assert_plain(&letter, &to);
        }
    }
    for to in [
        "a39%0d%0aBcc:a39-evil@example.com",
        "\"a39\\\r\nBcc: a39-evil\"@example.com",
        "a39(a39-evil@example.com)@example.com",
        "a39@example.com>\r\nRCPT TO:<a39-evil@example.com",
        "a39@[127.0.0.1]\r\n",
    ] {
        api.send("email", to).await.problem(422);
    }
    let long = format!("{}@example.com", "a".repeat(65));
    api.send("email", &long).await.problem(422);
    assert!(stage.mail.messages_to("a39-evil@example.com").is_empty());
    stage.emailed(&api, "a39-plain@example.com").await;
    let sent = stage.mail.messages_to("a39-plain@example.com");
    assert_eq!(sent.len(), 1);
    assert_plain(&sent[0], "a39-plain@example.com");
}

/// That a message has one recipient and no header that a caller brought in.
fn assert_plain(letter: &Delivered, to: &str) {
    assert_eq!(letter.recipients, [to]);
    let headers = letter.mail.header_names();
    for header in ["bcc", "cc", "resent-to"] {
        assert!(!headers.contains(&header), "{letter:?}");
    }
    assert_eq!(headers.iter().filter(|name| **name == "to").count(), 1);
    let subject = letter.mail.header("subject");
    assert!(
        !letter.mail.text().contains("evil") && !subject.contains("evil"),
        "{letter:?}"
    );
}

#[tokio::test]
async fn a42_a_code_goes_to_the_exact_address_and_never_to_one_that_looks_like_it() {
    let stage = stage().await;
    let api = stage.tenant("a42");
    let look_alikes = [
        ("a42mıke@example.com", "a42mike@example.com"),
        ("a42İvan@example.com", "a42ivan@example.com"),
        ("a42straße@example.com", "a42strasse@example.com"),
        ("a42\u{212a}elvin@example.com", "a42kelvin@example.com"),
        ("a42@ex\u{430}mple.com", "a42@example.com"),
        ("a42@\u{ff45}xample.com", "a42@example.com"),
    ];
    for (given, folded) in look_alikes {
        let sent = api.send("email", given).await;
        assert!(matches!(sent.status, 200 | 422), "{given}: {sent:?}");
        if sent.status == 422 {
            sent.problem(422);
        }
        assert!(
            stage.mail.messages_to(folded).is_empty(),
            "{given} reached {folded}"
        );
    }
    let (session, code) = stage.emailed(&api, "A42.Mixed@EXAMPLE.com").await;
    assert!(api.check(&session, &code).await.is_verified());
    let sent = stage.mail.messages_to("A42.Mixed@EXAMPLE.com");
    let local = sent[0].recipients[0]
        .split('@')
        .next()
        .expect("a local part");
    assert_eq!(
        local, "A42.Mixed",
        "the local part is the person's own spelling"
    );
}

/// Sends to each spelling, cancelling at once, and gives how many were let through.
async fn let_through(api: &Api, channel: &str, spellings: &[&str]) -> usize {
    let mut sent = 0;
    for to in spellings {
        let answer = api.send(channel, to).await;
        match answer.status {
            200 => {
                sent += 1;
                let session = answer.session();
                api.delete(&format!("/v1/verify/sessions/{session}")).await;
            }
            429 => {
                let limit = answer.problem(429)["limit"].clone();
                assert_eq!(limit, "destination_sends", "{to}: {answer:?}");
            }
            _ => drop(answer.problem(422)),
        }
    }
    sent
}

#[tokio::test]
async fn a43_all_spellings_of_an_address_share_one_budget() {
    let stage = stage().await;
    let api = stage.tenant("a43");
    let gmail = [
        "a43person@gmail.com",
        "A43Person@gmail.com",
        "a43.person@gmail.com",
        "a.4.3.person@gmail.com",
        "a43person+one@gmail.com",
        "a43person+two@gmail.com",
        "a43person@GMAIL.com",
        "A43.person+x@Gmail.Com",
        "\"a43person\"@gmail.com",
        "a43person@gmail.com.",
        "a43person@gmail.com",
    ];
    assert_eq!(let_through(&api, "email", &gmail).await, 5);
    let other = [
        "a43b@bücher.example",
        "a43b@xn--bcher-kva.example",
        "A43B@XN--BCHER-KVA.example",
        "a43b+1@xn--bcher-kva.example",
        "a43b+2@bücher.example",
        "a43b+3@xn--bcher-kva.example",
        "a43b+4@xn--bcher-kva.example",
        "a43b+5@BÜCHER.example",
    ];
    assert_eq!(let_through(&api, "email", &other).await, 5);
}

#[tokio::test]
async fn a44_all_spellings_of_a_number_share_one_budget() {
    let stage = stage().await;
    let api = stage.tenant("a44");
    let numbers = [
        "+4745000044",
        "+47 45 00 00 44",
        "004745000044",
        "4745000044",
        "+47 (0) 45000044",
        "45000044",
        "+47-45-00-00-44",
        "tel:+4745000044",
        "\u{ff0b}４７４５００００４４",
        "+4745000044;ext=1",
        "+4745000044x1",
        " +4745000044",
        "+4745000044 ",
        "+4745000044",
        "+4745000044",
        "+4745000044",
        "+4745000044",
    ];
    assert_eq!(let_through(&api, "sms", &numbers).await, 5);
}

async fn forwarded(api: &Api, key: &str, forwarded: &str) -> Answer {
    let api = api.with_key(key);
    let request = api
        .request("GET", "/v1/verify/status/x")
        .header("x-forwarded-for", forwarded);
    answer(request).await
}

/// Wrong keys until one has to wait, each with another left-most address.
async fn failures_until_limited(api: &Api, source: &str) -> usize {
    for n in 0..200 {
        let list = format!("198.51.100.{n}{source}");
        let refused = forwarded(api, "wrong", &list).await;
        if refused.status == 429 {
            assert_eq!(refused.problem(429)["limit"], "auth_failures");
            return n;
        }
        refused.problem(401);
    }
    panic!("a made-up address evades the limit");
}

#[tokio::test]
async fn a46_a_made_up_forwarded_for_evades_no_limit_and_blames_nobody() {
    // No proxy is trusted: the header says nothing.
    let home = Home::empty();
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    assert!(failures_until_limited(&api, "").await <= 30);
    server.stop().await;

    // The peer is a trusted proxy: its own entry counts, whatever stands left of it.
    let home = Home::empty().env("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1/32");
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    assert!(failures_until_limited(&api, ", 203.0.113.9").await <= 30);
    let others = forwarded(&api, "wrong", "203.0.113.9, 203.0.113.10").await;
    others.problem(401);
    server.stop().await;
}

#[tokio::test]
async fn a46_sends_count_by_the_address_that_the_caller_vouches_for() {
    let home = Home::with_config(crate::configuration::LIMITED_CONSOLE);
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let send = |n: usize, ip: Option<&str>| {
        let mut body = json!({ "to": format!("+474600{n:04}"), "channel": "sms" });
        if let Some(ip) = ip {
            body["end_user_ip"] = ip.into();
        }
        let header = format!("198.51.100.{n}");
        answer(
            api.request("POST", "/v1/verify/send")
                .header("x-forwarded-for", header)
                .json(&body),
        )
    };
    for n in 0..20 {
        send(n, Some("203.0.113.8")).await.session();
    }
    let refused = send(20, Some("203.0.113.8")).await;
    assert_eq!(refused.problem(429)["limit"], "source_sends", "{refused:?}");
    send(21, Some("::ffff:203.0.113.8")).await.problem(429);
    send(22, Some("203.0.113.9")).await.session();
    send(23, None).await.session();
    send(24, Some("203.0.113.8, 1.2.3.4")).await.problem(422);
    server.stop().await;
}

#[tokio::test]
async fn a46_an_auth_server_behind_a_trusted_proxy_is_no_source_of_its_own_accord() {
    let home = Home::with_config(crate::configuration::LIMITED_CONSOLE)
        .env("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1/32");
    let server = home.serve().await;
    let api = Api::new(&home.base(), &home.key("acme", &[]));
    let send = |n: usize, ip: Option<&str>| {
        let to = format!("+474601{n:04}");
        let body = json!({ "to": to, "channel": "sms", "end_user_ip": ip });
        let request = api.request("POST", "/v1/verify/send").json(&body);
        answer(request.header("x-forwarded-for", "203.0.113.9"))
    };
    // Its own address, told by the proxy, counts nothing: all its users would share it.
    for n in 0..25 {
        send(n, None).await.session();
    }
    for n in 25..45 {
        send(n, Some("203.0.113.9")).await.session();
    }
    let refused = send(45, Some("203.0.113.9")).await.problem(429);
    assert_eq!(refused["limit"], "source_sends", "{refused}");
    send(46, None).await.session();
    server.stop().await;
}
