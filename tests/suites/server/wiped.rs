//! A37: what the server frees is wiped, and so are the stacks of its threads: when a send is
//! finished, its code is nowhere in memory, whatever library had it in its hands, neither as
//! text nor as a number.

use std::collections::HashSet;

use countersign::Stopwatch;
use serde_json::json;

use crate::api::answer;
use crate::mail::Mailboxes;
use crate::parts::http_fake::{HttpFake, Play};
use crate::parts::ledger::{From, note};
use crate::parts::memory;
use crate::parts::needles::{Needles, packed};
use crate::parts::server::{PATIENCE, pause};
use crate::parts::twilio::{taken, twilio};
use crate::phones::Site;

/// Sends of each channel.
const SENDS: usize = 150;
/// No other word in memory is so long and all digits: a code's length by the sender's choice.
const LENGTH: usize = 10;

/// The run of so many digits in a text.
fn code_in(text: &str) -> String {
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    let code = runs.find(|run| run.len() == LENGTH);
    code.expect("a code").to_owned()
}

/// The codes in all the forms that a program may leave behind.
struct Forms {
    texts: Needles,
    numbers: Needles,
    core: Needles,
}

impl Forms {
    fn of(codes: &[String]) -> Self {
        // The core computes with a code's digits in base 36, with and without its length on
        // top: numbers like others, in whatever order the processor keeps their bytes.
        let core = codes.iter().flat_map(|code| {
            let packed = packed(code);
            let without_length = packed & ((1 << 56) - 1);
            [packed.to_string(), without_length.to_string()]
        });
        let core: Vec<_> = core.collect();
        let forms = Self {
            texts: Needles::texts(codes.iter().map(String::as_str)),
            numbers: Needles::numbers(codes.iter().map(String::as_str)),
            core: Needles::numbers(core.iter().map(String::as_str)),
        };
        for needles in [&forms.texts, &forms.numbers, &forms.core] {
            needles.assert_they_would_be_found();
        }
        forms
    }

    /// What is found of them in the memory of now; of numbers, what was not there before
    /// there were codes.
    fn left_in(&self, memory: &[u8], before: &[u8]) -> Vec<String> {
        let mut left = self.texts.found_in(memory);
        left.extend(self.numbers.found_anew(memory, before));
        left.extend(self.core.found_anew(memory, before));
        left
    }

    fn told(&self) -> String {
        format!(
            "{} codes of finished sends in {} spellings, and {} numbers that the core makes of them",
            self.texts.secrets,
            self.texts.spellings + self.numbers.spellings,
            self.core.secrets
        )
    }
}

/// The codes of sends by every channel, each of which was approved.
async fn finished(
    site: &Site,
    provider: &HttpFake,
    hook: &HttpFake,
    mail: &Mailboxes,
) -> Vec<String> {
    let mut codes = Vec::new();
    for n in 0..SENDS {
        for channel in ["sms", "voice", "email"] {
            let to = match channel {
                "sms" => format!("+4740{n:06}"),
                "voice" => format!("+4741{n:06}"),
                _ => format!("person-{n}@example.com"),
            };
            let body = json!({ "to": to, "channel": channel, "code_length": LENGTH });
            let request = site.api.request("POST", "/v1/verify/send").json(&body);
            let session = answer(request).await.session();
            let code = match channel {
                "sms" => code_in(&provider.asked()[n].field("Body").expect("a text")),
                "voice" => {
                    let body = String::from_utf8_lossy(&hook.asked()[n].body).into_owned();
                    code_in(body.split_once("\"code\":").expect("a code").1)
                }
                _ => mail.code_for(&to).await,
            };
            assert!(site.api.check(&session, &code).await.is_verified());
            codes.push(code);
        }
    }
    codes
}

/// The code of a send that the provider never answers.
async fn unfinished(site: &Site, provider: &HttpFake) -> String {
    provider.play(Play::Silence);
    let asked = provider.asked().len();
    let body = json!({
        "to": "+4740999999", "channel": "sms", "code_length": LENGTH, "delivery": "background",
    });
    let request = site.api.request("POST", "/v1/verify/send").json(&body);
    answer(request).await.session();
    let clock = Stopwatch::start();
    loop {
        if let Some(message) = provider.asked().get(asked) {
            return code_in(&message.field("Body").expect("a text"));
        }
        assert!(clock.elapsed() < PATIENCE, "it is never sent");
        pause().await;
    }
}

#[tokio::test]
async fn a37_no_code_of_a_finished_send_is_left_in_the_servers_memory() {
    let provider = HttpFake::start(std::iter::repeat_n(taken(), SENDS));
    let hook = HttpFake::start(std::iter::repeat_n(Play::json(200, "{}"), SENDS));
    let mail = Mailboxes::start();
    let site = Site::start(&format!(
        "[policy]\ndry_run = [\"prefix_conversion\"]\n{}{}[sms]\nvia = [\"twilio\"]\n\
         countries = [\"NO\"]\n[voice]\nvia = [\"webhook\"]\ncountries = [\"NO\"]\n[webhook]\n\
         url = \"{}\"\nsecret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\"\n",
        mail.email_config(),
        twilio(&provider),
        hook.url()
    ))
    .await;
    let before = memory::of(site.server.id());
    let codes = finished(&site, &provider, &hook, &mail).await;
    let memory = memory::of(site.server.id());
    // What must be there: else this is another process's memory, or none.
    let known = b"/v1/verify/send";
    assert!(memory.windows(known.len()).any(|seen| seen == known));
    // Before the search, which takes longer than a connection may be idle.
    let in_use = unfinished(&site, &provider).await;
    let memory_in_use = memory::of(site.server.id());
    let mut left = HashSet::new();
    for word in memory.windows(LENGTH) {
        if word.iter().all(u8::is_ascii_digit) {
            left.extend(codes.iter().filter(|code| code.as_bytes() == word));
        }
    }
    let tasks = std::fs::read_dir(format!("/proc/{}/task", site.server.id()));
    let threads = tasks.expect("it lives").count();
    assert_eq!(left, HashSet::new());
    let forms = Forms::of(&codes);
    assert_eq!(forms.left_in(&memory, &before), [""; 0]);
    // A code that is still in use is found: this is where codes are.
    let found = Forms::of(&[in_use]).left_in(&memory_in_use, &before);
    assert_ne!(found, [""; 0]);
    note(
        "a37",
        "SQLite",
        From::Outside,
        &forms.told(),
        &format!("0 left in the memory of {threads} threads"),
    );
    // The provider hangs up, so that the server need not wait for it.
    drop(provider);
    site.server.stop().await;
}
