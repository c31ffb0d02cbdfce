//! A37: a whole run at TRACE with many known codes, keys, destinations and session ids, of
//! which none is found in what the server wrote or counted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::json;

use crate::api::{Api, answer};
use crate::mail::Mailboxes;
use crate::page::wrong;
use crate::parts::http_fake::{Asked, HttpFake};
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::needles::Needles;
use crate::parts::server::{Home, Server};
use crate::parts::twilio::{taken, twilio};

/// Sends that are under way at once.
const AT_ONCE: usize = 16;

/// One person in so many is sent a code by email, the others by SMS.
const BY_EMAIL: usize = 3;

/// A server at TRACE, the provider and the mailboxes that its messages go to, and its tenants.
struct Site {
    provider: HttpFake,
    mail: Mailboxes,
    home: Home,
    server: Server,
    tenants: Vec<Api>,
    /// The tokens and keys, which only the operator and the tenants know.
    keys: BTreeSet<String>,
}

/// What is looked for, by what it is.
type Secrets = [(&'static str, BTreeSet<String>); 7];

impl Site {
    async fn start(sends: usize, tenants: usize) -> Self {
        let provider = HttpFake::start(std::iter::repeat_n(taken(), sends));
        let mail = Mailboxes::start();
        let config = format!(
            "public_url = \"https://verify.example.com\"\n[sms]\nvia = [\"twilio\"]\n\
             countries = [\"NO\"]\n[policy]\ndry_run = [\"prefix_conversion\"]\n{}{}",
            twilio(&provider),
            mail.email_config()
        );
        let home = Home::with_config(&config).env("COUNTERSIGN_LOG", "trace");
        let server = home.serve().await;
        let (mut apis, mut keys) = (Vec::new(), BTreeSet::new());
        for n in 0..tenants {
            let token = home.run_ok(&["token", "--tenant", &format!("tenant-{n}")]);
            let token = token.trim_end().to_owned();
            let url = format!("{}/v1/dashboard/verify/activate", home.base());
            let request = crate::parts::http_client().post(url).bearer_auth(&token);
            let key = answer(request).await.expect(200).text_of("api_key");
            apis.push(Api::new(&home.base(), &key));
            keys.extend([token, key]);
        }
        Self {
            provider,
            mail,
            home,
            server,
            tenants: apis,
            keys,
        }
    }

    /// The n-th person's whole life, to the last call but one.
    async fn send(&self, n: usize) -> String {
        let (to, channel) = destination(n);
        let body = json!({ "to": to, "channel": channel, "code_length": 10 });
        let api = &self.tenants[n % self.tenants.len()];
        let request = api.request("POST", "/v1/verify/send").json(&body);
        let again = format!("repeat-{n}");
        answer(request.header("idempotency-key", again))
            .await
            .session()
    }

    async fn check(&self, n: usize, session: &str, code: &str) {
        let api = &self.tenants[n % self.tenants.len()];
        // Here the id is in the path, which is what servers log first.
        api.status(session).await.expect(200);
        assert_eq!(
            api.check(session, &wrong(code)).await.reason(),
            "wrong_code"
        );
        assert!(api.check(session, code).await.is_verified());
        assert_eq!(api.check(session, code).await.reason(), "already_used");
    }

    /// The codes that the provider and the mailboxes were given, by destination.
    async fn codes(&self, people: usize) -> HashMap<String, String> {
        let code_in = |text: &str| {
            let mut runs = text.split(|c: char| !c.is_ascii_digit());
            let code = runs.find(|run| run.len() == 10);
            code.expect("a code").to_owned()
        };
        let read = |asked: &Asked| {
            let (to, text) = (asked.field("To"), asked.field("Body"));
            (to.expect("a number"), code_in(&text.expect("a text")))
        };
        let mut codes: HashMap<_, _> = self.provider.asked().iter().map(read).collect();
        for n in 0..people {
            if let (address, "email") = destination(n) {
                let code = self.mail.code_for(&address).await;
                codes.insert(address, code);
            }
        }
        codes
    }

    /// All that nobody may find in what the server has written.
    fn secrets(&self, sessions: &[String], codes: &HashMap<String, String>) -> Secrets {
        let (numbers, addresses): (BTreeSet<_>, BTreeSet<_>) =
            codes.keys().cloned().partition(|to| to.starts_with('+'));
        // A number as it stands in a URL, and as a person writes it: without its country.
        let bare = numbers.iter().map(|number| number[1..].to_owned());
        let short = numbers.iter().map(|number| number[3..].to_owned());
        // What is before the `@` is the same however the rest is quoted.
        let local = |address: &String| address.split('@').next().map(str::to_owned);
        [
            ("keys and tokens", self.keys.clone()),
            ("codes", codes.values().cloned().collect()),
            ("numbers", bare.collect()),
            ("numbers without their country", short.collect()),
            ("local parts", addresses.iter().filter_map(local).collect()),
            ("addresses", addresses),
            // Whatever they are announced by: what follows `sess_` is the secret.
            (
                "session ids",
                sessions.iter().map(|id| bare_id(id)).collect(),
            ),
        ]
    }

    /// All that the server has written: its log, its database, and what it tells of itself.
    async fn written(&self) -> Vec<(&'static str, Vec<u8>)> {
        let admin = Api::new(&self.home.admin(), "none");
        let metrics = admin.get("/metrics").await.expect(200).text.into_bytes();
        let mut files = Vec::new();
        let data = std::fs::read_dir(self.home.path().join("data")).expect("its folder");
        for file in data.map(|file| file.expect("a file").path()) {
            let name = file.display().to_string();
            if name.contains("countersign.db") {
                files.extend(std::fs::read(file).expect("it can be read"));
            }
        }
        vec![
            ("standard output", self.server.stdout.text().into_bytes()),
            ("standard error", self.server.stderr.text().into_bytes()),
            ("the metrics", metrics),
            ("the database", files),
        ]
    }
}

/// The n-th person's number or address, and how it is reached. The numbers +4740000000 to
/// +4740999999 are mobile ones.
fn destination(n: usize) -> (String, &'static str) {
    let scattered = n.wrapping_mul(7919) % 1_000_000;
    if n.is_multiple_of(BY_EMAIL) {
        (format!("quokka-{scattered:06}@marsupial.example"), "email")
    } else {
        (format!("+4740{scattered:06}"), "sms")
    }
}

/// A session's id without what all of them begin with.
fn bare_id(session: &str) -> String {
    session.trim_start_matches("sess_").to_owned()
}

/// Everybody's sends, or checks, a few at once.
async fn all<F: Future<Output = T> + Send + 'static, T: Send + 'static>(
    what: &str,
    people: usize,
    one: impl Fn(usize) -> F,
) -> Vec<T> {
    let mut done = Vec::new();
    for first in (0..people).step_by(AT_ONCE) {
        let last = people.min(first + AT_ONCE);
        let tasks: Vec<_> = (first..last).map(|n| tokio::spawn(one(n))).collect();
        for task in tasks {
            done.push(task.await.expect("no panic"));
            progress(what, done.len(), people);
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a37_of_thousands_of_secrets_none_is_written_anywhere_at_trace() {
    let (people, tenants) = if long() { (7500, 75) } else { (300, 5) };
    let site = Arc::new(Site::start(people, tenants).await);
    let sessions = all("a37: sends", people, |n| {
        let site = Arc::clone(&site);
        async move { site.send(n).await }
    });
    let sessions = Arc::new(sessions.await);
    let codes = Arc::new(site.codes(people).await);
    assert_eq!(codes.len(), people);
    let checked = all("a37: checks", people, |n| {
        let (site, sessions, codes) = (site.clone(), sessions.clone(), codes.clone());
        async move {
            let code = &codes[&destination(n).0];
            site.check(n, &sessions[n], code).await;
        }
    });
    checked.await;

    let secrets = site.secrets(&sessions, &codes);
    for (what, known) in &secrets {
        assert!(known.len() >= 2 * tenants, "{} {what}", known.len());
    }
    let each = secrets.iter().flat_map(|(_, known)| known);
    let needles = Needles::texts(each.map(String::as_str));
    needles.assert_they_would_be_found();
    let (mut bytes, log) = (0, site.server.stderr.all().len());
    for (what, text) in site.written().await {
        let found = needles.found_in(&text);
        assert!(
            found.is_empty(),
            "{what}: {:?}",
            &found[..found.len().min(9)]
        );
        assert!(!text.windows(8).any(|word| word == b"panicked"), "{what}");
        bytes += text.len();
    }
    // Each call is logged; what dependencies say of what passes through them is left out.
    assert!(log > 4 * people, "little was logged: {log} lines");
    let kinds = secrets.map(|(what, known)| format!("{} {what}", known.len()));
    note(
        "a37",
        "SQLite",
        From::Outside,
        &format!(
            "{} secrets ({}) in {} spellings, {log} lines of log at TRACE, {bytes} bytes in all",
            needles.secrets,
            kinds.join(", "),
            needles.spellings
        ),
        "0 found in logs, metrics and files",
    );
}
