//! A48: messages to numbers of the attacker's own, which somebody else pays for, through four
//! servers (in memory one) and one provider.

use countersign::Stopwatch;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};
use super::fleet::{Fleet, SERVERS, Session};
use super::setup::Setup;
use super::store::Kind;
use crate::parts::http_fake::HttpFake;
use crate::parts::long::{long, progress};
use crate::parts::twilio::{code_in, taken, twilio};

/// Sends at once, over all servers.
const AT_ONCE: usize = 256;
/// Messages to one prefix that nobody verifies, before it is refused.
const SILENT: usize = 50;
/// Messages to one prefix in an hour, and the price of so many in a day.
const OF_PREFIX: usize = 80;
const IN_DAY: usize = 200;
const POLICY: &str = "prefix_sends = \"80/1h\"\ntotal_daily_spend = \"2.00\"\n";

/// Numbers that nobody allowed, and why they are refused: countries, and a dear sort.
const UNSERVED: [(&str, &str); 3] = [
    ("+46701234567", "country"),
    ("+88213300123", "country"),
    ("+4782900123", "sort"),
];

/// A provider, what its messages cost, and where they may go.
pub(crate) fn delivery(provider: &HttpFake) -> String {
    format!(
        "[sms]\nvia = [\"twilio\"]\ncountries = [\"NO\"]\n[prices.sms.twilio]\nNO = \"0.01\"\n{}",
        twilio(provider)
    )
}

/// The servers, and how many messages somebody has to pay for.
struct Site {
    fleet: Fleet,
    provider: HttpFake,
    caller: Caller,
}

impl Site {
    async fn start(kind: Kind) -> Self {
        let days = days();
        let provider = HttpFake::start((0..days * (IN_DAY + 1)).map(|_| taken()));
        let setup = Setup {
            delivery: &delivery(&provider),
            policy: POLICY,
            moves: true,
            ..Setup::default()
        };
        let fleet = Fleet::start(kind, setup).await;
        let caller = fleet.tenant("a48");
        Self {
            fleet,
            provider,
            caller,
        }
    }

    fn paid(&self) -> usize {
        self.provider.asked().len()
    }

    /// Sends to all these numbers at once; all that were refused name one of these limits.
    async fn pump(&self, numbers: impl Iterator<Item = String>, limits: &[&str]) {
        let ask = |(n, to): (usize, String)| {
            let caller = self.caller.clone();
            tokio::spawn(async move { caller.send(n % SERVERS, &to, json!({})).await })
        };
        let tasks: Vec<_> = numbers.enumerate().map(ask).collect();
        for task in tasks {
            let sent = task.await.expect("no panic");
            if sent["status"] != "sent" {
                let limit = sent["limit"].as_str().unwrap_or("none");
                assert!(limits.contains(&limit), "{}: {sent}", self.fleet.kind);
            }
        }
    }

    /// A person who types the code that came.
    async fn verifies(&self, at: usize, sent: &Value) {
        let message = self.provider.asked().pop().expect("a message");
        let session = Session {
            id: sent["session_id"].as_str().expect("an id").to_owned(),
            to: String::new(),
            code: code_in(&message.field("Body").expect("words")),
        };
        let answer = self.caller.check(at, &session, &session.code).await;
        assert_eq!(answer, Answer::Verified, "{}", self.fleet.kind);
    }
}

fn days() -> usize {
    if long() { 10 } else { 2 }
}

/// Each day anew: a prefix that is silent, one whose people verify, countries and sorts of numbers
/// that nobody allowed, and the rest of what may be spent, over many prefixes.
async fn a48_pumping_meets_its_caps(kind: Kind) {
    let (site, clock) = (Site::start(kind).await, Stopwatch::start());
    for day in 0..days() {
        site.fleet.wind_to_morning();
        let before = site.paid();
        for turn in 0..3 {
            let silent = (0..AT_ONCE).map(|n| number(400 + day, turn * AT_ONCE + n));
            // Those under way count against the cap too, until it is known that they were refused.
            site.pump(silent, &["prefix_conversion", "prefix_sends"])
                .await;
        }
        assert_eq!(site.paid() - before, SILENT, "{kind}, day {day}");
        people_verify(&site, 450 + day).await;
        assert_eq!(
            site.paid() - before,
            SILENT + OF_PREFIX,
            "{kind}, day {day}"
        );
        for (n, (to, why)) in UNSERVED.into_iter().enumerate() {
            let refused = site.caller.send(n, to, json!({})).await;
            assert_eq!(refused["reason"], why, "{kind}: {refused}");
        }
        let rest = (0..AT_ONCE).map(|n| number(900 + 20 * (day % 5) + n % 20, 1000 * day + n));
        site.pump(rest, &["total_spend"]).await;
        assert_eq!(site.paid() - before, IN_DAY, "{kind}, day {day}");
        progress("a48", day + 1, days());
    }
    let tried = format!("{} days of up to {AT_ONCE} sends at once", days());
    let showed = format!(
        "{SILENT} messages to a silent prefix, {OF_PREFIX} to one that verifies, 0 to what is not \
         listed, {IN_DAY} in a day"
    );
    site.fleet.tell("a48", &tried, &showed, &clock);
}

/// One in five messages to a prefix is verified: it goes on to its cap.
async fn people_verify(site: &Site, prefix: usize) {
    for n in 0..OF_PREFIX + 20 {
        let at = n % SERVERS;
        let sent = site.caller.send(at, &number(prefix, n), json!({})).await;
        if sent["status"] == "sent" {
            if n % 5 == 0 {
                site.verifies(at, &sent).await;
            }
        } else {
            assert_eq!(sent["limit"], "prefix_sends", "{}: {sent}", site.fleet.kind);
        }
    }
}

/// The n-th mobile number of a prefix.
fn number(prefix: usize, n: usize) -> String {
    format!("+47{prefix}{n:05}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_meets_its_caps_on_a_server_with_its_memory() {
    a48_pumping_meets_its_caps(Kind::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_meets_its_caps_on_four_servers_with_one_sqlite_file() {
    a48_pumping_meets_its_caps(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_meets_its_caps_on_four_servers_with_postgres() {
    a48_pumping_meets_its_caps(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_meets_its_caps_on_four_servers_with_redis() {
    a48_pumping_meets_its_caps(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_meets_its_caps_on_four_servers_with_a_redis_cluster() {
    a48_pumping_meets_its_caps(Kind::RedisCluster).await;
}
