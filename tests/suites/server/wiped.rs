//! A37: what the server frees is wiped, and so are the stacks of its threads: when a send is
//! finished, its code is nowhere in memory, whatever library had it in its hands.

use std::collections::HashSet;

use serde_json::json;

use crate::api::answer;
use crate::mail::Mailboxes;
use crate::parts::http_fake::{HttpFake, Play};
use crate::parts::ledger::{From, note};
use crate::parts::memory;
use crate::phones::{Site, taken, twilio};

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
    let memory = memory::of(site.server.id());
    // What must be there: else this is another process's memory, or none.
    let known = b"/v1/verify/send";
    assert!(memory.windows(known.len()).any(|seen| seen == known));
    let mut left = HashSet::new();
    for word in memory.windows(LENGTH) {
        if word.iter().all(u8::is_ascii_digit) {
            left.extend(codes.iter().filter(|code| code.as_bytes() == word));
        }
    }
    let tasks = std::fs::read_dir(format!("/proc/{}/task", site.server.id()));
    let threads = tasks.expect("it lives").count();
    assert_eq!(left, HashSet::new());
    note(
        "a37",
        "SQLite",
        From::Outside,
        &format!("{} codes of finished sends", codes.len()),
        &format!("0 left in the memory of {threads} threads"),
    );
    site.server.stop().await;
}
