//! Messages to numbers of the attacker's own, from outside through `countersign serve`: what
//! a provider is asked for is what somebody pays.

use crate::api::{Answer, Api};
use crate::parts::http_fake::HttpFake;
use crate::parts::twilio::{code_in, taken, twilio};
use crate::phones::Site;

/// A server with these rules, and the provider that it sends through.
async fn site(policy: &str) -> (Site, HttpFake) {
    let fake = HttpFake::start((0..200).map(|_| taken()));
    let config = format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n{}[policy]\n{policy}\n",
        twilio(&fake)
    );
    (Site::start(&config).await, fake)
}

/// Sends to so many numbers of one prefix in turn; how many left, and the last answer.
async fn pump(site: &Site, from: u32, sends: u32) -> (usize, Answer) {
    let (mut left, mut last) = (0, None);
    for n in from..from + sends {
        let sent = site.api.send("sms", &format!("+474061{n:04}")).await;
        assert!(matches!(sent.status, 200 | 429), "{sent:?}");
        left += usize::from(sent.status == 200);
        last = Some(sent);
    }
    (left, last.expect("a send"))
}

/// That an answer says by which limit, and when to come again.
fn assert_refused(answer: &Answer, limit: &str) {
    let problem = answer.problem(429);
    assert_eq!(problem["limit"], limit, "{answer:?}");
    assert!(
        answer.header("retry-after").parse::<u32>().is_ok(),
        "{answer:?}"
    );
}

async fn would_have_refused(site: &Site, limit: &str) -> Option<String> {
    let admin = Api::new(&site.home.admin(), "none");
    let metrics = admin.get("/metrics").await.expect(200).text;
    let name = format!("countersign_would_refuse_total{{limit=\"{limit}\"}} ");
    let sample = metrics.lines().find_map(|line| line.strip_prefix(&name));
    sample.map(str::to_owned)
}

#[tokio::test]
async fn a48_fifty_messages_that_nobody_verifies_are_the_last_until_an_operator_resets() {
    let (site, fake) = site("").await;
    let (left, last) = pump(&site, 0, 60).await;
    assert_eq!((left, fake.asked().len()), (50, 50), "what left was paid");
    assert_refused(&last, "prefix_conversion");
    assert_eq!(would_have_refused(&site, "prefix_conversion").await, None);
    let other = site.api.send("sms", "+4741123456").await;
    assert_eq!(other.status, 200, "another prefix: {other:?}");
    // From the shell, beside the server; a tenant cannot.
    let said = site.home.run(&["reset", "--prefix-of", "406 19 999"]);
    assert!(!said.status.success(), "no national form without a region");
    let said = site.home.run(&["reset", "--prefix-of", "+4740619999"]);
    assert!(said.status.success(), "{said:?}");
    let (out, log) = (
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr),
    );
    assert!(out.contains("prefix +47406 was reset"), "{out}");
    for part in [
        " audit: ",
        "operation=\"reset-prefix\"",
        "prefix=\"+47406\"",
        "outcome=\"done\"",
    ] {
        assert!(log.contains(part), "{log}");
    }
    assert!(!format!("{out}{log}").contains("40619999"), "{out}{log}");
    let unserved = site.home.run(&["reset", "--prefix-of", "+46701234567"]);
    assert_eq!(unserved.status.code(), Some(2), "{unserved:?}");
    assert_eq!(pump(&site, 100, 60).await.0, 50);
    site.server.stop().await;
}

#[tokio::test]
async fn a48_one_message_in_ten_that_is_verified_keeps_a_prefix_open() {
    let (site, fake) = site("").await;
    for n in 0..80_u32 {
        let sent = site.api.send("sms", &format!("+474061{n:04}")).await;
        let session = sent.session();
        if n % 10 == 9 {
            let asked = fake.asked().pop().expect("a request");
            let code = code_in(&asked.field("Body").expect("words"));
            assert!(site.api.check(&session, &code).await.is_verified());
        }
    }
    assert_eq!(fake.asked().len(), 80);
    site.server.stop().await;
}

#[tokio::test]
async fn a48_a_prefix_is_sent_no_more_than_its_cap() {
    let (site, fake) = site("prefix_sends = \"7/1h\"").await;
    let (left, last) = pump(&site, 0, 20).await;
    assert_eq!((left, fake.asked().len()), (7, 7));
    assert_refused(&last, "prefix_sends");
    let other = site.api.send("sms", "+4741123456").await;
    assert_eq!(other.status, 200, "another prefix: {other:?}");
    site.server.stop().await;
}

#[tokio::test]
async fn a48_a_dry_run_sends_everything_and_reports_what_it_would_not_have_sent() {
    let rules = "prefix_sends = \"7/1h\"\ndry_run = [\"prefix_sends\", \"prefix_conversion\"]";
    let (site, fake) = site(rules).await;
    let (left, _) = pump(&site, 0, 60).await;
    assert_eq!((left, fake.asked().len()), (60, 60));
    for (limit, count) in [("prefix_sends", "53"), ("prefix_conversion", "10")] {
        assert_eq!(
            would_have_refused(&site, limit).await.as_deref(),
            Some(count)
        );
        let named = format!("limit=\"{limit}\"");
        let told = |log: &str| {
            let told = log.lines().filter(|line| {
                line.contains("a dry run would have refused a message")
                    && line.contains(&named)
                    && line.contains("prefix=\"+47406\"")
            });
            told.count().to_string()
        };
        site.server.stderr.once(|log| told(log) == count).await;
    }
    site.server.stop().await;
}
