//! A18: one guess at each of many destinations: what an alarm is made from is there at once.

use crate::api::Api;
use crate::page::wrong;
use crate::parts::ledger::{From, note};
use crate::parts::server::Home;
use crate::terminal;

/// What was counted of checks with this verdict.
fn counted(metrics: &str, verdict: &str) -> u64 {
    let sample = format!("countersign_checks_total{{verdict=\"{verdict}\"}} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&sample));
    value.map_or(0, |value| value.parse().expect("a number"))
}

#[tokio::test]
async fn a18_every_guess_of_a_spray_is_in_the_metrics_when_it_is_answered() {
    let home = Home::empty();
    let server = home.serve().await;
    let (api, admin) = (
        Api::new(&home.base(), &home.key("acme", &[])),
        Api::new(&home.admin(), "none"),
    );
    for n in 0..60 {
        let shown = terminal::codes(&server).len();
        let session = api.send("sms", &format!("+47408{n:05}")).await.session();
        let code = terminal::code_after(&server, shown).await;
        assert_eq!(
            api.check(&session, &wrong(&code)).await.reason(),
            "wrong_code"
        );
        let metrics = admin.get("/metrics").await.expect(200).text;
        assert_eq!(counted(&metrics, "wrong_code"), n + 1, "{metrics}");
        assert_eq!(counted(&metrics, "verified"), 0, "{metrics}");
    }
    note(
        "a18",
        "SQLite",
        From::Outside,
        "60 destinations, a guess each",
        "each wrong one in the metrics when it is answered",
    );
    server.stop().await;
}
